"""The fourth step: a cashier releases a batch, the bank answers line by line."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day, month_of
from apps.core.crash import crash_point
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.money import Money, format_money
from apps.core.policies import authorize
from apps.core.transitions import check_move, move_many
from apps.disbursements import policies
from apps.disbursements.accounts_held import hold_accounts
from apps.disbursements.errors import BankAccountChanged, NothingToPay, NotInBatch
from apps.disbursements.events import DisbursementPaid, DisbursementReturned
from apps.disbursements.models import BankLayout, Batch, BatchLine, Disbursement, DisbursementStatusChange
from apps.disbursements.operations.deciding import check_payer, purpose_of
from apps.disbursements.states import FORWARD, Kind, Layout, LineResult, Status
from apps.ledger.operations import Payment, pay_reservations
from apps.ledger.operations.folding import lock_earmarks
from apps.organizations.models import Organization
from apps.publication.releases import AidPayment, lock_gates, note_aid, note_payments, publish_expense


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """The bank's answer to a line: paid, or returned with the bank's words."""

    n: int
    amount: int
    paid: bool
    note: str = ""
    row: int = 0
    """The row of the result file, for its errors; 0 for a line marked by hand."""


@transaction.atomic
def release_batch(
    *, actor: Actor, organization: Organization, disbursement_ids: Sequence[int], now: dt.datetime
) -> Batch:
    """This will put approved (or returned) payments into a batch and copy the cashier as payer onto each row, before
    any bank file exists (P2, P4). One currency a batch.

    Raises FourEyes, WrongState, BankAccountChanged (use reopen_approval), NothingToPay.
    """
    authorize(policies.can_release, actor, organization.pk)
    rows = _lock_all(disbursement_ids)
    rows = [row for row in rows if row.project.fund.organization_id == organization.pk]
    if not rows or len({row.currency for row in rows}) != 1 or len(rows) != len(set(disbursement_ids)):
        raise NothingToPay()
    assert actor.person_id is not None
    for row in rows:
        check_move(row, Status.PAYING, FORWARD)
    check_payer(rows, actor)
    check_accounts(rows)
    layout = layout_of(organization.pk)
    batch = Batch.objects.create(
        number=f"B-{civil_day(now):%m%d}-{secrets.token_hex(3)}", organization=organization,
        released_by_id=actor.person_id, released_at=now, currency=rows[0].currency, total=sum(r.amount for r in rows),
        layout=layout,
    )  # fmt: skip
    for row in rows:
        row.payer_id, row.attempts = actor.person_id, row.attempts + 1
    move_many(rows, Status.PAYING, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
              reasons={row.pk: batch.number for row in rows}, fields=("payer", "attempts"))  # fmt: skip
    BatchLine.objects.bulk_create(
        BatchLine(batch=batch, n=n, disbursement=row, amount=row.amount)
        for n, row in enumerate(rows, start=1)
    )
    crash_point("disbursements.batch_released")
    return batch


@transaction.atomic
def record_results(
    *,
    actor: Actor,
    batch: Batch,
    outcomes: Sequence[LineOutcome],
    effective_at: dt.datetime,
    now: dt.datetime,
) -> Batch:
    """This will record the bank's answers to a batch, all or nothing: each line becomes paid (ledger
    entry, allocations,
    public step) or returned (its money stays reserved). Lines already answered the same way are left alone.

    A file may hold a part of the lines, in any order. Raises NotInBatch with every line that is not in the batch, twice
    in the file, of another amount, or answered otherwise before.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("organization").get(pk=batch.pk)
    authorize(policies.can_release, actor, batch.organization_id)
    lines = {line.n: line for line in batch.lines.select_related("batch")}
    _check_outcomes(batch, lines, outcomes)
    rows = {row.pk: row for row in _lock_all([lines[outcome.n].disbursement_id for outcome in outcomes])}
    # All earmarks at once, in id order, before the first payment: two batches can't wait for each other.
    lock_earmarks(row.earmark_id for row in rows.values())
    lock_gates(row.earmark_id for row in rows.values())
    answers = [
        Answer(rows[lines[outcome.n].disbursement_id], lines[outcome.n], outcome)
        for outcome in outcomes
        if lines[outcome.n].result == LineResult.WAITING
    ]
    answers.sort(key=lambda each: each.row.pk)
    _note_results(answers, now)
    _give_back(actor, [each for each in answers if not each.outcome.paid], now)
    _pay(actor, [each for each in answers if each.outcome.paid], effective_at, now)
    if not batch.lines.filter(result=LineResult.WAITING).exists():
        batch.finished_at = now
        batch.save(update_fields=["finished_at"])
    crash_point("disbursements.results_recorded")
    return batch


@dataclass(frozen=True, slots=True)
class Answer:
    """A line that waited, its payment, and what the bank says of it."""

    row: Disbursement
    line: BatchLine
    outcome: LineOutcome


def _note_results(answers: Sequence[Answer], now: dt.datetime) -> None:
    for each in answers:
        each.line.result = LineResult.PAID if each.outcome.paid else LineResult.RETURNED
        each.line.bank_note, each.line.settled_at = each.outcome.note[:160], now
    BatchLine.objects.bulk_update(
        [each.line for each in answers], ["result", "bank_note", "settled_at"], batch_size=500
    )


