"""A changed bank account re-opens approval, also within one instant and also when both happen at once (P3)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, connections, transaction

from apps.casework.operations import change_bank_account
from apps.disbursements import operations
from apps.disbursements.errors import BankAccountChanged
from apps.disbursements.models import Batch, Disbursement
from apps.disbursements.operations.paying import check_accounts
from tests import world as w


def change(city: w.World, item: Disbursement, account: str) -> None:
    assert item.household is not None
    change_bank_account(
        actor=city.people["caseworker_shiqiao"], household=item.household, bank_name="另一银行", bank_account=account,
        now=w.NOW,
    )  # fmt: skip


def release(city: w.World, item: Disbursement) -> Batch:
    return operations.release_batch(
        actor=city.people["cashier"], organization=city.organization, disbursement_ids=[item.pk], now=w.NOW
    )


@pytest.mark.django_db
def test_changed_in_the_very_instant_of_the_approval() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.apply_aid(city, w.household(city, 1), 10_000)
    change(city, item, "6222111111111111")
    w.approve(city, item)
    change(city, item, "6222999999999999")
    with pytest.raises(BankAccountChanged) as refused:
        release(city, item)
    assert item.number in str(refused.value.message), "says which one"
    assert not Batch.objects.exists()


@pytest.mark.django_db
def test_changed_back_and_forth_is_changed() -> None:
    """The same account again, sealed anew: nobody can say it was never away, so it is approved again."""
    city = w.build()
    w.give(city, 100_000)
    item = w.approve(city, w.apply_aid(city, w.household(city, 1), 10_000))
    change(city, item, "6222999999999999")
    change(city, item, "6222000000000001")
    with pytest.raises(BankAccountChanged):
        release(city, item)
    operations.reopen_approval(actor=city.people["cashier"], disbursement=item, reason="账户更换", now=w.NOW)
    operations.approve_disbursement(
        actor=city.people["manager"], disbursement=item, answers=w.ANSWERS, now=w.NOW
    )
    release(city, item)


def test_changing_waits_for_whoever_pays_and_the_other_way_round(committed_db: Any) -> None:
    """Eight rounds of one who releases and one who changes the account, let go together: either the change came first
    and nothing is paid, or it waited and the batch holds the account that was approved."""
    city = w.build()
    w.give(city, 1_000_000)
    seen = set()
    for n in range(8):
        item = w.approve(city, w.apply_aid(city, w.household(city, n + 1), 10_000))
        barrier, outcomes = threading.Barrier(2), dict[str, str]()

        def run(name: str, act: Any, barrier: Any = barrier, outcomes: Any = outcomes) -> None:
            try:
                barrier.wait(10)
                act()
                outcomes[name] = "done"
            except BankAccountChanged:
                outcomes[name] = "refused"
            finally:
                connections.close_all()

        def pay(item: Disbursement = item) -> None:
            release(city, item)

        def move(item: Disbursement = item, n: int = n) -> None:
            change(city, item, f"62229999{n:08d}")

        threads = [threading.Thread(target=run, args=pair) for pair in (("pay", pay), ("change", move))]
        for each in threads:
            each.start()
        for each in threads:
            each.join(30)
        item.refresh_from_db()
        assert outcomes["change"] == "done"
        assert (outcomes["pay"] == "done") == (item.status == "paying")
        seen.add(outcomes["pay"])
    assert seen <= {"done", "refused"}


def test_the_account_is_locked_from_the_check_to_the_end(committed_db: Any) -> None:
    """Red without the lock: the check would pass and the account change before the batch is committed."""
    city = w.build()
    w.give(city, 100_000)
    item = w.approve(city, w.apply_aid(city, w.household(city, 1), 10_000))
    with transaction.atomic():
        check_accounts([item])
        with committed_db.connect() as other:
            row = other.execute(
                "SELECT count(*) FROM (SELECT 1 FROM casework_household WHERE id = %s FOR UPDATE SKIP LOCKED) AS free",
                [item.household_id],
            ).fetchone()
            assert row[0] == 0
    assert connection.get_autocommit()
