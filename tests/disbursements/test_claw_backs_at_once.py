"""Parts of one payment clawed back at the same moment never sum to more than it."""

from __future__ import annotations

from django.db import IntegrityError, connection, transaction

from apps.ledger.errors import MoreThanPaid
from apps.ledger.models import EarmarkBalance, Entry
from apps.ledger.operations import give_back_part
from tests import world as w
from tests.faults.test_concurrency import in_threads


def test_two_at_once_never_claw_back_more_than_was_paid(committed_db: None) -> None:
    """Many at once through the ledger's lock; and two by hand, past every lock, in SQL."""
    city = w.build()
    w.give(city, 100_000)
    item = w.help_family(city, 1, 10_000)
    payment = Entry.objects.get(pk=item.entry)

    def part(n: int) -> bool:
        try:
            give_back_part(actor=w.SETUP, entry=payment, amount=3_000, key=f"at once {n}", effective_at=w.NOW)
        except MoreThanPaid:
            return False
        return True

    assert sorted(in_threads(8, part), key=bool) == [False] * 5 + [True] * 3
    assert EarmarkBalance.objects.get(earmark=city.earmark).spent == 1_000
    other = w.help_family(city, 2, 10_000)

    def by_hand(n: int) -> str:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    """INSERT INTO disbursements_undo (disbursement_id, kind, reason, amount, asked_by_id, asked_at,
                         decided_by_id, decided_at, agreed, entry) VALUES (%s, 'clawback', 'x', 6000, %s, now(), %s,
                         now(), true, 1)""",
                    [other.pk, city.people["cashier"].person_id, city.people["cashier2"].person_id],
                )
                cursor.execute(
                    "UPDATE disbursements_disbursement SET clawed_back = clawed_back + 6000 WHERE id = %s",
                    [other.pk],
                )
        except IntegrityError as error:
            return str(error)
        return ""

    [won, lost] = sorted(in_threads(2, by_hand))
    assert won == "" and "clawed_back_within_paid" in lost
