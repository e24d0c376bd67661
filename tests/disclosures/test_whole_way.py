"""A report's whole way: computed, refused until explained, drawn, audited, frozen, found, traced."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pytest

from apps.core.invariants import ordered
from apps.disclosures import operations as op
from apps.disclosures.errors import DifferenceUnexplained, FindingMissing, NotTheAuditor, SameHands
from apps.disclosures.models import Duty, Report, ReportUse
from apps.disclosures.operations import LineInput
from apps.disclosures.operations.auditing import eligible_auditors, place_of
from apps.donations.models import Gift
from apps.ledger.queries import figures
from apps.organizations.operations import declare_audit_tie
from apps.publication.models import PublicRowText
from apps.tracing.queries import trace_gift
from search.contract import SearchRequest
from search.engines import engine
from tests import world as w
from tests.disclosures import scene

pytestmark = pytest.mark.django_db
LATER = w.NOW + dt.timedelta(hours=1)


def invariants_hold() -> None:
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


def test_a_report_from_draft_to_search() -> None:
    city = scene.helped()
    duty = Duty.objects.get(project=city.project, code=scene.PROGRESS)
    assert (duty.n, duty.starts_on, duty.due_on) == (1, dt.date(2026, 11, 23), dt.date(2027, 2, 23))
    assert duty.organization == city.organization

    tied, free = scene.firm(1), scene.firm(2)
    declare_audit_tie(actor=w.SETUP, firm=tied, organization=city.organization, reason="做过代理记账")
    inside = scene.staffed(
        w.person(
            "both", ("auditor", "audit_firm", free.pk), ("cashier", "organization", city.organization.pk)
        )
    )
    scene.auditor(tied, "tied")
    who = scene.auditor(free)

    report = scene.drafted(city)
    computed = {(line.section, line.key): line.computed for line in report.lines.all()}
    assert computed["income", "channel:wechat_pay"] == 2_000_000
    assert computed["spending", "aid"] == 500_015
    assert computed["balance", "fees"] == figures([city.earmark]).fees
    assert computed["people", "households"] == 5
    assert computed["audit", "not_shown"] == 0
    assert computed["audit", "paid"] == figures([city.earmark]).spent

    changed = scene.as_computed(report)
    changed["spending", "aid"] = LineInput(490_015)
    common = {"actor": city.people["officer"], "report": report, "narrative": scene.NARRATIVE, "now": LATER}
    with pytest.raises(DifferenceUnexplained) as refused:
        op.submit_report(lines=changed, **common)
    assert refused.value.labels == ["医疗救助"]
    changed["spending", "aid"] = LineInput(490_015, "一户的一笔计入了下一期。")
    report = op.submit_report(lines=changed, **common)
    assert report.lines.get(key="aid").difference == -10_000

    places = eligible_auditors(report)
    assert places == [(who.person_id, free.pk)] and inside.person_id not in dict(places)
    audit = op.draw_auditor(actor=w.SETUP, report=report, now=LATER)
    assert audit.seed_sha256 == hashlib.sha256(report.draw_seed.encode()).hexdigest()
    assert place_of(report.draw_seed, report.public_id, 0, 1) == audit.place == 0
    with pytest.raises(NotTheAuditor):
        op.accept_audit(actor=inside, report=report, now=LATER)
    op.accept_audit(actor=who, report=report, now=LATER)
    with pytest.raises(FindingMissing):
        op.give_opinion(actor=who, report=report, opinion="qualified", text="除下述事项外，公允。", now=LATER)
    finding = op.add_finding(
        actor=who, report=report, severity="material", title="截止期", text="一户计错了期。", now=LATER
    )
    op.give_opinion(
        actor=who, report=report, opinion="qualified", text="除“截止期”一项外，公允反映了收支。", now=LATER
    )
    op.reply_finding(actor=city.people["officer"], finding=finding, reply="同意，下一期更正。", now=LATER)
    with pytest.raises(SameHands):
        op.publish_report(actor=city.people["officer"], report=report, now=LATER)
    report = op.publish_report(actor=city.people["manager"], report=report, now=LATER)

    frozen = bytes(Report.objects.get(pk=report.pk).frozen or b"")
    assert hashlib.sha256(frozen).hexdigest() == report.sha256
    said = json.loads(frozen)
    assert said["audit"]["opinion"] == "qualified" and said["findings"][0]["reply"] == "同意，下一期更正。"
    assert not any(line["section"] == "audit" for line in said["lines"])
    assert said["audit"]["draw"]["seed"] == report.draw_seed
    assert said["totals"]["computed"]["closing"] == 2_000_000 - 500_015 - figures([city.earmark]).fees

    duty.refresh_from_db()
    city.project.refresh_from_db()
    assert duty.fulfilled_on == w.NOW.date() == city.project.last_report_on
    assert city.project.overdue_since is None
    invariants_hold()

    for text in ("大病", "石桥镇", '"大病救助"'):
        found = engine().search(SearchRequest(view="use", query=text))
        assert found.count == 1 and found.totals[0].minor == figures([city.earmark]).spent, text
    assert engine().search(SearchRequest(view="report", query="截止期")).count == 1

    gift = Gift.objects.get()
    [use] = trace_gift(gift).uses
    assert use.report_link == f"/disclosures/{report.public_id}/"
    assert PublicRowText.objects.get(public_id=use.public_id).batch == report.public_id
    assert ReportUse.objects.filter(report=report).count() == 1
