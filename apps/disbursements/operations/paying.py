"""The fourth step: a cashier releases a batch, the bank answers line by line."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.casework.queries import bank_changed_since
from apps.core.actors import Actor
from apps.core.clock import civil_day, month_of
from apps.core.crash import crash_point
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disbursements import policies
from apps.disbursements.errors import BankAccountChanged, NothingToPay, NotInBatch
from apps.disbursements.events import DisbursementPaid, DisbursementReturned
from apps.disbursements.models import Batch, BatchLine, Disbursement, DisbursementStatusChange
from apps.disbursements.operations.deciding import check_four_eyes, purpose_of
from apps.disbursements.states import FORWARD, Kind, LineResult, Status
from apps.ledger.operations import pay_reservation
from apps.ledger.operations.folding import lock_earmarks
from apps.organizations.models import Organization
from apps.publication.releases import lock_earmark, note_aid, publish_expense


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """The bank's answer to a line: paid, or returned with the bank's words."""

    n: int
    amount: int
    paid: bool
    note: str = ""


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
        check_four_eyes(row, actor, "payer")
        assert row.approved_at is not None
        if row.household_id and bank_changed_since(row.household_id, row.approved_at):
            raise BankAccountChanged()
    batch = Batch.objects.create(
        number=f"B-{civil_day(now):%m%d}-{secrets.token_hex(3)}", organization=organization,
        released_by_id=actor.person_id, released_at=now, currency=rows[0].currency, total=sum(r.amount for r in rows),
    )  # fmt: skip
    for row in rows:
        move(row, Status.PAYING, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
             reason=batch.number, payer_id=actor.person_id, attempts=row.attempts + 1)  # fmt: skip
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

    Raises NotInBatch for a line that is not in the batch, twice in the file, or of another amount.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("organization").get(pk=batch.pk)
    authorize(policies.can_release, actor, batch.organization_id)
    lines = {line.n: line for line in batch.lines.all()}
    _check_outcomes(lines, outcomes)
    rows = {row.pk: row for row in _lock_all([lines[outcome.n].disbursement_id for outcome in outcomes])}
    # All earmarks at once, in id order, before the first payment: two batches can't wait for each other.
    lock_earmarks(row.earmark_id for row in rows.values())
    for earmark in sorted({row.earmark_id for row in rows.values()}):
        lock_earmark(earmark)
    for outcome in sorted(outcomes, key=lambda each: lines[each.n].disbursement_id):
        line = lines[outcome.n]
        if line.result == LineResult.WAITING:
            _answer(actor, rows[line.disbursement_id], line, outcome, effective_at, now)
    if not batch.lines.filter(result=LineResult.WAITING).exists():
        batch.finished_at = now
        batch.save(update_fields=["finished_at"])
    crash_point("disbursements.results_recorded")
    return batch


def _answer(
    actor: Actor,
    row: Disbursement,
    line: BatchLine,
    outcome: LineOutcome,
    effective_at: dt.datetime,
    now: dt.datetime,
) -> None:
    line.result = LineResult.PAID if outcome.paid else LineResult.RETURNED
    line.bank_note, line.settled_at = outcome.note[:160], now
    line.save(update_fields=["result", "bank_note", "settled_at"])
    if not outcome.paid:
        move(row, Status.RETURNED, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
             reason=outcome.note)  # fmt: skip
        publish(DisbursementReturned(disbursement_id=row.pk))
        return
    entry = pay_reservation(
        actor=actor, purpose=purpose_of(row), key=f"disbursement:{row.pk}:pay:{row.attempts}",
        cost=row.budget_line.cost, budget_line=row.budget_line_id, now=now, effective_at=effective_at,
    )  # fmt: skip
    move(row, Status.PAID, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
         reason=line.batch.number, paid_at=effective_at, entry=entry.pk)  # fmt: skip
    show_payment(row, entry.pk, row.amount, effective_at)
    publish(DisbursementPaid(disbursement_id=row.pk))


def show_payment(row: Disbursement, entry: int, amount: int, effective_at: dt.datetime) -> None:
    """This will hand a booked payment (or its return, negative) to the public door: aid to the gate,
    expenses at once."""
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


def _check_outcomes(lines: Mapping[int, BatchLine], outcomes: Sequence[LineOutcome]) -> None:
    numbers = [outcome.n for outcome in outcomes]
    if not outcomes or len(set(numbers)) != len(numbers):
        raise NotInBatch()
    for outcome in outcomes:
        line = lines.get(outcome.n)
        if line is None or line.amount != outcome.amount:
            raise NotInBatch()
        said = LineResult.PAID if outcome.paid else LineResult.RETURNED
        if line.result not in (LineResult.WAITING, said):
            raise NotInBatch()
