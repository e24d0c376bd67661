"""Writes of funds: opening, drafting, filing and running projects, and committing budget lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import add_months, civil_day
from apps.core.errors import BadInput, Conflict, DomainError
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import move, note_status
from apps.funds import policies
from apps.funds.events import ProjectStatusChanged
from apps.funds.models import BudgetLine, MicroFund, Project, ProjectStatusChange
from apps.funds.states import FORWARD, SPENDABLE, ProjectStatus
from apps.ledger.operations import open_book, open_earmark
from apps.ledger.states import FEDERATION_BOOK as FEDERATION_BOOK
from apps.ledger.states import EarmarkKind
from apps.organizations.models import Organization

PLAN_FIELDS = frozenset(
    [
        "slug",
        "partner",
        "name",
        "name_en",
        "summary",
        "summary_en",
        "category",
        "purpose",
        "purpose_en",
        "starts_on",
        "ends_on",
        "area",
        "town",
        "person_in_charge",
        "office_address",
        "phone",
        "beneficiaries",
        "cost_rate_bp",
        "surplus_rule",
        "platform_url",
        "is_emergency",
        "target",
        "currency",
    ]
)
"""The fundraising plan (F2): what a drafter writes and the form checks."""


class PeriodTooLong(BadInput):
    code = "period_too_long"
    message = _("募捐期限最长3年，应急项目最长1年。请把结束日期提前。")
    field = "ends_on"


class FilingNumberMissing(BadInput):
    code = "filing_number_missing"
    message = _("没有备案号不能备案。请填写民政部门给的备案号。")
    field = "filing_number"


class NotYetStarted(Conflict):
    code = "not_yet_started"
    message = _("募捐期限还没到，不能开始募捐。")


class CampaignEnded(Conflict):
    code = "campaign_ended"
    message = _("募捐期限已过，不能再开始募捐。请另报新方案。")


class ReportOverdue(Conflict):
    code = "report_overdue"
    message = _("这家机构有逾期未公布的报告，公布之前不能发起新的募捐。")


class BudgetExceeded(DomainError):
    code = "budget_exceeded"
    message = _("超出这个预算科目。请减少金额，或先办理预算变更。")
    field = "budget_line"


class NotTheFederation(DomainError):
    code = "not_the_federation"
    message = _("微基金只能由慈善总会设立：所有捐赠都进总会的账。其他机构可以作为项目的合作执行方。")


class ReasonMissing(BadInput):
    code = "reason_missing"
    message = _("请写明理由，会记入历史。")
    field = "reason"


@dataclass(frozen=True, slots=True)
class BudgetDraft:
    """A budget line to be: `planned` in minor units."""

    code: str
    name: str
    planned: int
    name_en: str = ""
    cost: str = "programme"
    is_fee_line: bool = False
    is_aid_line: bool = False


@transaction.atomic
def open_fund(*, actor: Actor, organization: Organization, now: dt.datetime, **facts: Any) -> MicroFund:
    """This will open a micro-fund (F1) with its general earmark in the federation's book.

    `facts`: slug, name, category, purpose and the optional fields of MicroFund. Raises NotTheFederation for any other
    organization, whose managers and cashiers must never approve or pay from the federation's book (F1, P9).
    """
    authorize(policies.can_open_fund, actor, organization.pk)
    if not organization.is_federation:
        raise NotTheFederation()
    fund = MicroFund(organization=organization, created_at=now, **facts)
    fund.full_clean()
    fund.save()
    book = open_book(
        code=FEDERATION_BOOK, name=organization.name, currency=fund.currency, owner=organization.pk
    )
    open_earmark(book=book, kind=EarmarkKind.GENERAL, owner=fund.pk, currency=fund.currency)
    return fund


@transaction.atomic
def draft_project(
    *, actor: Actor, fund: MicroFund, budget: Sequence[BudgetDraft], now: dt.datetime, **plan: Any
) -> Project:
    """This will draft a project with its fundraising plan and budget (F2); its earmark opens with it.

    Raises PeriodTooLong above 3 years (1 in an emergency), ValidationError for fields that are missing or wrong.
    """
    authorize(policies.can_draft_project, actor, fund)
    assert actor.person_id is not None
    project = Project(
        fund=fund, currency=fund.currency, created_at=now, drafted_by_id=actor.person_id, **plan
    )
    project.full_clean(
        exclude=[field.name for field in Project._meta.fields if field.name not in PLAN_FIELDS]
    )
    _check_period(project)
    project.save()
    BudgetLine.objects.bulk_create(
        BudgetLine(project=project, code=line.code, name=line.name, name_en=line.name_en, cost=line.cost,
                   planned=line.planned, is_fee_line=line.is_fee_line,
                   is_aid_line=line.is_aid_line)
        for line in budget
    )  # fmt: skip
    note_status(project, "", history=ProjectStatusChange, actor=actor, now=now)
    book = open_book(code=FEDERATION_BOOK, name=fund.organization.name, currency=fund.currency)
    open_earmark(book=book, kind=EarmarkKind.PROJECT, owner=project.pk, currency=fund.currency)
    return project


@transaction.atomic
def submit_project(*, actor: Actor, project: Project, now: dt.datetime) -> Project:
    """This will hand a drafted plan in for review."""
    project = lock_project(project.pk)
    authorize(policies.can_submit_project, actor, project)
    _check_period(project)
    return _move(project, ProjectStatus.IN_REVIEW, actor, now, submitted_at=now)


@transaction.atomic
def file_project(*, actor: Actor, project: Project, filing_number: str, now: dt.datetime) -> Project:
    """This will mark a reviewed plan as filed with the civil-affairs bureau under its filing number (law, CL24)."""
    project = lock_project(project.pk)
    authorize(policies.can_file_project, actor, project)
    if not filing_number.strip():
        raise FilingNumberMissing()
    return _move(project, ProjectStatus.FILED, actor, now, filing_number=filing_number.strip(), filed_at=now,
                 filed_by_id=actor.person_id)  # fmt: skip


@transaction.atomic
def reject_project(*, actor: Actor, project: Project, reason: str, now: dt.datetime) -> Project:
    """This will send a plan back to its drafter with a reason."""
    project = lock_project(project.pk)
    authorize(policies.can_file_project, actor, project)
    return _move(project, ProjectStatus.REJECTED, actor, now, _reason(reason))


@transaction.atomic
def revise_project(*, actor: Actor, project: Project, now: dt.datetime) -> Project:
    """This will reopen a rejected plan as a draft."""
    project = lock_project(project.pk)
    authorize(policies.can_submit_project, actor, project)
    return _move(project, ProjectStatus.DRAFT, actor, now)


@transaction.atomic
def start_raising(*, actor: Actor, project: Project, now: dt.datetime) -> Project:
    """This will open the campaign within its period. Raises ReportOverdue while the organization is late (F7)."""
    project = lock_project(project.pk)
    authorize(policies.can_run_project, actor, project)
    today = civil_day(now)
    if today < project.starts_on:
        raise NotYetStarted()
    if today > project.ends_on:
        raise CampaignEnded()
    late = Project.objects.filter(
        fund__organization=project.fund.organization_id, overdue_since__isnull=False
    )
    owner = Organization.objects.filter(pk=project.fund.organization_id, overdue_since__isnull=False)
    if late.exists() or owner.exists():
        raise ReportOverdue()
    return _move(project, ProjectStatus.RAISING, actor, now, raising_at=now)


@transaction.atomic
def close_raising(*, actor: Actor, project: Project, now: dt.datetime, reason: str = "") -> Project:
    """This will end the campaign: at the target, at the end date, or by the officer."""
    project = lock_project(project.pk)
    authorize(policies.can_run_project, actor, project)
    return _move(project, ProjectStatus.CLOSED, actor, now, reason, closed_at=now)


@transaction.atomic
def start_executing(*, actor: Actor, project: Project, now: dt.datetime) -> Project:
    """This will start the project's work after its campaign."""
    project = lock_project(project.pk)
    authorize(policies.can_run_project, actor, project)
    return _move(project, ProjectStatus.EXECUTING, actor, now, executing_at=now)


