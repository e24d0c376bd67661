"""Who may do which of the four steps (P1, P2, P8). That they are four different people, the database holds as well."""

from __future__ import annotations

from apps.casework.models import Household
from apps.core.actors import Actor
from apps.core.policies import policy
from apps.disbursements.models import Disbursement
from apps.disbursements.states import Kind
from apps.funds.models import MicroFund, Project


@policy("disbursements.apply_for_aid")
def can_apply_for_aid(actor: Actor, household: Household) -> bool:
    return actor.has("caseworker", "town", household.town_id)


@policy("disbursements.apply_for_expense")
def can_apply_for_expense(actor: Actor, project: Project) -> bool:
    """An officer of the organization that runs the project: the federation, or its executing partner."""
    return _runs(actor, project, "project_officer")


@policy("disbursements.see_disbursement")
def can_see(actor: Actor, disbursement: Disbursement) -> bool:
    organization = disbursement.project.fund.organization_id
    town = disbursement.town_id
    return (
        any(
            actor.has(role, "organization", organization)
            for role in ("project_officer", "manager", "cashier")
        )
        or (
            town is not None
            and any(actor.has(role, "town", town) for role in ("caseworker", "town_reviewer"))
        )
        or (
            disbursement.kind == Kind.EXPENSE
            and (
                _runs(actor, disbursement.project, "project_officer")
                or _saw_delivery(actor, disbursement.project)
            )
        )
    )


@policy("disbursements.verify_disbursement")
def can_verify(actor: Actor, disbursement: Disbursement) -> bool:
    """Aid: the town's reviewer. Expense: another officer, or a caseworker of the project's town who saw
    the delivery."""
    if disbursement.kind == Kind.AID:
        assert disbursement.town_id is not None
        return actor.has("town_reviewer", "town", disbursement.town_id)
    return _runs(actor, disbursement.project, "project_officer") or _saw_delivery(actor, disbursement.project)


@policy("disbursements.approve_disbursement")
def can_approve(actor: Actor, disbursement: Disbursement) -> bool:
    """A manager of the organization whose book it is, never the partner's."""
    return actor.has("manager", "organization", disbursement.project.fund.organization_id)


@policy("disbursements.release_batch")
def can_release(actor: Actor, organization_id: int) -> bool:
    return actor.has("cashier", "organization", organization_id)


@policy("disbursements.reopen_changed")
def can_reopen_changed(actor: Actor) -> bool:
    """The site itself, when a family's account changed; the cashier has `release_batch`."""
    return actor.is_system


@policy("disbursements.confirm_disbursement")
def can_confirm(actor: Actor, disbursement: Disbursement) -> bool:
    return disbursement.town_id is not None and actor.has("caseworker", "town", disbursement.town_id)


@policy("disbursements.ask_transfer")
def can_ask_transfer(actor: Actor, fund: MicroFund) -> bool:
    organization = fund.organization_id
    return actor.has("project_officer", "organization", organization) or actor.has(
        "cashier", "organization", organization
    )


@policy("disbursements.approve_transfer")
def can_approve_transfer(actor: Actor, fund: MicroFund) -> bool:
    return actor.has("manager", "organization", fund.organization_id)


def _runs(actor: Actor, project: Project, role: str) -> bool:
    organizations = {project.fund.organization_id, project.partner_id}
    return any(actor.has(role, "organization", each) for each in organizations if each is not None)


def _saw_delivery(actor: Actor, project: Project) -> bool:
    return project.town_id is not None and actor.has("caseworker", "town", project.town_id)


@policy("disbursements.send_code")
def can_send_code(actor: Actor, disbursement: Disbursement) -> bool:
    """The town's caseworker, or the task that sends codes when money was paid."""
    return actor.is_system or can_confirm(actor, disbursement)


@policy("disbursements.answer_code")
def can_answer_code(actor: Actor) -> bool:
    """Whoever holds the link and the code: a family has no account."""
    return True


@policy("disbursements.ask_undo")
def can_ask_undo(actor: Actor, disbursement: Disbursement) -> bool:
    """Cashier or manager of the organization whose book it is."""
    organization = disbursement.project.fund.organization_id
    return any(actor.has(role, "organization", organization) for role in ("cashier", "manager"))


@policy("disbursements.decide_undo")
def can_decide_undo(actor: Actor, disbursement: Disbursement) -> bool:
    return can_ask_undo(actor, disbursement)


@policy("disbursements.draft_rule")
def can_draft_rule(actor: Actor, organization_id: int) -> bool:
    return any(actor.has(role, "organization", organization_id) for role in ("project_officer", "manager"))


@policy("disbursements.publish_rule")
def can_publish_rule(actor: Actor, organization_id: int) -> bool:
    return actor.has("manager", "organization", organization_id)
