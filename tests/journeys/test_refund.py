"""A refund's whole way in a real browser: asked by the donor on a phone, approved by a second person, answered by the
provider; one that the provider can't make goes by bank transfer with three people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from apps.core import clock
from apps.core.models import OutboxDelivery
from apps.donations.models import BankDetailsRead, Gift, Receipt, Refund
from apps.ledger.queries import figures
from apps.payments.models import PaymentRefund
from apps.payments.operations import send_refunds
from charity_site.demonstration import clockwork
from tests.journeys.conftest import Person
from tests.journeys.test_one_yuan import check, raising_project


def work() -> None:
    """What worker and beat do, refunds included."""
    for _ in range(2):
        OutboxDelivery.objects.filter(done_at=None).update(due_at=clock.now())
        PaymentRefund.objects.filter(status__in=["created", "sent"]).update(due_at=clock.now())
        clockwork.work(clock.now() + dt.timedelta(seconds=1))
        send_refunds(now=clock.now() + dt.timedelta(seconds=1))
    clockwork.work(clock.now() + dt.timedelta(seconds=1))


def give(donor: Person, project: Any) -> str:
    page = donor.go(f"/projects/{project.slug}/give/")
    assert "已经用掉的" in donor.text(), "said before paying"
    page.check("input[name=preset][value='20000']", force=True)
    page.click("main form button.primary")
    page.click("button[value=succeed]")
    work()
    return str(page.url.removeprefix(donor.url))


def test_refund_by_two_people_then_by_the_bank(city: Any, someone: Callable[..., Person]) -> None:
    project = raising_project(city)
    donor = someone(width=360)
    gift_url = give(donor, project)
    page = donor.go(gift_url)
    assert "没用的可以退，现在最多¥198.80" in donor.text()
    page.click("text=申请退款")
    page.fill("input[name=amount]", "200")
    page.fill("textarea[name=reason]", "付重了")
    page.click("button:has-text('提交申请')")
    assert "现在最多能退¥198.80" in donor.text()
    assert page.input_value("textarea[name=reason]") == "付重了", "nothing typed is lost"
    page.fill("input[name=amount]", "５０")
    page.click("button:has-text('提交申请')")
    assert "申请已收到" in page.inner_text("body") and "等待批准" in donor.text()
    first = Refund.objects.get()
    approve(someone, first)
    work()
    donor.go(gift_url)
    assert "已批准，办理中" in donor.text()
    answer(someone("cashier1"), first, "refund_succeed")
    donor.go(gift_url)
    red = Receipt.objects.get(amount=-5_000)
    assert f"退款 {first.number}" in donor.text() and red.number in donor.text()
    donor.go(gift_url + "receipt/")
    assert (
        "红字票据" in donor.text()
        and red.number in donor.text()
        and Gift.objects.get().receipt.number in donor.text()
    )
    donor.go(f"/projects/{project.slug}/")
    assert "减去退款" in donor.text() and "−¥50.00" in donor.text().replace(chr(10), "")

    cashier = someone("cashier1")
    page = cashier.go("/workbench/refunds/")
    assert first.number in cashier.text()
    page.click("text=代捐赠人申请退款")
    page.fill("input[name=gift]", Gift.objects.get().receipt.number)
    page.click("button:has-text('查找')")
    page.fill("input[name=amount]", "100")
    page.click("button:has-text('提出退款')")
    second = Refund.objects.get(source="staff")
    assert page.locator("button[value=approve]").count() == 0, "who asked can't approve"
    approve(someone, second)
    work()
    answer(cashier, second, "refund_fail")
    donor.go(gift_url + "refund/")
    assert "改用银行转账" in donor.text()

    page = donor.page
    page.fill("input[name=amount]", "100")
    page.fill("input[name=holder]", "付款人")
    page.fill("input[name=bank]", "演示银行石桥支行")
    page.fill("input[name=account]", "62")
    page.click("button:has-text('提交申请')")
    assert "8到30位数字" in donor.text() and page.input_value("input[name=bank]") == "演示银行石桥支行"
    page.fill("input[name=account]", "6200 0000 0000 4321")
    page.click("button:has-text('提交申请')")
    third = Refund.objects.get(way="bank")
    assert "转入尾号4321" in donor.text()
    approve(someone, third)
    page = cashier.go(f"/workbench/refunds/{third.number}/")
    assert "6200000000004321" not in cashier.text()
    page.click("button[value=read]")
    assert "6200000000004321" in cashier.text() and BankDetailsRead.objects.count() == 1
    page.fill("input[name=reference]", "BK-20261124-1")
    page.click("button[value=paid]")
    work()
    donor.go(gift_url)
    third.refresh_from_db()
    assert third.status == "paid" and "银行转账" in donor.text()
    gift = Gift.objects.get()
    assert figures([gift.earmark_id or 0]).refunded == 15_000
    assert sum(Receipt.objects.values_list("amount", flat=True)) == 5_000
    check()


def approve(someone: Callable[..., Person], refund: Refund) -> None:
    manager = someone("manager1")
    page = manager.go("/workbench/refunds/?status=requested")
    page.click(f"text={refund.number}")
    page.click("button[value=approve]")
    assert "已批准" in page.inner_text("body")


def answer(cashier: Person, refund: Refund, what: str) -> None:
    """The marked test page answers for the provider, its events twice and out of order."""
    page = cashier.go(f"/workbench/refunds/{refund.number}/")
    page.click("text=测试收银台")
    page.check("input[name=disorder]")
    page.click(f"button[value={what}]")
    work()