@transaction.atomic
def complete_project(*, actor: Actor, project: Project, now: dt.datetime) -> Project:
    """This will mark the project's work as done."""
    project = lock_project(project.pk)
    authorize(policies.can_run_project, actor, project)
    return _move(project, ProjectStatus.COMPLETED, actor, now, completed_at=now)


@transaction.atomic
def suspend_project(*, actor: Actor, project: Project, reason: str, now: dt.datetime) -> Project:
    """This will stop new gifts and approvals with a public reason (F3); approved money may still be paid."""
    project = lock_project(project.pk)
    authorize(policies.can_suspend_project, actor, project)
    return _move(project, ProjectStatus.SUSPENDED, actor, now, _reason(reason), suspended_from=project.status,
                 public_reason=_reason(reason))  # fmt: skip


@transaction.atomic
def resume_project(*, actor: Actor, project: Project, reason: str, now: dt.datetime) -> Project:
    """This will put a suspended project back to the state it was in."""
    project = lock_project(project.pk)
    authorize(policies.can_suspend_project, actor, project)
    back = project.suspended_from or ProjectStatus.FILED
    return _move(project, back, actor, now, _reason(reason), suspended_from="", public_reason="")


def close_ended_campaigns(*, actor: Actor, now: dt.datetime) -> int:
    """This will close the campaigns whose end date has passed (F5; the clock's task). Returns how many."""
    ended = Project.objects.filter(status=ProjectStatus.RAISING, ends_on__lt=civil_day(now)).order_by("id")
    for project in ended:
        close_raising(actor=actor, project=project, now=now, reason=str(_("募捐期限已到")))
    return len(ended)


