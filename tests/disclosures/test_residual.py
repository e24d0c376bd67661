"""What remained of a completed project's aid for fewer than five families is a use of its closing report (C4)."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.core.invariants import ordered
from apps.disclosures import operations as op
from apps.disclosures.models import Report, ReportUse
from apps.funds import operations as funds
from apps.publication.models import PublicRowText, Residual
from apps.tracing.queries import trace_gift
from tests import world as w
from tests.disclosures import scene

pytestmark = pytest.mark.django_db
CLOSED = w.NOW + dt.timedelta(days=20)


def test_the_rest_is_one_line_of_the_closing_reports_uses(client: Client) -> None:
    city = scene.helped()
    gift = w.give(city, 100)
    first = scene.published(city, scene.drafted(city))
    before = bytes(first.frozen or b"")
    for n in (6, 7):
        w.help_family(city, n, 10_000 * n)
    officer, project = city.people["officer"], city.project
    for move in (funds.close_raising, funds.start_executing, funds.complete_project):
        project = move(actor=officer, project=project, now=CLOSED)
    city.project = project
    w.work(CLOSED)
    [rest] = Residual.objects.all()
    assert rest.amount == 130_000
    report = op.start_report(
        actor=officer, duty=scene.next_duty(city, "closing_report"), now=CLOSED + dt.timedelta(days=2)
    )
    report = scene.published(city, report, now=CLOSED + dt.timedelta(days=3))
    said = json.loads(bytes(report.frozen or b"{}"))
    assert [use for use in said["uses"] if use["kind"] == "residual"] == [
        {
            "kind": "residual",
            "public_id": rest.public_id,
            "amount": 130_000,
            "closed_on": rest.closed_on.isoformat(),
        }
    ]
    # The closing report's own uses and those of the report before it are all the project spent.
    uses = [use for each in Report.objects.all() for use in json.loads(bytes(each.frozen or b"{}"))["uses"]]
    assert sum(use["amount"] for use in uses) == said["totals"]["computed"]["spending"]
    [line] = [line for line in said["lines"] if line["key"] == "aid:rest"]
    assert line["computed"] == rest.amount
    page = client.get(f"/disclosures/{report.public_id}/").content.decode()
    assert f'id="{rest.public_id}"' in page and "项目结束时余下的救助" in page
    row = PublicRowText.objects.select_related("row").get(public_id=rest.public_id)
    assert (row.row.amount, row.row.people, row.row.town, row.link) == (
        130_000, 0, 0, f"/disclosures/{report.public_id}/",
    )  # fmt: skip
    links = {use.kind: use.report_link for use in trace_gift(gift).uses}
    assert links.get("residual", row.link) == row.link
    first.refresh_from_db()
    assert bytes(first.frozen or b"") == before, "what was published stands as it was"
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name
    with pytest.raises(IntegrityError, match="report_use_is_one"), transaction.atomic():
        ReportUse.objects.create(report=scene.drafted(city, kind="surplus_treatment", now=CLOSED), amount=1)
