"""Who may write, audit and publish reports (D4). The drawn auditor is one person, not a role."""

from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy
from apps.disclosures.models import Duty, Report


def organizations_of(record: Duty | Report) -> set[int]:
    """This will give who answers for a duty or report: the organization whose book it is and the partner that runs the
    project, or the organization itself."""
    if record.project is None:
        return {record.organization_id}
    owners = (record.project.fund.organization_id, record.project.partner_id)
    return {each for each in owners if each is not None}


def _works_for(actor: Actor, record: Duty | Report, role: str) -> bool:
    return any(actor.has(role, "organization", each) for each in organizations_of(record))


@policy("disclosures.write_report")
def can_write(actor: Actor, duty: Duty) -> bool:
    """A project officer of the organization, or of the partner that runs the project."""
    return _works_for(actor, duty, "project_officer")


@policy("disclosures.see_report")
def can_see(actor: Actor, report: Report) -> bool:
    """The organizations' officers and managers, the drawn auditor, the supervisor; the public once published."""
    return (
        _works_for(actor, report, "project_officer")
        or _works_for(actor, report, "manager")
        or actor.has("supervisor")
        or is_drawn(actor, report)
    )


@policy("disclosures.draw_auditor")
def can_draw(actor: Actor, report: Report) -> bool:
    """The system does it by itself; a manager or the supervisor may ask for it again when nobody was eligible."""
    return actor.is_system or actor.has("supervisor") or _works_for(actor, report, "manager")


@policy("disclosures.audit_report")
def can_audit(actor: Actor, report: Report) -> bool:
    return is_drawn(actor, report)


@policy("disclosures.see_vouchers")
def can_see_vouchers(actor: Actor, report: Report) -> bool:
    """The payments behind a report, one by one and without names: only the drawn auditor, and the supervisor."""
    return is_drawn(actor, report) or actor.has("supervisor")


@policy("disclosures.publish_report")
def can_publish(actor: Actor, report: Report) -> bool:
    """A manager of the organization or of its partner, and never the person who drafted it."""
    return _works_for(actor, report, "manager") and actor.person_id != report.drafted_by_id


@policy("disclosures.reply_finding")
def can_reply(actor: Actor, report: Report) -> bool:
    return _works_for(actor, report, "project_officer") or _works_for(actor, report, "manager")


@policy("disclosures.discuss_finding")
def can_discuss(actor: Actor, report: Report) -> bool:
    """The drawn auditor, and those who answer for the report."""
    return is_drawn(actor, report) or can_reply(actor, report)


@policy("disclosures.extend_duty")
def can_extend(actor: Actor, duty: Duty) -> bool:
    return actor.has("supervisor")


@policy("disclosures.change_duty_kind")
def can_change_kind(actor: Actor) -> bool:
    """The law's table is the supervisor's."""
    return actor.has("supervisor")


@policy("disclosures.order_correction")
def can_order_correction(actor: Actor, report: Report) -> bool:
    return actor.has("supervisor")


@policy("disclosures.declare_occurrence")
def can_declare(actor: Actor, organization: int) -> bool:
    """A manager or project officer of the organization (id)."""
    return actor.has("manager", "organization", organization) or actor.has(
        "project_officer", "organization", organization
    )


def is_drawn(actor: Actor, report: Report) -> bool:
    """This will tell whether the actor is the auditor who was drawn and still holds the role."""
    if actor.person_id is None:
        return False
    return any(
        audit.auditor_id == actor.person_id
        and audit.declined_at is None
        and actor.has("auditor", "audit_firm", audit.firm_id)
        for audit in report.audits.all()
    )  # fmt: skip
