"""Who may write, audit and publish reports (D4). The drawn auditor is one person, not a role."""

from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy
from apps.disclosures.models import Duty, Report
from apps.funds.models import Project


def organizations_of(project: Project) -> set[int]:
    """This will give the organization whose book it is and the partner that runs the project."""
    return {each for each in (project.fund.organization_id, project.partner_id) if each is not None}


def _works_for(actor: Actor, project: Project, role: str) -> bool:
    return any(actor.has(role, "organization", each) for each in organizations_of(project))


@policy("disclosures.write_report")
def can_write(actor: Actor, project: Project) -> bool:
    """A project officer of the organization, or of the partner that runs the project."""
    return _works_for(actor, project, "project_officer")


@policy("disclosures.see_report")
def can_see(actor: Actor, report: Report) -> bool:
    """The organizations' officers and managers, the drawn auditor, the supervisor; the public once published."""
    return (
        _works_for(actor, report.project, "project_officer")
        or _works_for(actor, report.project, "manager")
        or actor.has("supervisor")
        or is_drawn(actor, report)
    )


@policy("disclosures.draw_auditor")
def can_draw(actor: Actor, report: Report) -> bool:
    """The system does it by itself; a manager or the supervisor may ask for it again when nobody was eligible."""
    return actor.is_system or actor.has("supervisor") or _works_for(actor, report.project, "manager")


@policy("disclosures.audit_report")
def can_audit(actor: Actor, report: Report) -> bool:
    return is_drawn(actor, report)


@policy("disclosures.publish_report")
def can_publish(actor: Actor, report: Report) -> bool:
    """A manager of the organization or of its partner, and never the person who drafted it."""
    return _works_for(actor, report.project, "manager") and actor.person_id != report.drafted_by_id


@policy("disclosures.reply_finding")
def can_reply(actor: Actor, report: Report) -> bool:
    return _works_for(actor, report.project, "project_officer") or _works_for(
        actor, report.project, "manager"
    )


@policy("disclosures.extend_duty")
def can_extend(actor: Actor, duty: Duty) -> bool:
    return actor.has("supervisor")


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
