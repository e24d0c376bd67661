"""docs/accounting.md's worked examples, done by the operations and compared line by line."""

from __future__ import annotations

import datetime as dt
import pathlib
import re
from collections.abc import Callable

import pytest

from apps.core.actors import system
from apps.core.money import Money
from apps.ledger import operations as ledger
from apps.ledger.models import AccountCode, Earmark, Entry
from apps.ledger.operations import Credit
from tests.world import NOW

pytestmark = pytest.mark.django_db
ACTOR = system("tests")
TEXT = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "accounting.md").read_text()
Line = tuple[str, str, str]


def examples() -> dict[str, list[Line]]:
    """{heading: [(code, earmark kind, amount)]} of the worked examples."""
    found = {}
    for part in TEXT.split("\n### ")[1:]:
        heading, _, rest = part.partition("\n")
        rows = re.findall(r"^\| (\d{4}) \| (\w*) ?\| (-?[\d.]+) \|$", rest, re.MULTILINE)
        found[heading.strip()] = [(code, mark, amount) for code, mark, amount in rows]
    return found


def mark(kind: str, owner: int = 1) -> Earmark:
    book = ledger.open_book(code="federation", name="总会")
    return ledger.open_earmark(book=book, kind=kind, owner=owner)


def gift(earmark: Earmark, fen: int, origin: int) -> Entry:
    at = NOW + dt.timedelta(seconds=origin)
    pk = ledger.post_credit(
        actor=ACTOR, credit=Credit(f"g{origin}", earmark.pk, fen, at, origin, "wechat_pay")
    )
    return Entry.objects.get(pk=pk)


def paid(earmark: Earmark, fen: int) -> Entry:
    ledger.reserve(earmark=earmark.pk, amount=fen, purpose="d:1", now=NOW)
    return ledger.pay_reservation(actor=ACTOR, purpose="d:1", key="p", cost="programme", budget_line=1, now=NOW,
                                  effective_at=NOW)  # fmt: skip


def fee(earmark: Earmark, fen: int) -> Entry:
    return ledger.post_fee(actor=ACTOR, earmark=earmark.pk, origin=1, amount=fen, key="fee", effective_at=NOW,
                           channel="wechat_pay")  # fmt: skip


def a_gift() -> Entry:
    return gift(mark("project"), 20_000, 1)


def its_fee() -> Entry:
    project = mark("project")
    gift(project, 20_000, 1)
    return fee(project, 120)


def a_fee_that_falls() -> Entry:
    project, operations = mark("project"), mark("operations", 9)
    gift(project, 10_000, 1)
    gift(operations, 300, 2)
    ledger.reserve(earmark=project.pk, amount=9_800, purpose="d:9", now=NOW)
    return fee(project, 600)


def a_fee_of_a_wish() -> Entry:
    project, operations = mark("project"), mark("operations", 9)
    gift(project, 20_000, 1)
    gift(operations, 50, 2)
    return ledger.post_fee(actor=ACTOR, earmark=project.pk, origin=1, amount=120, key="fee", effective_at=NOW,
                           channel="wechat_pay", own_money=False)  # fmt: skip


def aid() -> Entry:
    project = mark("project")
    gift(project, 10_000, 1)
    gift(project, 5_000, 2)
    return paid(project, 12_000)


def returned() -> Entry:
    entry = aid()
    return ledger.return_payment(actor=ACTOR, entry=entry, purpose="d:1", key="r", now=NOW, effective_at=NOW)


def part_returned() -> Entry:
    entry = aid()
    back = ledger.give_back_part(actor=ACTOR, entry=entry, amount=3_000, key="part", effective_at=NOW)
    assert list(back.allocations.order_by("id").values_list("lot__origin", "amount")) == [
        (2, -2_000),
        (1, -1_000),
    ]
    return back


def refund() -> Entry:
    project = mark("project")
    gift(project, 10_000, 1)
    ledger.hold_refund(earmark=project.pk, origin=1, amount=3_000, purpose="r:1", now=NOW)
    return ledger.settle_refund(
        actor=ACTOR, purpose="r:1", key="s", now=NOW, effective_at=NOW, channel="wechat_pay"
    )


def bank_refund() -> Entry:
    project = mark("project")
    gift(project, 10_000, 1)
    ledger.hold_refund(earmark=project.pk, origin=1, amount=3_000, purpose="r:1", now=NOW)
    return ledger.settle_refund(
        actor=ACTOR, purpose="r:1", key="s", now=NOW, effective_at=NOW, channel="bank", out_of="bank"
    )