def _give_back(actor: Actor, answers: Sequence[Answer], now: dt.datetime) -> None:
    """Returned lines: their money stays reserved."""
    rows = [each.row for each in answers]
    move_many(rows, Status.RETURNED, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
              reasons={each.row.pk: each.outcome.note for each in answers})  # fmt: skip
    publish(*(DisbursementReturned(disbursement_id=row.pk) for row in rows))


def _pay(actor: Actor, answers: Sequence[Answer], effective_at: dt.datetime, now: dt.datetime) -> None:
    """Paid lines, in the order of their applications: ledger, state, public door, event."""
    rows = [each.row for each in answers]
    payments = [
        Payment(
            purpose_of(row),
            f"disbursement:{row.pk}:pay:{row.attempts}",
            row.budget_line.cost,
            row.budget_line_id,
        )
        for row in rows
    ]
    entries = pay_reservations(actor=actor, payments=payments, now=now, effective_at=effective_at)
    for row, entry in zip(rows, entries, strict=True):
        row.paid_at, row.entry = effective_at, entry.pk
    move_many(rows, Status.PAID, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
              reasons={each.row.pk: each.line.batch.number for each in answers},
              fields=("paid_at", "entry"))  # fmt: skip
    month = month_of(effective_at)
    note_payments(
        [
            AidPayment(
                entry=row.entry or 0, disbursement=row.pk, household=row.household_id or 0, earmark=row.earmark_id,
                category=row.category, town=row.town_id or 0, month=month, amount=row.amount, currency=row.currency,
            )
            for row in rows
            if row.kind == Kind.AID
        ]
    )  # fmt: skip
    for row in rows:
        if row.kind != Kind.AID:
            show_payment(row, row.entry or 0, row.amount, effective_at)
    publish(*(DisbursementPaid(disbursement_id=row.pk) for row in rows))


def show_payment(row: Disbursement, entry: int, amount: int, effective_at: dt.datetime) -> None:
    """This will hand a booked payment (or what came back of it, negative) to the public door: aid to the gate, expenses
    at once."""
    if row.kind == Kind.AID:
        assert row.household_id is not None and row.town_id is not None
        note_aid(entry=entry, disbursement=row.pk, household=row.household_id, earmark=row.earmark_id,
                 category=row.category, town=row.town_id, month=month_of(effective_at), amount=amount,
                 currency=row.currency)  # fmt: skip
    else:
        publish_expense(entry=entry, earmark=row.earmark_id, budget_line=row.budget_line_id, category=row.category,
                        purpose=row.purpose, paid_on=civil_day(effective_at), amount=amount,
                        currency=row.currency)  # fmt: skip


def _lock_all(ids: Sequence[int]) -> list[Disbursement]:
    return list(
        Disbursement.objects.select_for_update(of=("self",))
        .select_related("project__fund", "budget_line", "household")
        .filter(pk__in=ids)
        .order_by("id")
    )


def check_accounts(rows: Sequence[Disbursement]) -> None:
    """This will lock the families' bank details and refuse any that are not those approved; raises BankAccountChanged
    naming the payments (P3)."""
    versions = hold_accounts(row.household_id for row in rows)
    changed = [
        row.number
        for row in rows
        if row.household_id and row.approved_account != versions.get(row.household_id, "")
    ]
    if changed:
        raise BankAccountChanged(f"{BankAccountChanged.message} {'、'.join(changed[:20])}")


def layout_of(organization_id: int) -> str:
    """This will give the bank file layout an organization pays with."""
    chosen = BankLayout.objects.filter(organization=organization_id).values_list("layout", flat=True).first()
    return chosen or Layout.GENERAL


@transaction.atomic
def choose_layout(*, actor: Actor, organization: Organization, layout: str, now: dt.datetime) -> BankLayout:
    """This will choose the layout of an organization's later batches; those released keep theirs."""
    authorize(policies.can_release, actor, organization.pk)
    if layout not in Layout.values:
        raise BadInput(field="layout")
    assert actor.person_id is not None
    chosen, _created = BankLayout.objects.update_or_create(
        organization=organization,
        defaults={"layout": layout, "chosen_by_id": actor.person_id, "chosen_at": now},
    )
    return chosen


def _check_outcomes(batch: Batch, lines: Mapping[int, BatchLine], outcomes: Sequence[LineOutcome]) -> None:
    faults: list[str] = []
    seen: dict[int, int] = {}
    for outcome in outcomes:
        line = lines.get(outcome.n)
        said = LineResult.PAID if outcome.paid else LineResult.RETURNED
        words: dict[str, object] = {
            "row": outcome.row or outcome.n,
            "n": outcome.n,
            "first": seen.get(outcome.n, 0),
        }
        if line is None:
            faults.append(str(_("第%(row)s行：批次里没有行号%(n)s。")) % words)
        elif outcome.n in seen:
            faults.append(str(_("第%(row)s行：行号%(n)s已在第%(first)s行出现过。")) % words)
        elif line.amount != outcome.amount:
            words["want"] = format_money(Money(line.amount, batch.currency))
            words["got"] = format_money(Money(outcome.amount, batch.currency))
            faults.append(str(_("第%(row)s行：行号%(n)s应为%(want)s，文件里是%(got)s。")) % words)
        elif line.result not in (LineResult.WAITING, said):
            words["was"] = str(line.get_result_display())
            faults.append(str(_("第%(row)s行：行号%(n)s已记为“%(was)s”，不能改成相反的结果。")) % words)
        seen.setdefault(outcome.n, outcome.row or outcome.n)
    if faults or not outcomes:
        raise NotInBatch(faults)
