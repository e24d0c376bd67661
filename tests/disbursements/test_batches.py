"""Batches: the bank's answers count once and only as asked; an account that changed never gets the old approval."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile

import pytest

from apps.casework.operations import change_bank_account
from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.disbursements import files, operations
from apps.disbursements.bank_files import BadResultFile, PayLine, read_results, write_csv
from apps.disbursements.errors import BankAccountChanged, BankFileFrozen, NotInBatch
from apps.disbursements.files import export_batch
from apps.disbursements.models import Batch, Disbursement
from apps.disbursements.operations import LineOutcome
from apps.disbursements.states import Layout
from apps.ledger.models import Allocation, Entry, LotBalance
from apps.publication.models import AidItem
from tests import world as w

pytestmark = pytest.mark.django_db
LATER = w.NOW + dt.timedelta(hours=1)


def released(city: w.World, *amounts: int) -> tuple[Batch, list[Disbursement]]:
    w.give(city, sum(amounts) + 100_000)
    items = [
        w.approve(city, w.apply_aid(city, w.household(city, n), fen))
        for n, fen in enumerate(amounts, start=1)
    ]
    return release(city, items), items


def release(city: w.World, items: list[Disbursement], now: dt.datetime = w.NOW) -> Batch:
    return operations.release_batch(
        actor=city.people["cashier"],
        organization=city.organization,
        disbursement_ids=[i.pk for i in items],
        now=now,
    )


def record(city: w.World, batch: Batch, *outcomes: LineOutcome) -> Batch:
    return operations.record_results(
        actor=city.people["cashier"], batch=batch, outcomes=outcomes, effective_at=w.NOW, now=w.NOW
    )


def move_account(city: w.World, item: Disbursement, now: dt.datetime = LATER) -> None:
    assert item.household is not None
    change_bank_account(
        actor=city.people["caseworker_shiqiao"], household=item.household, bank_name="另一银行",
        bank_account="6222999999999999", now=now,
    )  # fmt: skip


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        [LineOutcome(1, 10_000, True), LineOutcome(1, 10_000, True)],
        [LineOutcome(1, 9_999, True)],
        [LineOutcome(3, 10_000, True)],
        [LineOutcome(1, 10_000, True), LineOutcome(2, 10_000, True)],
    ],
)
def test_results_that_do_not_fit_record_nothing(outcomes: list[LineOutcome]) -> None:
    city = w.build()
    batch, _items = released(city, 10_000, 20_000)
    with pytest.raises(NotInBatch):
        record(city, batch, *outcomes)
    assert Entry.objects.filter(kind="payment").count() == 0


def test_the_same_results_again_change_nothing_and_others_are_refused() -> None:
    city = w.build()
    batch, items = released(city, 10_000, 20_000)
    answers = [LineOutcome(1, 10_000, True), LineOutcome(2, 20_000, False, "账号不符")]
    assert record(city, batch, *answers).finished_at
    record(city, batch, *answers)
    assert Entry.objects.filter(kind="payment").count() == 1
    assert {i.status for i in Disbursement.objects.filter(pk=items[0].pk)} == {"paid"}
    with pytest.raises(NotInBatch):
        record(city, batch, LineOutcome(1, 10_000, False))
    with pytest.raises(NotInBatch):
        record(city, batch, LineOutcome(2, 20_000, True))


def test_a_changed_account_re_opens_approval() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.approve(city, w.apply_aid(city, w.household(city, 1), 10_000))
    move_account(city, item)
    with pytest.raises(BankAccountChanged):
        release(city, [item], LATER)
    operations.reopen_approval(actor=city.people["cashier"], disbursement=item, reason="账户更换", now=LATER)
    with pytest.raises(DomainError):
        release(city, [item], LATER)
    operations.approve_disbursement(
        actor=city.people["manager"], disbursement=item, answers=w.ANSWERS, now=LATER
    )
    release(city, [item], LATER)


def test_an_account_changed_while_paying_never_reaches_the_bank_file() -> None:
    """Released first, changed then, exported last: the approval was for the old account."""
    city = w.build()
    batch, items = released(city, 10_000)
    assert "62220000" in export(city, batch)
    move_account(city, items[0])
    with pytest.raises(BankAccountChanged):
        export(city, batch)
    # The way on: the line is answered as returned, the approval re-opened, and a new batch made.
    record(city, batch, LineOutcome(1, 10_000, False, "账户更换"))
    operations.reopen_approval(
        actor=city.people["cashier"], disbursement=items[0], reason="账户更换", now=LATER
    )
    operations.approve_disbursement(
        actor=city.people["manager"], disbursement=items[0], answers=w.ANSWERS, now=LATER
    )
    assert "6222999999999999" in export(city, release(city, items, LATER))


def test_a_bank_file_is_the_same_every_time_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be written anew must be what was written first, else somebody holds two files of one batch (P4)."""
    city = w.build()
    batch, _items = released(city, 10_000)
    first = export(city, batch)
    assert export(city, batch) == first
    real = files.WRITERS["csv"]
    monkeypatch.setitem(files.WRITERS, "csv", lambda *args: real(*args) + b"\r\n")
    with pytest.raises(BankFileFrozen):
        export(city, batch)
    monkeypatch.setitem(files.WRITERS, "csv", real)
    assert export(city, batch) == first


def export(city: w.World, batch: Batch) -> str:
    made = export_batch(actor=city.people["cashier"], batch=batch, kind="csv", now=LATER)
    return made.decode("utf-8-sig")


def test_a_returned_payment_gives_back_to_the_same_lots() -> None:
    city = w.build()
    item = released(city, 30_000)[1][0]
    record(city, Batch.objects.get(), LineOutcome(1, 30_000, True))
    before = dict(Allocation.objects.filter(kind="spent").values_list("lot", "amount"))
    left = dict(LotBalance.objects.values_list("lot", "remaining"))
    w.undo(city, item, "returned", now=LATER)
    negative = dict(Allocation.objects.filter(kind="spent", amount__lt=0).values_list("lot", "amount"))
    assert negative == {lot: -amount for lot, amount in before.items()} != {}
    for lot, amount in before.items():
        assert LotBalance.objects.get(lot=lot).remaining == left[lot] + amount
    assert AidItem.objects.filter(dropped=True).count() == 2
    item.refresh_from_db()
    second = release(city, [item], LATER)
    record(city, second, LineOutcome(1, 30_000, True))
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


def test_cells_that_start_a_formula_are_text_in_the_bank_file() -> None:
    rows = [
        PayLine("B-1", 1, start + "HYPERLINK(1)", "银行", "6222", "1.00", "A-1")
        for start in "=+-@\t\r＝＋－＠"
    ]
    for layout in Layout.values:
        made = write_csv(layout, rows, w.NOW).decode("utf-8-sig")
        for line in list(csv.reader(io.StringIO(made)))[1:]:
            assert line[2].startswith("'"), (layout, line)


def test_result_files_that_want_to_hurt() -> None:
    head = "批次,行号,金额,结果,说明\n"
    for line in ("B-1," + "9" * 5000 + ",1.00,成功,", "B-1,1,1e3,成功,", "B-1,1,-1,成功,", "B-2,1,1,成功,"):
        with pytest.raises(BadResultFile):
            read_results((head + line).encode(), batch_number="B-1", currency="CNY", layout="general")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b" " * (80 * 1024 * 1024))
    assert len(bomb.getvalue()) < 1024 * 1024
    with pytest.raises(BadResultFile) as refused:
        read_results(bomb.getvalue(), batch_number="B-1", currency="CNY", layout="general")
    assert "MB" in str(refused.value.message)