def spent_down_to(left: int, reserve: int) -> Earmark:
    """A gift of ¥100.00 of which only `left` is free, and a reserve."""
    project, kept = mark("project"), mark("reserve", 9)
    gift(project, 10_000, 1)
    gift(kept, reserve, 2)
    if left < 10_000:
        paid(project, 10_000 - left)
    return project


def foreign() -> Entry:
    project = spent_down_to(2_000, 2_500)
    return ledger.post_foreign_refund(
        actor=ACTOR, earmark=project.pk, origin=1, amount=5_000, key="f", effective_at=NOW, channel="card"
    )


def dispute() -> Entry:
    project = spent_down_to(4_000, 2_500)
    return ledger.post_dispute(
        actor=ACTOR, earmark=project.pk, origin=1, amount=10_000, key="d", effective_at=NOW, channel="card"
    )


def dispute_won() -> Entry:
    return ledger.reverse_entry(actor=ACTOR, entry=dispute(), key="w", effective_at=NOW)


def reserve_fed() -> Entry:
    operations, kept = mark("operations", 9), mark("reserve", 9)
    gift(operations, 5_000, 1)
    return ledger.transfer(
        actor=ACTOR, source=operations.pk, target=kept.pk, amount=2_500, key="f", effective_at=NOW
    )


def moved() -> Entry:
    general, project = mark("general"), mark("project")
    gift(general, 10_000, 1)
    return ledger.transfer(
        actor=ACTOR, source=general.pk, target=project.pk, amount=6_000, key="t", effective_at=NOW
    )


def payout() -> Entry:
    book = mark("project").book_id
    entry = ledger.post_payout(actor=ACTOR, book=book, amount=19_880, currency="CNY", key="po", effective_at=NOW,
                               channel="wechat_pay")  # fmt: skip
    assert entry is not None
    return entry


def goods(value: int, role: str, incoming: bool) -> Callable[[], Entry]:
    def post() -> Entry:
        book = ledger.open_book(code="federation", name="总会")
        earmark = ledger.open_goods_earmark(book=book, organization=1)
        posting = ledger.GoodsPosting("goods:1", value, role, incoming, NOW)
        return ledger.post_goods(actor=ACTOR, earmark=earmark, postings=[posting])[0]

    return post


DONE: dict[str, Callable[[], Entry]] = {
    "A gift of ¥200.00 for a project": a_gift,
    "The provider's fee of ¥1.20 on it": its_fee,
    "A fee of ¥6.00 when only ¥2.00 of the gift is free and operations hold ¥3.00": a_fee_that_falls,
    "The provider's fee of ¥1.20 on a gift of ¥200.00 for a wish, when operations hold ¥0.50": a_fee_of_a_wish,
    "Aid of ¥120.00 paid from two gifts of ¥100.00 and ¥50.00": aid,
    "The bank sends that payment back": returned,
    "¥30.00 of that payment of ¥120.00 is clawed back": part_returned,
    "A refund of ¥30.00 of what a gift has left": refund,
    "A refund of ¥30.00 paid by bank transfer": bank_refund,
    "A refund of ¥50.00 made in the provider's dashboard, ¥20.00 of the gift left, ¥25.00 in the reserve": foreign,
    "A dispute takes ¥100.00, ¥40.00 of the gift left, ¥25.00 in the reserve": dispute,
    "That dispute is won": dispute_won,
    "¥25.00 of the federation's own money set aside for chargebacks": reserve_fed,
    "¥60.00 moved from a micro-fund's general money to a project": moved,
    "The provider pays ¥198.80 out to the bank": payout,
    "Goods worth ¥960.00 pass inspection": goods(96_000, "gift_in_kind", True),
    "Goods worth ¥240.00 are handed to a family": goods(24_000, "programme", False),
    "Goods worth ¥66.66 are written off by two people": goods(6_666, "management", False),
}


def test_every_example_is_a_test() -> None:
    assert examples().keys() == DONE.keys()


@pytest.mark.parametrize("heading", DONE)
def test_example(heading: str) -> None:
    codes = dict(AccountCode.objects.values_list("role", "code"))
    entry = DONE[heading]()
    lines = [
        (
            codes[line.account.role],
            line.earmark.kind if line.earmark else "",
            f"{Money(line.amount).major:.2f}",
        )
        for line in entry.lines.select_related("account", "earmark").order_by("n")
    ]
    assert lines == examples()[heading]
