"""Who may do what with funds and projects. The federation runs them; partners only report."""

from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy
from apps.funds.models import MicroFund, Project


@policy("funds.open_fund")
def can_open_fund(actor: Actor, organization_id: int) -> bool:
    return actor.is_system or actor.has("manager", "organization", organization_id)


@policy("funds.draft_project")
def can_draft_project(actor: Actor, fund: MicroFund) -> bool:
    return actor.has("project_officer", "organization", fund.organization_id)


@policy("funds.submit_project")
def can_submit_project(actor: Actor, project: Project) -> bool:
    return actor.has("project_officer", "organization", project.fund.organization_id)


@policy("funds.file_project")
def can_file_project(actor: Actor, project: Project) -> bool:
    """A manager of the organization, and never the person who drafted the plan."""
    return (
        actor.has("manager", "organization", project.fund.organization_id)
        and actor.person_id is not None
        and actor.person_id != project.drafted_by_id
    )


@policy("funds.run_project")
def can_run_project(actor: Actor, project: Project) -> bool:
    """Opening and closing the campaign, starting and completing the work; the clock closes campaigns too."""
    organization = project.fund.organization_id
    return (
        actor.is_system
        or actor.has("project_officer", "organization", organization)
        or actor.has("manager", "organization", organization)
    )


@policy("funds.suspend_project")
def can_suspend_project(actor: Actor, project: Project) -> bool:
    return actor.has("supervisor")
