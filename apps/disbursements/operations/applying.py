from __future__ import annotations

import datetime as dt
import secrets

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Household
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.transitions import note_status
from apps.disbursements import policies
from apps.disbursements.models import Disbursement, DisbursementStatusChange
from apps.disbursements.states import Kind
from apps.funds.models import BudgetLine, Project
from apps.funds.queries import project_earmarks
from apps.publication.privacy import check_publishable


class WrongBudgetLine(BadInput):
    code = "wrong_budget_line"
    message = _("这个预算科目不能用在这里：要属于该项目，救助金用救助科目，项目支出用其他科目。")
    field = "budget_line"


class InvoiceKnown(BadInput):
    code = "invoice_known"
    message = _("同一收款方的这张发票已经申请过。请核对发票号码。")
    field = "invoice_number"


@transaction.atomic
def apply_for_aid(
    *, actor: Actor, project: Project, household: Household, budget_line: BudgetLine, money: Money, purpose: str,
    need: str, now: dt.datetime,
) -> Disbursement:  # fmt: skip
    """This will apply for a family's aid (P1, C6): the first of four steps. `purpose` may become public and passes the
    privacy check, `need` stays inside."""
    authorize(policies.can_apply_for_aid, actor, household)
    if not need.strip():
        raise BadInput(_("请写明家庭的困难和核实情况。"), field="need")
    return _apply(
        actor, project, budget_line, money, purpose, now, kind=Kind.AID, household=household, town_id=household.town_id,
        need=need.strip(),
    )  # fmt: skip


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
    return disbursement
