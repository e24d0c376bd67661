"""Receipts in kind and for offline gifts, and the numbers of all of them (G10)."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from apps.core.errors import BadInput, PermissionRefused
from apps.core.money import Money
from apps.donations import operations
from apps.donations.documents import receipt_context
from apps.donations.models import Gift, GiftList, Receipt, ReceiptLine, ReceiptRange
from apps.donations.operations import GoodsLine
from apps.donations.operations.in_kind import AlreadyAnswered, SameForm
from apps.donations.operations.issuing import issue_offline_receipts
from apps.donations.operations.numbering import NoReceiptNumbers, draw_numbers
from apps.donations.operations.receipts import RangesMeet
from tests import world as w
from tests.donations import lists

QUILTS = GoodsLine("棉被", "床", Decimal("120"), Money(8_850), "invoice")
RICE = GoodsLine("大米", "千克", Decimal("2.505"), Money(333), "market", "https://price.example/rice")


def goods(city: w.World, key: str = "k", **changed: Any) -> Receipt:
    lines = changed.pop("lines", [QUILTS, RICE])
    total = changed.pop("total", Money(sum(line.value.minor for line in lines)))
    plain: dict[str, Any] = {
        "actor": city.people["cashier"], "key": key, "payer": "石桥织布厂", "received_on": w.NOW.date(),
        "now": w.NOW,
    }  # fmt: skip
    return operations.issue_in_kind_receipt(**{**plain, **changed}, lines=lines, total=total)


def recorded(city: w.World, text: str = lists.SLICE) -> GiftList:
    found = lists.load(city, text).gift_list
    assert found is not None
    return found


@pytest.mark.django_db
def test_goods_get_a_receipt_with_their_lines_and_basis() -> None:
    city = w.build()
    receipt = goods(city, remark="第三批")
    assert (receipt.amount, receipt.item, receipt.gift) == (1_062_000 + 834, "棉被等2项", None)
    assert receipt.remark == "实物捐赠，2026-11-23收到。第三批" and receipt.issued_by == "cashier"
    shown = receipt_context(receipt)
    assert [(line["quantity"], line["amount"], line["basis"]) for line in shown["lines"]] == [
        ("120", 1_062_000, "发票"), ("2.505", 834, "市场价：https://price.example/rice"),
    ]  # fmt: skip
    assert shown["capitals"] == "人民币壹万零陆佰贰拾捌元叁角肆分"
    with pytest.raises(SameForm):
        goods(city, remark="第三批")
    assert Receipt.objects.count() == 1 and ReceiptRange.objects.get().next == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changed",
    [
        {"total": Money(1)},
        {"payer": " "},
        {"payer_code": "123"},
        {"received_on": dt.date(2026, 11, 24)},
        {"lines": [], "total": Money(0)},
        {"lines": [QUILTS] * 21},
        {"lines": [GoodsLine("米", "袋", Decimal("0"), Money(100), "invoice")]},
        {"lines": [GoodsLine("米", "袋", Decimal("1.0001"), Money(100), "invoice")]},
        {"lines": [GoodsLine("米", "袋", Decimal("0.001"), Money(100), "invoice")]},
        {"lines": [GoodsLine("米", "袋", Decimal("1"), Money(100), "market")]},
        {"lines": [GoodsLine("米", "袋", Decimal("1"), Money(100), "guess")]},
        {"lines": [GoodsLine("", "袋", Decimal("1"), Money(100), "invoice")]},
    ],
)
def test_goods_badly_described_change_nothing(changed: dict[str, Any]) -> None:
    city = w.build()
    with pytest.raises(BadInput):
        goods(city, **changed)
    assert not Receipt.objects.exists() and ReceiptRange.objects.get().next == 1


@pytest.mark.django_db
def test_only_a_cashier_issues() -> None:
    city = w.build()
    for who in ("officer", "manager", "supervisor"):
        with pytest.raises(PermissionRefused):
            goods(city, actor=city.people[who])


@pytest.mark.django_db
def test_a_receipt_of_goods_is_answered_in_red_once_line_by_line() -> None:
    city = w.build()
    receipt = goods(city)
    with pytest.raises(BadInput):
        operations.answer_in_kind_receipt(
            actor=city.people["cashier"], receipt=receipt, reason=" ", now=w.NOW
        )
    red = operations.answer_in_kind_receipt(
        actor=city.people["cashier2"], receipt=receipt, reason="数量写错", now=w.NOW
    )
    assert red.amount == -receipt.amount and "0000000001" in red.remark and "数量写错" in red.remark
    assert [line.quantity for line in red.lines.all()] == [-120, Decimal("-2.505")]
    for again in (receipt, red):
        with pytest.raises((AlreadyAnswered, BadInput)):
            operations.answer_in_kind_receipt(
                actor=city.people["cashier"], receipt=again, reason="x", now=w.NOW
            )
    assert ReceiptRange.objects.get().next == 3


def _line(receipt: Receipt, **changed: Any) -> ReceiptLine:
    plain: dict[str, Any] = {
        "receipt": receipt, "n": 1, "item": "米", "unit": "袋", "quantity": Decimal("2"), "places": 0,
        "unit_value": 50, "amount": 100, "basis": "invoice",
    }  # fmt: skip
    return ReceiptLine(**{**plain, **changed})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ("receipt_lines_add_up", []),
        ("receipt_lines_add_up", [{}, {"n": 2}]),
        ("receipt_line_once", [{"quantity": Decimal(1), "amount": 50}] * 2),
        ("receipt_line_multiplies", [{"unit_value": 49}]),
        ("receipt_line_places", [{"quantity": Decimal("2.5"), "unit_value": 40}]),
        ("receipt_line_names_its_source", [{"basis": "appraisal"}]),
    ],
)
def test_the_database_holds_the_rules_of_lines(rule: str, lines: list[dict[str, Any]]) -> None:
    w.build()
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        receipt = Receipt.objects.create(kind="in_kind", code="44990126", number="0000000009", item="米", amount=100,
                                         currency="CNY", issued_at=w.NOW)  # fmt: skip
        ReceiptLine.objects.bulk_create(_line(receipt, **line) for line in lines)
        _now_rather_than_at_commit()


def _now_rather_than_at_commit() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.django_db
def test_lines_cannot_be_added_later_or_to_a_receipt_of_money() -> None:
    city = w.build()
    _now_rather_than_at_commit()
    for receipt in (goods(city), w.give(city, 100).receipt):
        with pytest.raises(IntegrityError, match="the lines of receipt"), transaction.atomic():
            _line(receipt, n=9).save()
            _now_rather_than_at_commit()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changed",
    [{"kind": "money"}, {"kind": "in_kind", "amount": -1}, {"kind": "in_kind", "amount": 0}],
)
def test_a_receipt_gives_or_answers(changed: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="receipt_gives_or_answers"), transaction.atomic():
        Receipt.objects.create(**{"code": "44990126", "number": "0000000009", "item": "米", "amount": 100,
                                  "currency": "CNY", "issued_at": w.NOW, **changed})  # fmt: skip


@pytest.mark.django_db
def test_goods_are_answered_by_goods() -> None:
    city = w.build()
    receipt = goods(city)
    with pytest.raises(IntegrityError, match="another kind"), transaction.atomic():
        Receipt.objects.create(code="44990126", number="0000000009", item="米", amount=-100, answers=receipt,
                               currency="CNY", issued_at=w.NOW)  # fmt: skip


@pytest.mark.django_db
def test_ranges_are_kept_apart() -> None:
    city = w.build()
    cashier = city.people["cashier"]
    again = operations.assign_receipt_range(actor=cashier, code="44990126", first=1, last=999_999)
    assert ReceiptRange.objects.get() == again
    for first, last in ((999_999, 1_000_010), (1, 5), (5, 9)):
        with pytest.raises(RangesMeet):
            operations.assign_receipt_range(actor=cashier, code="44990126", first=first, last=last)
    operations.assign_receipt_range(actor=cashier, code="44990126", first=1_000_000, last=1_000_001)
    operations.assign_receipt_range(actor=cashier, code="44990127", first=1, last=10)
    with pytest.raises(IntegrityError, match="receipt_ranges_apart"), transaction.atomic():
        ReceiptRange.objects.create(code="44990127", first=10, last=20, next=10)


@pytest.mark.django_db
def test_numbers_go_on_in_the_next_range_and_none_is_drawn_when_they_are_short() -> None:
    city = w.build()
    ReceiptRange.objects.update(next=999_998)
    operations.assign_receipt_range(actor=city.people["cashier"], code="44990127", first=5, last=6)
    assert draw_numbers(3) == [
        ("44990126", "0000999998"), ("44990126", "0000999999"), ("44990127", "0000000005"),
    ]  # fmt: skip
    with pytest.raises(NoReceiptNumbers), transaction.atomic():
        draw_numbers(2)
    assert draw_numbers(1) == [("44990127", "0000000006")]


@pytest.mark.django_db
def test_offline_gifts_with_a_name_get_receipts_on_demand() -> None:
    city = lists.city_of_2020()
    found = recorded(city, lists.SLICE.replace("3,2020.01.24,乙\t", "3,2020.01.24,"))
    cashier = city.people["cashier"]
    keys = list(Gift.objects.filter(payer="甲").values_list("offline_key", flat=True))
    (one,) = issue_offline_receipts(actor=cashier, gift_list=found, keys=keys, now=w.NOW)
    assert (one.payer, one.amount, one.remark, one.issued_by) == ("甲", 10_000, "2020-01-23收到", "cashier")
    assert one.item == city.project.name and one.issued_at == w.NOW
    rest = issue_offline_receipts(actor=cashier, gift_list=found, now=w.NOW)
    named = Gift.objects.exclude(payer="").count()
    assert len(rest) + 1 == named == Receipt.objects.count() < Gift.objects.count()
    with pytest.raises(BadInput):
        issue_offline_receipts(actor=cashier, gift_list=found, now=w.NOW)
    with pytest.raises(PermissionRefused):
        issue_offline_receipts(actor=city.people["officer"], gift_list=found, now=w.NOW)


def test_numbers_have_no_gap_whoever_draws_them(committed_db: Any) -> None:
    """Sixteen threads at once: online gifts, goods, red letters and two cashiers on the same offline list."""
    city = lists.city_of_2020()
    found = recorded(city)
    first = [goods(city, key=f"first-{n}") for n in range(4)]
    for n in range(8):
        gift = w.open_gift(city, 10_000 + n)
        w.pay(gift)
    start = threading.Barrier(16)
    failed: list[Exception] = []

    def run(n: int) -> None:
        start.wait()
        try:
            if n < 4:
                goods(city, key=f"goods-{n % 3}")
            elif n < 8:
                operations.answer_in_kind_receipt(
                    actor=city.people["cashier"], receipt=first[n % 3], reason="错", now=w.NOW
                )
            elif n < 12:
                issue_offline_receipts(actor=city.people["cashier"], gift_list=found, now=w.NOW)
            else:
                w.work()
        except (SameForm, AlreadyAnswered, BadInput) as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    w.work()
    numbers = sorted(int(number) for number in Receipt.objects.values_list("number", flat=True))
    # 4 + 3 of goods (one form came twice), 3 red (one was asked twice), 4 offline, 8 online.
    assert numbers == list(range(1, 4 + 3 + 3 + 4 + 8 + 1)), failed
    assert ReceiptRange.objects.get().next == len(numbers) + 1
    assert len(failed) == 1 + 1 + 3
