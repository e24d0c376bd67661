"""Making a batch's bank file: accounts are read through the logged door, and its content is fixed by its hash."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.casework.operations import open_bank_details
from apps.core.actors import Actor
from apps.core.canonical import sha256_hex
from apps.core.errors import NotFound
from apps.core.money import Money
from apps.core.policies import authorize
from apps.disbursements import policies
from apps.disbursements.bank_files import PayLine, write_csv, write_xlsx
from apps.disbursements.errors import BankFileFrozen, NothingToPay
from apps.disbursements.models import BankFile, Batch
from apps.disbursements.operations.paying import check_accounts
from apps.disbursements.states import LineResult

WRITERS = {"csv": write_csv, "xlsx": write_xlsx}


@transaction.atomic
def export_batch(*, actor: Actor, batch: Batch, kind: str, now: dt.datetime) -> bytes:
    """This will write a batch's bank file as csv or xlsx, every line of it; each family's account read leaves its
    access row (C2). The first one fixes the content by its hash: asked for again, the same bytes come or nothing.

    Raises NothingToPay when every line is answered, BankFileFrozen once the bank has answered a part or the content
    would differ, BankAccountChanged when an account is no longer the one that was approved: the line is then
    answered as returned and its approval re-opened.
    """
    locked = Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    authorize(policies.can_release, actor, locked.organization_id)
    if kind not in WRITERS:
        raise NotFound()
    lines = list(locked.lines.select_related("disbursement__household").order_by("n"))
    waiting = [line for line in lines if line.result == LineResult.WAITING]
    if not waiting:
        raise NothingToPay()
    if len(waiting) < len(lines):
        # A second file of what is left could be paid beside the first.
        raise BankFileFrozen()
    check_accounts([line.disbursement for line in lines])
    rows = []
    for line in lines:
        item = line.disbursement
        payee = (item.payee_name, item.payee_bank, item.payee_account)
        if item.household is not None:
            bank = open_bank_details(
                actor=actor, household=item.household, organization_id=locked.organization_id,
                reason=f"bank file {locked.number}", now=now,
            )  # fmt: skip
            payee = (bank["name"], bank["bank_name"], bank["bank_account"])
        amount = str(Money(line.amount, locked.currency).major)
        rows.append(PayLine(locked.number, line.n, *payee, amount, item.number))
    content = WRITERS[kind](locked.layout, rows, locked.released_at)
    digest = sha256_hex(content)
    file, _created = BankFile.objects.get_or_create(
        batch=locked, kind=kind, defaults={"sha256": digest, "made_by": actor.person_id, "made_at": now}
    )
    if file.sha256 != digest:
        raise BankFileFrozen()
    return content
