from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.casework.models import BlindIndex, Household, Member, PrivateField, Relation
from apps.casework.operations import hold_for_aid
from apps.casework.queries import tier_on
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.clock import add_months, civil_day
from apps.core.errors import BadInput, Conflict
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.transitions import note_status
from apps.disbursements import policies
from apps.disbursements.models import (
    AidedPerson,
    AidPeriod,
    Application,
    Disbursement,
    DisbursementStatusChange,
)
from apps.disbursements.operations.alerting import raise_alerts
from apps.disbursements.operations.flagging import raise_flags
from apps.disbursements.ruling import NoRule, check_evidence, explain_aid, rule_for
from apps.disbursements.states import AidKind, Kind, Status
from apps.funds.models import BudgetLine, Project
from apps.funds.queries import project_earmarks
from apps.publication.privacy import check_publishable

SCHOOL_BEGINS = 9
"""The month in which a school year begins."""


class WrongBudgetLine(BadInput):
    code = "wrong_budget_line"
    message = _("这个预算科目不能用在这里：要属于该项目，救助金用救助科目，项目支出用其他科目。")
    field = "budget_line"


class UseRuleTable(Conflict):
    code = "use_rule_table"
    message = _("这类救助的金额由已发布的标准计算。请用按标准申请的表单。")


class PeriodOverlaps(Conflict):
    code = "period_overlaps"
    message = _("这一家在这段时间已有同类救助的申请。请核对起止日期，或等前一件有结果。")
    field = "starts_on"


class AidedThisYear(Conflict):
    code = "aided_this_year"
    message = _("这位成员本学年已经申请过教育救助（也可能在别的档案里）。每人每学年一次。")
    field = "member"


class StageNotDue(Conflict):
    code = "stage_not_due"
    message = _("下一期还不能申请：前一期付款之后才能申请，或各期都已申请。")


class InvoiceKnown(BadInput):
    code = "invoice_known"
    message = _("同一收款方的这张发票已经申请过。请核对发票号码。")
    field = "invoice_number"


@transaction.atomic
def apply_for_aid(
    *, actor: Actor, project: Project, household: Household, budget_line: BudgetLine, money: Money, purpose: str,
    need: str, staff_relation: str = "", now: dt.datetime,
) -> Disbursement:  # fmt: skip
    """This will apply for a family's aid of an amount somebody judged (P1): the first of four steps. `purpose` may
    become public and passes the privacy check, `need` stays inside; `staff_relation` declares one (P6).

    Raises UseRuleTable where a centre's published table decides the amount (C6): then `apply_by_rule`; Erased,
    NoConsent where the family's file doesn't carry an application.
    """
    authorize(policies.can_apply_for_aid, actor, household)
    household = hold_for_aid(household)
    if rule_for(project, civil_day(now)) is not None:
        raise UseRuleTable()
    if not need.strip():
        raise BadInput(_("请写明家庭的困难和核实情况。"), field="need")
    return _apply(
        actor, project, budget_line, money, purpose, now, kind=Kind.AID, household=household, town_id=household.town_id,
        need=need.strip(), staff_relation=staff_relation.strip()[:120],
    )  # fmt: skip


@transaction.atomic
def apply_by_rule(
    *, actor: Actor, project: Project, household: Household, budget_line: BudgetLine, facts: Mapping[str, Any],
    member: Member | None, starts_on: dt.date, ends_on: dt.date, attachments: Sequence[int], purpose: str, need: str,
    staff_relation: str = "", now: dt.datetime,
) -> Disbursement:  # fmt: skip
    """This will apply for aid whose amount the centre's table in force gives for the facts (C6). The explanation, the
    facts and the version are frozen with the application; the first stage is the disbursement returned.

    `facts` as `rules.explain` takes them; education's period is its school year whatever dates are given; `attachments`
    are ids in the family's own file. Raises NoRule, FactsMissing, NothingDue, EvidenceMissing, PeriodOverlaps,
    AidedThisYear, Erased, NoConsent.
    """
    authorize(policies.can_apply_for_aid, actor, household)
    if not need.strip():
        raise BadInput(_("请写明家庭的困难和核实情况。"), field="need")
    rule = rule_for(project, civil_day(now))
    if rule is None:
        raise NoRule()
    household = hold_for_aid(household)
    facts, starts_on, ends_on = _facts(
        rule.kind, facts, household, member, starts_on, ends_on, civil_day(now)
    )
    made = explain_aid(rule, household, facts, civil_day(now))
    used = check_evidence(rule, 1, household, member, attachments)
    application = Application.objects.create(
        rule=rule, kind=rule.kind, household=household, member=member, facts=facts, lines=made.frozen(),
        amount=made.amount, stages=made.stages, starts_on=starts_on, ends_on=ends_on, attachments=used, applied_at=now,
    )  # fmt: skip
    _take_period(application)
    if rule.kind == AidKind.EDUCATION and member is not None:
        _take_year(application, member, starts_on.year)
    return _apply(
        actor, project, budget_line, Money(made.stages[0], project.currency), purpose, now, kind=Kind.AID,
        household=household, town_id=household.town_id, need=need.strip(), application=application,
        staff_relation=staff_relation.strip()[:120],
    )  # fmt: skip


