"""Every step of a report by every wrong hand (D4): each role, each scope, and the same person twice.

The right hands are listed once, here, by hand; everybody else must be refused with nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from django.db import transaction

from apps.accounts.models import Grant as Held
from apps.accounts.operations import SCOPE_OF
from apps.core.actors import PUBLIC, Actor, Grant, system
from apps.core.errors import PermissionRefused
from apps.disclosures import operations as op
from apps.disclosures.errors import NotTheAuditor, SameHands
from apps.disclosures.models import (
    Audit,
    Duty,
    Finding,
    Report,
    ReportAttachment,
    ReportStatusChange,
    SampleItem,
)
from apps.organizations.models import AuditFirm
from tests import world as w
from tests.disclosures import scene
from tests.disclosures.test_drafts import PDF

pytestmark = pytest.mark.django_db
LATER = w.NOW.replace(hour=16)
REFUSED = (PermissionRefused, NotTheAuditor, SameHands)
NOBODY: frozenset[str] = frozenset()
OFFICERS = frozenset({"project_officer"})


@dataclass
class Stage:
    """A report at one of its states, and everybody who could lay hands on it."""

    city: w.World
    report: Report
    auditor: Actor
    others: dict[str, Actor] = field(default_factory=dict)

    def given(self) -> dict[str, object]:
        return {"report": self.report, "now": LATER}

    def again(self) -> Report:
        return Report.objects.get(pk=self.report.pk)


def everybody(city: w.World, firm: AuditFirm) -> dict[str, Actor]:
    """One person for each role at this organization (a town's, firm's or warehouse's role at its own), one for each at
    another, the public, a donor, staff without a second factor, and an auditor of a firm that wasn't drawn."""
    scopes = {
        "organization": city.organization.pk,
        "town": city.towns[0].pk,
        "audit_firm": firm.pk,
        "city": 0,
    }
    found = {"public": PUBLIC, "donor": w.person("donor"), "system": system("disclosures")}
    for role in Held.Role.values:
        kind = SCOPE_OF[role]
        here = scopes.get(kind, 1)
        found[role] = w.person(role, (role, kind, here))
        if kind != "city":
            found[f"{role} elsewhere"] = w.person(f"{role}2", (role, kind, here + 1_000))
    half = w.person(
        "half", *[(role, SCOPE_OF[role], scopes.get(SCOPE_OF[role], 1)) for role in Held.Role.values]
    )
    found["all roles, no second factor"] = replace(half, mfa=False)
    found["own organization's auditor"] = w.person(
        "inside", ("auditor", "organization", city.organization.pk)
    )
    return found


def build(until: str) -> Stage:
    """This will take a report to a state: draft, submitted, assigned, under_audit, audited."""
    city = scene.helped()
    firm = scene.firm(1)
    auditor = scene.auditor(firm, "drawn")
    report = scene.drafted(city)
    stage = Stage(city, report, auditor, everybody(city, firm))
    if until == "draft":
        return stage
    op.submit_report(actor=city.people["officer"], report=report, narrative=scene.NARRATIVE,
                     lines=scene.as_computed(report), now=LATER)  # fmt: skip
    if until == "submitted":
        return stage
    op.draw_auditor(actor=w.SETUP, report=report, now=LATER)
    if until == "assigned":
        return stage
    op.accept_audit(actor=auditor, report=report, now=LATER)
    op.add_finding(
        actor=auditor, report=report, severity="minor", title="单据", text="一张单据缺页。", now=LATER
    )
    if until == "under_audit":
        return stage
    op.give_opinion(actor=auditor, report=report, opinion="unqualified", text="公允反映。", now=LATER)
    if until == "published":
        op.publish_report(actor=city.people["manager"], report=report, now=LATER)
    return stage


def _words(stage: Stage) -> dict[str, object]:
    return {**stage.given(), "narrative": scene.NARRATIVE, "lines": scene.as_computed(stage.report)}


def _finding(stage: Stage) -> Finding:
    return Finding.objects.get(report=stage.report)


STEPS: dict[str, tuple[str, Callable[[Stage, Actor], object], frozenset[str]]] = {
    "save_draft": ("draft", lambda s, who: op.save_draft(actor=who, **_words(s)), OFFICERS),
    "add_attachment": (
        "draft", lambda s, who: op.add_attachment(actor=who, name="a.pdf", content=PDF, **s.given()), OFFICERS,
    ),
    "submit_report": ("draft", lambda s, who: op.submit_report(actor=who, **_words(s)), OFFICERS),
    "draw_auditor": (
        "submitted", lambda s, who: op.draw_auditor(actor=who, **s.given()),
        frozenset({"manager", "supervisor", "system"}),
    ),
    "accept_audit": ("assigned", lambda s, who: op.accept_audit(actor=who, **s.given()), NOBODY),
    "decline_audit": ("assigned", lambda s, who: op.decline_audit(actor=who, reason="x", **s.given()), NOBODY),
    "add_finding": (
        "under_audit",
        lambda s, who: op.add_finding(actor=who, severity="minor", title="x", text="y", **s.given()), NOBODY,
    ),
    "remove_finding": (
        "under_audit", lambda s, who: op.remove_finding(actor=who, finding=_finding(s), now=LATER), NOBODY,
    ),
    "resolve_finding": (
        "under_audit", lambda s, who: op.resolve_finding(actor=who, finding=_finding(s), now=LATER), NOBODY,
    ),
    "check_sample": (
        "under_audit",
        lambda s, who: op.check_sample(
            actor=who, item=SampleItem.objects.filter(audit__report=s.report)[0], result="fine", now=LATER
        ),
        NOBODY,
    ),
    "say_about_finding": (
        "under_audit",
        lambda s, who: op.say_about_finding(actor=who, finding=_finding(s), text="x", now=LATER),
        frozenset({"project_officer", "manager"}),
    ),
    "return_report": ("under_audit", lambda s, who: op.return_report(actor=who, reason="x", **s.given()), NOBODY),
    "give_opinion": (
        "under_audit",
        lambda s, who: op.give_opinion(actor=who, opinion="unqualified", text="x", **s.given()), NOBODY,
    ),
    "reply_finding": (
        "audited", lambda s, who: op.reply_finding(actor=who, finding=_finding(s), reply="x", now=LATER),
        frozenset({"project_officer", "manager"}),
    ),
    "publish_report": (
        "audited", lambda s, who: op.publish_report(actor=who, **s.given()), frozenset({"manager"}),
    ),
    "order_correction": (
        "published",
        lambda s, who: op.order_correction(actor=who, report=s.again(), reason="有一笔记错", now=LATER),
        frozenset({"supervisor"}),
    ),
    "start_correction": (
        "published", lambda s, who: op.start_correction(actor=who, reason="x", **s.given()), OFFICERS,
    ),
    "extend_duty": (
        "draft",
        lambda s, who: op.extend_duty(
            actor=who, duty=s.report.duty, until=s.report.duty.due_on.replace(year=2028), reason="x", now=LATER
        ),
        frozenset({"supervisor"}),
    ),
}  # fmt: skip


def _state(report: Report) -> tuple[object, ...]:
    one = Report.objects.values_list("status", "revision", "narrative", "sha256").get(pk=report.pk)
    return (
        *one, Report.objects.count(), ReportStatusChange.objects.count(), ReportAttachment.objects.count(),
        list(Finding.objects.values_list("text", "reply", "resolved_at", "messages")),
        list(Audit.objects.values_list("opinion", "declined_at")), SampleItem.objects.exclude(result="").count(),
        list(Duty.objects.order_by("pk").values_list("pk", "extended_due_on")),
    )  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_step_by_every_wrong_hand(step: str) -> None:
    until, act, right = STEPS[step]
    stage = build(until)
    before = _state(stage.report)
    let = []
    for name, who in stage.others.items():
        try:
            with transaction.atomic():
                act(stage, who)
                let.append(name)
                raise _Undo
        except (*REFUSED, _Undo):
            pass
        assert _state(stage.report) == before, (step, name)
    assert set(let) == right, step


class _Undo(Exception):
    """Takes a step back that went through, so that the next hand meets the same state."""


def test_the_drawn_auditor_does_nothing_else_and_not_without_the_role() -> None:
    stage = build("under_audit")
    for step in (
        "save_draft",
        "submit_report",
        "publish_report",
        "reply_finding",
        "draw_auditor",
        "extend_duty",
    ):
        with pytest.raises(REFUSED), transaction.atomic():
            STEPS[step][1](stage, stage.auditor)
    without = replace(stage.auditor, grants=frozenset())
    half = replace(stage.auditor, mfa=False)
    for who in (without, half):
        for step in ("add_finding", "return_report", "give_opinion"):
            with pytest.raises(REFUSED), transaction.atomic():
                STEPS[step][1](stage, who)


def test_one_person_never_has_both_hands() -> None:
    """The drafter who is a manager too doesn't publish, and an auditor who works for the organization isn't drawn."""
    stage = build("audited")
    officer = stage.city.people["officer"]
    both = replace(
        officer, grants=officer.grants | {Grant("manager", "organization", stage.city.organization.pk)}
    )
    with pytest.raises(SameHands), transaction.atomic():
        op.publish_report(actor=both, **stage.given())
    manager = stage.city.people["manager"]
    assert op.publish_report(actor=manager, **stage.given()).status == "published"