def lock_project(project_id: int) -> Project:
    """This will lock a project's row for the rest of the transaction; rows that refer to it can still be inserted."""
    return (
        Project.objects.select_for_update(of=("self",), no_key=True).select_related("fund").get(pk=project_id)
    )


def commit_budget(*, line: BudgetLine, amount: int) -> None:
    """This will commit an amount to a budget line, before the earmark is locked; negative gives it back (P8).

    Raises BudgetExceeded; the check constraint stands behind it.
    """
    locked = BudgetLine.objects.select_for_update().get(pk=line.pk)
    locked.committed += amount
    if locked.committed > locked.planned:
        raise BudgetExceeded()
    try:
        with transaction.atomic():
            locked.save(update_fields=["committed"])
    except IntegrityError as error:
        raise BudgetExceeded() from error


def check_spendable(project: Project) -> None:
    """This will refuse new approvals in states that don't allow them (F3)."""
    if project.status not in SPENDABLE:
        raise NotSpendable()


class NotSpendable(Conflict):
    code = "project_not_spendable"
    message = _("项目现在的状态不能批准新的支出。暂停期间只能付已批准的款。")


def note_reports(
    *, project_id: int, last_report_on: dt.date | None, overdue_since: dt.date | None, overdue_count: int
) -> None:
    """This will write down what disclosures knows of a project's reports, so that the give page can show it (F6)."""
    Project.objects.filter(pk=project_id).update(
        last_report_on=last_report_on, overdue_since=overdue_since, overdue_count=overdue_count
    )


def _move(
    project: Project, to: str, actor: Actor, now: dt.datetime, reason: str = "", **fields: Any
) -> Project:
    move(
        project,
        to,
        forward=FORWARD,
        history=ProjectStatusChange,
        actor=actor,
        now=now,
        reason=reason,
        **fields,
    )
    publish(ProjectStatusChanged(project_id=project.pk, status=str(to)))
    return project


def _check_period(project: Project) -> None:
    longest = add_months(project.starts_on, 12 if project.is_emergency else 36)
    if project.ends_on > longest:
        raise PeriodTooLong()


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing()
    return reason.strip()
