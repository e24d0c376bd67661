"""Traces for files registered before the check of texts knew them (C5)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef

from apps.casework import identity, policies
from apps.casework.models import Household, Member, PrivateField, PrivateTrace, SealedField
from apps.casework.operations.sealing import trace, unseal
from apps.core.actors import Actor
from apps.core.policies import authorize

_TRACED = {
    PrivateField.NAME: (PrivateTrace.Kind.NAME, identity.name_traces),
    PrivateField.ADDRESS: (PrivateTrace.Kind.ADDRESS, identity.address_traces),
}


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: the last household looked at (0: none left), and how many got traces in this step."""

    last: int
    done: int


@transaction.atomic
def reindex_traces(*, actor: Actor, after: int, limit: int, now: dt.datetime) -> Step:
    """This will write the hashes of names and addresses for up to `limit` households after the id `after` that have
    none, so that texts are checked against them too. Values are opened only to be hashed: nobody is shown any, so no
    access row is written. Safe to repeat and to break off."""
    authorize(policies.can_reindex_traces, actor)
    rows = list(
        Household.objects.select_for_update(of=("self",))
        .filter(pk__gt=after, data_key__isnull=False)
        .filter(~Exists(PrivateTrace.objects.filter(household=OuterRef("pk"), member=None, kind="name")))
        .order_by("pk")[:limit]
    )
    for household in rows:
        _retrace(household)
    return Step(rows[-1].pk if rows else 0, len(rows))


def _retrace(household: Household) -> None:
    owners: list[Member | None] = [None, *Member.objects.filter(household=household).order_by("pk")]
    held = set(
        SealedField.objects.filter(household=household, name__in=list(_TRACED)).values_list("member", "name")
    )
    for member in owners:
        names = [name for name in _TRACED if (member.pk if member else None, name.value) in held]
        for name, value in unseal(household, names, member).items():
            kind, words = _TRACED[PrivateField(name)]
            trace(household, member, kind, words(value))
