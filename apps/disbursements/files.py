"""Making a batch's bank file: accounts are read through the logged door, the file's hash is kept with the batch."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.casework.operations import hold_bank_details, open_bank_details
from apps.casework.queries import bank_changed_since
from apps.core.actors import Actor
from apps.core.canonical import sha256_hex
from apps.core.errors import NotFound
from apps.core.money import Money
from apps.core.policies import authorize
from apps.disbursements import policies
from apps.disbursements.bank_files import write_csv, write_xlsx
from apps.disbursements.errors import BankAccountChanged, NothingToPay
from apps.disbursements.models import Batch
from apps.disbursements.states import LineResult

WRITERS = {"csv": write_csv, "xlsx": write_xlsx}


@transaction.atomic
def export_batch(*, actor: Actor, batch: Batch, kind: str, now: dt.datetime) -> bytes:
    """This will write a batch's bank file as csv or xlsx; each family's account read leaves its access row (C2).

    Only lines that wait for the bank's answer are in it. Raises NothingToPay when none does, BankAccountChanged when an
    account is no longer the one that was approved: the line is then answered as returned and its approval re-opened.
    """
    locked = Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    authorize(policies.can_release, actor, locked.organization_id)
    if kind not in WRITERS:
        raise NotFound()
    rows = []
    waiting = (
        locked.lines.filter(result=LineResult.WAITING).select_related("disbursement__household").order_by("n")
    )
    if not waiting:
        raise NothingToPay()
    hold_bank_details(line.disbursement.household_id for line in waiting if line.disbursement.household_id)
    for line in waiting:
        item = line.disbursement
        if item.household is not None:
            assert item.approved_at is not None
            if bank_changed_since(item.household.pk, item.approved_at):
                raise BankAccountChanged()
            bank = open_bank_details(
                actor=actor, household=item.household, organization_id=locked.organization_id,
                reason=f"bank file {locked.number}", now=now,
            )  # fmt: skip
            payee = (bank["name"], bank["bank_name"], bank["bank_account"])
        else:
            payee = (item.payee_name, item.payee_bank, item.payee_account)
        rows.append((locked.number, line.n, *payee, Money(line.amount, locked.currency).major, item.number))
    content = WRITERS[kind](rows)
    locked.file_sha256 = sha256_hex(content)
    locked.save(update_fields=["file_sha256"])
    return content