@transaction.atomic
def apply_for_stage(
    *, actor: Actor, application: Application, attachments: Sequence[int], need: str, now: dt.datetime
) -> Disbursement:
    """This will apply for the next instalment of an application once the one before is paid and its photos are in the
    file (C6). Raises StageNotDue, EvidenceMissing, Erased, NoConsent."""
    household = Household.objects.get(pk=application.household_id)
    authorize(policies.can_apply_for_aid, actor, household)
    household = hold_for_aid(household)
    earlier = list(
        application.disbursements.exclude(status=Status.REJECTED)
        .select_related("project", "budget_line")
        .order_by("stage")
    )
    stage = len(earlier) + 1
    paid = all(row.status in (Status.PAID, Status.CONFIRMED) for row in earlier)
    if not earlier or not paid or stage > len(application.stages):
        raise StageNotDue()
    check_evidence(application.rule, stage, household, application.member, attachments)
    first = earlier[0]
    return _apply(
        actor, first.project, first.budget_line, Money(application.stages[stage - 1], first.currency), first.purpose,
        now, kind=Kind.AID, household=household, town_id=household.town_id, need=need.strip() or first.need,
        application=application, stage=stage, staff_relation=first.staff_relation,
    )  # fmt: skip


def _facts(
    kind: str, facts: Mapping[str, Any], household: Household, member: Member | None, starts_on: dt.date,
    ends_on: dt.date, today: dt.date,
) -> tuple[dict[str, Any], dt.date, dt.date]:  # fmt: skip
    """What the file itself says comes from the file: the family's tier on the day of asking, the member's schooling."""
    told = dict(facts)
    if kind == AidKind.TEMPORARY:
        told["tier"] = tier_on(household, today)
    if kind == AidKind.EDUCATION:
        if member is None or member.household_id != household.pk or member.left_at is not None:
            raise BadInput(_("请选择这一家在读的成员。"), field="member")
        told["level"] = member.schooling
        year = starts_on.year if starts_on.month >= SCHOOL_BEGINS else starts_on.year - 1
        return told, dt.date(year, SCHOOL_BEGINS, 1), dt.date(year + 1, SCHOOL_BEGINS, 1)
    if not starts_on < ends_on <= add_months(starts_on, 24):
        raise BadInput(_("起止日期不对：结束要晚于开始，最长两年。"), field="ends_on")
    return told, starts_on, ends_on


def _take_period(application: Application) -> None:
    family = application.household_id
    if application.member_id is not None and application.kind == AidKind.EDUCATION:
        family = application.member_id
    try:
        with transaction.atomic():
            AidPeriod.objects.create(
                application=application, kind=application.kind, family=family, starts_on=application.starts_on,
                ends_on=application.ends_on,
            )  # fmt: skip
    except IntegrityError as error:
        raise PeriodOverlaps() from error


def _take_year(application: Application, member: Member, year: int) -> None:
    """One grant a member and school year, whatever file the member stands in: by a keyed hash made for this only."""
    rows = BlindIndex.objects.filter(member=member, name=PrivateField.ID_NUMBER)
    if member.relation == Relation.HEAD:
        rows = BlindIndex.objects.filter(
            household=member.household_id, name=PrivateField.ID_NUMBER, member=None
        )
    digest = rows.values_list("digest", flat=True).first() or f"member:{member.pk}"
    try:
        with transaction.atomic():
            AidedPerson.objects.create(
                mark=crypto.blind_index(f"aided:{application.kind}:{year}", digest), application=application
            )
    except IntegrityError as error:
        raise AidedThisYear() from error


@transaction.atomic
def apply_for_expense(
    *, actor: Actor, project: Project, budget_line: BudgetLine, money: Money, purpose: str, payee_name: str,
    payee_bank: str, payee_account: str, invoice_number: str, now: dt.datetime,
) -> Disbursement:  # fmt: skip
    """This will apply for a project expense with its invoice and budget line (P8). Raises InvoiceKnown when the same
    payee's invoice has been applied for before."""
    authorize(policies.can_apply_for_expense, actor, project)
    account = "".join(payee_account.split())
    for field, value in (
        ("payee_name", payee_name),
        ("payee_account", account),
        ("invoice_number", invoice_number),
    ):
        if not value.strip():
            raise BadInput(_("这一项必须填写。"), field=field)
    try:
        with transaction.atomic():
            return _apply(
                actor, project, budget_line, money, purpose, now, kind=Kind.EXPENSE, payee_name=payee_name.strip(),
                payee_bank=payee_bank.strip(), payee_account=account, invoice_number=invoice_number.strip(),
                town_id=project.town_id,
            )  # fmt: skip
    except IntegrityError as error:
        raise InvoiceKnown() from error


def _apply(
    actor: Actor, project: Project, budget_line: BudgetLine, money: Money, purpose: str, now: dt.datetime, *,
    kind: str, **fields: object,
) -> Disbursement:  # fmt: skip
    if budget_line.project_id != project.pk or budget_line.is_aid_line != (kind == Kind.AID):
        raise WrongBudgetLine()
    if money.minor <= 0 or money.currency != project.currency:
        raise BadInput(_("金额要大于零，币种与项目相同。"), field="amount")
    if not purpose.strip():
        raise BadInput(_("请写明用途。"), field="purpose")
    check_publishable(purpose, field="purpose")
    assert actor.person_id is not None
    disbursement = Disbursement.objects.create(
        number=f"{'A' if kind == Kind.AID else 'E'}-{civil_day(now):%y%m}-{secrets.token_hex(3)}", kind=kind,
        project=project, budget_line=budget_line, earmark_id=project_earmarks([project.pk])[project.pk],
        amount=money.minor, currency=money.currency, purpose=purpose.strip(), category=project.category,
        applicant_id=actor.person_id, applied_at=now, **fields,
    )  # fmt: skip
    note_status(disbursement, "", history=DisbursementStatusChange, actor=actor, now=now)
    if disbursement.household is not None:
        raise_alerts(disbursement, now)
    raise_flags(disbursement, now)
    return disbursement
