"""Receipts for goods: inventory says that a consignment was accepted, donations issues the receipt. The two rooms stand
on one floor and don't know each other, so the word is passed on here (docs/adr/0007-receipts-of-goods.md)."""

from __future__ import annotations

import datetime as dt

from apps.core.actors import Actor, system
from apps.core.money import Money
from apps.donations.operations import GoodsLine, issue_in_kind_receipt
from apps.donations.operations.in_kind import MOST_LINES
from apps.inventory.events import GoodsAccepted
from apps.inventory.operations import note_receipts
from apps.inventory.queries import receipt_wish

ACTOR: Actor = system("goods.receipts")


def issue_receipts_of_goods(event: GoodsAccepted, *, now: dt.datetime) -> None:
    """This will issue the receipts of an accepted consignment, up to twenty lines each, when its giver asked for one
    and its goods have a value. Safe to repeat: a consignment that notes its receipts gets no others."""
    wish = receipt_wish(event.consignment_id)
    if wish is None:
        return
    numbers = []
    for n, start in enumerate(range(0, len(wish.lines), MOST_LINES)):
        lines = [
            GoodsLine(
                item=line["item"], unit=line["unit"], quantity=round(line["quantity"], line["places"]),
                unit_value=Money(line["unit_value"]), basis=line["basis"], basis_source=line["basis_source"],
            )
            for line in wish.lines[start : start + MOST_LINES]
        ]  # fmt: skip
        receipt = issue_in_kind_receipt(
            actor=ACTOR, key=f"goods:{event.consignment_id}:{n}", payer=wish.payer, payer_code=wish.payer_code,
            received_on=wish.received_on, lines=lines, total=Money(sum(line.value.minor for line in lines)), now=now,
        )  # fmt: skip
        numbers.append(receipt.number)
    note_receipts(actor=ACTOR, consignment_id=event.consignment_id, numbers=numbers)
