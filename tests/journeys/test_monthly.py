"""A monthly gift's life in a real browser, on a phone: begun, a second month, another amount, a card that fails and
works again, paused, stopped; the donor's account collects it all (G1, G2)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from django.core import mail

from apps.core import clock
from apps.core.models import OutboxDelivery
from apps.donations.models import Gift, MonthlyGift
from charity_site.demonstration import clockwork
from tests.journeys.conftest import Person
from tests.journeys.test_one_yuan import check, raising_project


def work() -> None:
    for _ in range(2):
        OutboxDelivery.objects.filter(done_at=None).update(due_at=clock.now())
        clockwork.work(clock.now() + dt.timedelta(seconds=1))


def cashier(donor: Person, action: str) -> None:
    """Plays the provider's side at the marked test cashier, in another tab."""
    gift = MonthlyGift.objects.select_related("subscription").get()
    assert gift.subscription is not None
    page = donor.go(gift.subscription.checkout_url)
    page.click(f"button[value={action}]")
    work()


def test_a_monthly_gifts_life(city: Any, someone: Callable[..., Person], settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    project = raising_project(city)
    donor = someone(width=360)
    page = donor.go(f"/projects/{project.slug}/give/")
    page.check("input[name=preset][value='5000']", force=True)
    page.check("input[name=frequency][value=monthly]", force=True)
    page.click("main form button.primary")
    assert "月捐要填邮箱" in donor.text()
    page.fill("input[name=email]", "donor@example.org")
    page.click("main form button.primary")
    page.click("button[value=subscribe]")
    work()
    own = page.url.removeprefix(donor.url)
    donor.go(own)
    assert "每月捐赠中" in donor.text() and "每月¥50.00" in donor.text()
    assert Gift.objects.get().status == "received"

    cashier(donor, "next")
    donor.go(own)
    assert page.locator("table tbody tr").count() == 2
    page.fill("input[name=amount]", "八十")
    page.click("button:has-text('改金额')")
    assert page.input_value("input[name=amount]") == "八十", "nothing typed is lost"
    page.fill("input[name=amount]", "80")
    page.click("button:has-text('改金额')")
    work()
    donor.go(own)
    assert "每月¥80.00" in donor.text()

    cashier(donor, "card_fails")
    cashier(donor, "next")
    donor.go(own)
    assert "没有扣成，这是第1次" in donor.text() and "会再试" in donor.text()
    cashier(donor, "card_works")
    cashier(donor, "next")
    donor.go(own)
    assert "每月捐赠中" in donor.text()
    assert list(Gift.objects.order_by("id").values_list("amount", flat=True)) == [5_000, 5_000, 8_000]

    page.click("button[value=pause]")
    work()
    donor.go(own)
    assert "已暂停" in donor.text()
    page.click("button[value=resume]")
    work()
    donor.go(own)
    page.click("summary:has-text('停止月捐')")
    page.click("button[value=stop]")
    work()
    donor.go(own)
    assert "已停止" in donor.text() and "改金额" not in donor.text()
    told = " ".join(message.subject for message in mail.outbox)
    for words in ("月捐开始了", "已改为¥80.00", "没有扣成", "已暂停", "已恢复", "已停止"):
        assert words in told, words

    account = someone(width=360)
    page = account.go("/accounts/signup/")
    page.fill("input[name=email]", "donor@example.org")
    page.fill("input[name=password1]", "correct horse battery staple")
    page.fill("input[name=password2]", "correct horse battery staple")
    page.click("main form button.primary")
    link = re.search(r"http\S+confirm-email\S+", mail.outbox[-1].body)
    assert link, account.text()
    account.go(link.group(0).removeprefix(account.url))
    page.click("main form button")
    if "login" in page.url:
        page.fill("input[name=login]", "donor@example.org")
        page.fill("input[name=password]", "correct horse battery staple")
        page.press("input[name=password]", "Enter")
    account.go("/me/")
    assert "月捐" in account.text() and "3笔" in account.text() and "¥180.00" in account.text()
    page.click("text=年度小结")
    assert "捐赠小结" in account.text() and "¥180.00" in account.text()
    check()
