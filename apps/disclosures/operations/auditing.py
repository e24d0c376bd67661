"""The draw, the findings and the signed opinion (D4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from apps.accounts.models import Person
from apps.accounts.queries import people_with, roles_of
from apps.core.actors import Actor
from apps.core.canonical import canonical_json, sha256_hex
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disbursements.models import Disbursement
from apps.disclosures import policies
from apps.disclosures.content import chain_uses, signed_content
from apps.disclosures.errors import (
    FindingKept,
    FindingMissing,
    NoIndependentAuditor,
    NotTheAuditor,
    OpinionMissing,
    ReasonMissing,
)
from apps.disclosures.events import AuditorDrawn, OpinionGiven, ReportReturned, ReportSubmitted
from apps.disclosures.models import (
    Audit,
    Finding,
    FindingMessage,
    Report,
    ReportStatusChange,
    SampleItem,
)
from apps.disclosures.operations.writing import lock_report
from apps.disclosures.sampling import Voucher, digest_of, draw_sample
from apps.disclosures.states import EDITABLE, FORWARD, Opinion, SampleResult, Severity, Status
from apps.organizations.models import AuditFirm
from apps.organizations.queries import independent_firms
from apps.publication.models import AidItem


@transaction.atomic
def draw_auditor(*, actor: Actor, report: Report, now: dt.datetime) -> Audit:
    """This will draw a report's auditor among everybody eligible: auditors of firms without a tie to the organization
    or its partner, who hold no role in either and did not write the report, nor declined it.

    The seed was fixed at submission and its hash is shown from then on; the place is SHA-256(seed:public id:round)
    modulo the number of places, so that anybody can recompute the draw once the seed is published with the report.
    Raises NoIndependentAuditor.
    """
    report = lock_report(report.pk)
    authorize(policies.can_draw, actor, report)
    check_move(report, Status.ASSIGNED, FORWARD)
    if not report.kind.audited:
        raise WrongState()
    places = eligible_auditors(report)
    if not places:
        raise NoIndependentAuditor()
    place = place_of(
        report.draw_seed, report.public_id, Audit.objects.filter(report=report).count(), len(places)
    )
    person, firm = places[place]
    codes = dict(AuditFirm.objects.filter(pk__in=[each for _, each in places]).values_list("pk", "uscc"))
    audit = Audit.objects.create(
        report=report, firm_id=firm, auditor_id=person, drawn_at=now, place=place,
        seed_sha256=sha256_hex(report.draw_seed.encode()), eligible=[codes[each] for _, each in places],
    )  # fmt: skip
    move(report, Status.ASSIGNED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now)
    publish(AuditorDrawn(report_id=report.pk, person_id=person))
    return audit


def eligible_auditors(report: Report) -> list[tuple[int, int]]:
    """This will list (person, firm) of everybody who may be drawn, in order of their ids."""
    organizations = policies.organizations_of(report)
    firms = set(independent_firms(organizations))
    declined = set(
        Audit.objects.filter(report=report, declined_at__isnull=False).values_list("auditor", flat=True)
    )
    return [
        (person, firm)
        for person, firm in people_with("auditor", firms)
        if person != report.drafted_by_id
        and person not in declined
        and not any(
            kind == "organization" and scope in organizations for _role, kind, scope in roles_of(person)
        )
    ]


def place_of(seed: str, public_id: str, attempt: int, count: int) -> int:
    """This will give the drawn place, 0 to count - 1; whoever has the seed can compute it again."""
    return int(sha256_hex(f"{seed}:{public_id}:{attempt}".encode()), 16) % count


@transaction.atomic
def accept_audit(*, actor: Actor, report: Report, now: dt.datetime) -> Report:
    """This will begin the audit, by the drawn auditor, and draw the payments to look at: the seed was fixed at
    submission with the uses, so nobody chose them. Raises NotTheAuditor for everybody else."""
    report = _mine(actor, report)
    move(report, Status.UNDER_AUDIT, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now)
    audit = live_audit(report)
    vouchers = vouchers_of(report)
    audit.population, audit.population_sha256 = len(vouchers), digest_of(vouchers)
    audit.save(update_fields=["population", "population_sha256"])
    known = set(audit.sample.values_list("entry", flat=True))
    drawn = [
        each for each in draw_sample(report.draw_seed, report.public_id, vouchers) if each.entry not in known
    ]
    SampleItem.objects.bulk_create(
        SampleItem(
            audit=audit, rank=rank, entry=each.entry, disbursement=each.disbursement, amount=each.amount
        )
        for rank, each in enumerate(drawn, start=len(known) + 1)
    )
    return report


def vouchers_of(report: Report) -> list[Voucher]:
    """This will list the payments behind the uses that a report stands on, by entry."""
    uses = list(chain_uses(report))
    aid = AidItem.objects.filter(
        Q(release__in=[use.release_id for use in uses if use.release_id])
        | Q(residual__in=[use.residual_id for use in uses if use.residual_id])
    )
    found = [Voucher(*row) for row in aid.values_list("entry", "disbursement", "amount")]
    paid = {use.expense.entry: use.expense.amount for use in uses if use.expense}
    rows = dict(Disbursement.objects.filter(entry__in=paid).values_list("entry", "pk"))
    found += [Voucher(entry, rows[entry], amount) for entry, amount in paid.items() if entry in rows]
    return sorted(found, key=lambda each: each.entry)


@transaction.atomic
def check_sample(
    *, actor: Actor, item: SampleItem, result: str, now: dt.datetime, note: str = ""
) -> SampleItem:
    """This will write down what the auditor found at a drawn payment; a fault says what. Raises ReasonMissing."""
    report = _mine(actor, item.audit.report)
    _check_status(report, Status.UNDER_AUDIT)
    if result == SampleResult.FAULT and not note.strip():
        raise ReasonMissing()
    item.result, item.note, item.checked_at = SampleResult(result), note.strip()[:300], now
    item.save(update_fields=["result", "note", "checked_at"])
    return item


@transaction.atomic
def decline_audit(*, actor: Actor, report: Report, reason: str, now: dt.datetime) -> Report:
    """This will give a draw back, for a conflict of interest that no register knows; another is drawn."""
    report = _mine(actor, report)
    check_move(report, Status.SUBMITTED, FORWARD)
    if not reason.strip():
        raise ReasonMissing()
    audit = live_audit(report)
    audit.declined_at, audit.decline_reason = now, reason.strip()[:300]
    audit.save(update_fields=["declined_at", "decline_reason"])
    move(
        report,
        Status.SUBMITTED,
        forward=FORWARD,
        history=ReportStatusChange,
        actor=actor,
        now=now,
        reason=reason,
    )
    publish(ReportSubmitted(report_id=report.pk))
    return report


@transaction.atomic
def add_finding(
    *, actor: Actor, report: Report, severity: str, title: str, text: str, now: dt.datetime
) -> Finding:
    """This will write down a finding during the audit."""
    report = _mine(actor, report)
    _check_status(report, Status.UNDER_AUDIT)
    if not title.strip() or not text.strip():
        raise FindingMissing()
    return Finding.objects.create(
        report=report,
        severity=Severity(severity),
        title=title.strip()[:80],
        text=text.strip(),
        written_at=now,
    )


@transaction.atomic
def remove_finding(*, actor: Actor, finding: Finding, now: dt.datetime) -> None:
    """This will take a finding back before the opinion is signed; one that was talked about is kept (FindingKept)."""
    report = _mine(actor, finding.report)
    _check_status(report, Status.UNDER_AUDIT)
    if finding.messages.exists():
        raise FindingKept()
    Finding.objects.filter(pk=finding.pk).delete()


@transaction.atomic
def resolve_finding(*, actor: Actor, finding: Finding, now: dt.datetime) -> Finding:
    """This will mark a finding as settled during the audit; it is published as such."""
    report = _mine(actor, finding.report)
    _check_status(report, Status.UNDER_AUDIT)
    finding.resolved_at = now
    finding.save(update_fields=["resolved_at"])
    return finding


@transaction.atomic
def say_about_finding(*, actor: Actor, finding: Finding, text: str, now: dt.datetime) -> FindingMessage:
    """This will add to a finding's thread: the drawn auditor, or the organization's officers and managers, while the
    report is under audit or returned. Nothing said is taken back; it is not published."""
    report = lock_report(finding.report_id)
    authorize(policies.can_discuss, actor, report)
    assert actor.person_id is not None
    if report.status != Status.UNDER_AUDIT and report.status not in EDITABLE:
        raise WrongState()
    if not text.strip():
        raise ReasonMissing()
    return FindingMessage.objects.create(
        finding=finding, person_id=actor.person_id, label=actor.label[:80], text=text.strip()[:2000],
        by_auditor=policies.is_drawn(actor, report),
    )  # fmt: skip


@transaction.atomic
def return_report(*, actor: Actor, report: Report, reason: str, now: dt.datetime) -> Report:
    """This will send a report back to its writer with a reason; it comes back to the same auditor."""
    report = _mine(actor, report)
    if not reason.strip():
        raise ReasonMissing()
    move(report, Status.RETURNED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now,
         reason=reason.strip())  # fmt: skip
    publish(ReportReturned(report_id=report.pk))
    return report


@transaction.atomic
def give_opinion(*, actor: Actor, report: Report, opinion: str, text: str, now: dt.datetime) -> Audit:
    """This will sign the opinion: person, time, and the SHA-256 of exactly what was audited.

    Raises FindingMissing when an opinion that is not unqualified has no material finding, OpinionMissing without words.
    """
    report = _mine(actor, report)
    check_move(report, Status.AUDITED, FORWARD)
    if opinion not in Opinion.values or not text.strip():
        raise OpinionMissing()
    findings: Sequence[Finding] = list(report.findings.all())
    if opinion != Opinion.UNQUALIFIED and not any(
        each.severity == Severity.MATERIAL and each.resolved_at is None for each in findings
    ):
        raise FindingMissing()
    audit = live_audit(report)
    audit.opinion, audit.opinion_text, audit.signed_at = opinion, text.strip(), now
    audit.signed_name = Person.objects.get(pk=audit.auditor_id).display_name[:80]
    audit.signed_sha256 = sha256_hex(canonical_json(signed_content(report, audit)))
    audit.save(update_fields=["opinion", "opinion_text", "signed_at", "signed_name", "signed_sha256"])
    move(
        report,
        Status.AUDITED,
        forward=FORWARD,
        history=ReportStatusChange,
        actor=actor,
        now=now,
        reason=opinion,
    )
    publish(OpinionGiven(report_id=report.pk, opinion=opinion))
    return audit


@transaction.atomic
def reply_finding(*, actor: Actor, finding: Finding, reply: str, now: dt.datetime) -> Finding:
    """This will answer a finding between the opinion and the publication; both become public."""
    report = lock_report(finding.report_id)
    authorize(policies.can_reply, actor, report)
    _check_status(report, Status.AUDITED)
    finding.reply = reply.strip()
    finding.save(update_fields=["reply"])
    return finding


def live_audit(report: Report) -> Audit:
    """This will give the draw that counts; raises Audit.DoesNotExist before it."""
    return Audit.objects.select_related("firm").get(report=report, declined_at=None)


def _mine(actor: Actor, report: Report) -> Report:
    locked = lock_report(report.pk)
    if not policies.can_audit(actor, locked):
        raise NotTheAuditor()
    authorize(policies.can_audit, actor, locked)
    return locked


def _check_status(report: Report, wanted: str) -> None:
    if report.status != wanted:
        raise WrongState()
