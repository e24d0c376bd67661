"""Families registered before texts were checked against files get their hashes, in steps that can be broken off."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.casework import operations
from apps.casework.models import AccessRow, PrivateTrace
from apps.casework.queries import traces_in
from apps.core.actors import system
from apps.core.errors import PermissionRefused
from tests import world as w
from tests.casework.people import add_member

pytestmark = pytest.mark.django_db


def told() -> list[tuple[int, int | None, str, str]]:
    rows = PrivateTrace.objects.order_by("household", "member", "kind", "digest")
    return list(rows.values_list("household", "member", "kind", "digest"))


def test_hashes_come_back_as_they_were_and_nobody_read_anything() -> None:
    city = w.build()
    families = [w.household(city, n) for n in (1, 2, 3)]
    child = add_member(city, families[1])
    before = told()
    PrivateTrace.objects.exclude(member=child).delete()
    assert not [each for each in traces_in("户主1来过") if each.kind == "name"]
    step = operations.reindex_traces(actor=system("tests"), after=0, limit=2, now=w.NOW)
    assert (step.last, step.done) == (families[1].pk, 2), "a member added later doesn't hide the family"
    out = StringIO()
    call_command("reindex_traces", batch=1, stdout=out)
    assert told() == before and out.getvalue().endswith("Done: 1 families now have hashes.\n")
    call_command("reindex_traces", stdout=out)
    assert out.getvalue().endswith("Nothing to do.\n")
    assert not AccessRow.objects.exists()


def test_only_the_command_may() -> None:
    city = w.build()
    with pytest.raises(PermissionRefused):
        operations.reindex_traces(actor=city.people["supervisor"], after=0, limit=9, now=w.NOW)
    with pytest.raises(CommandError):
        call_command("reindex_traces", batch=0)
