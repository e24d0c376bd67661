"""A wish in a real browser: two reviews, met with money, bought, brought home, the family's own code, thanks; and a
claim that is left, whose wish opens again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.core import clock
from apps.core.actors import system
from apps.donations.models import Gift
from apps.funds import operations as funds
from apps.payments.operations import apply_snapshots
from apps.payments.provider import Snapshot
from apps.wishes import operations as ops
from apps.wishes.models import Claim, Purchase, Wish
from apps.wishes.tasks import keep_wishes
from charity_site.demonstration import shop, story
from tests.journeys.conftest import Person
from tests.journeys.test_one_yuan import check, work


def open_shop(city: Any) -> Any:
    project = story.make_project(city, shop.PLAN)
    project = funds.start_raising(actor=city.staff["officer1"], project=project, now=clock.now())
    ops.choose_shop_project(actor=city.staff["manager1"], project=project, now=clock.now())
    return project


def write(caseworker: Person, family: Any, title: str) -> Wish:
    """A wish written down and submitted: only once the family's consent stands in its file."""
    page = caseworker.go("/workbench/wishes/new/")
    page.fill("[name=file_number]", family.file_number)
    page.select_option("[name=category]", "learning")
    page.fill("[name=title]", title)
    page.fill("[name=item]", "折叠书桌")
    page.fill("[name=spec]", "80×50厘米，可调高度")
    page.fill("[name=item_price]", "189")
    page.fill("[name=delivery_price]", "12")
    page.select_option("[name=age_band]", "10-12")
    page.fill("[name=alias]", "小满")
    page.select_option("[name=consent_by]", "guardian")
    page.check("[name=consent]")
    page.fill("[name=why]", "请打13912345678")
    page.click("main form button.primary")
    assert "个人信息" in caseworker.text() and not Wish.objects.filter(title=title).exists()
    assert page.input_value("[name=title]") == title, "nothing typed is lost"
    page.fill("[name=why]", "现在趴在床沿写作业。")
    page.check("[name=consent]")
    page.click("main form button.primary")
    wish = Wish.objects.get(title=title)
    if not family.consents.filter(purpose="wish").exists():
        page.click("button[value=submit]")
        wish.refresh_from_db()
        assert wish.status == "draft" and "同意" in caseworker.text()
        page = caseworker.go(f"/workbench/households/{family.file_number}/add/consent/")
        page.select_option("[name=member]", index=1)
        page.select_option("[name=purpose]", "wish")
        page.select_option("[name=given_by]", "office")
        page.click("main form button.primary")
        page = caseworker.go(f"/workbench/wishes/{wish.public_id}/")
    page.click("button[value=submit]")
    return wish


def reviewed(someone: Callable[..., Person], wish: Wish) -> None:
    for who, act in ((f"reviewer1.{wish.town.code}", "town"), ("cityreviewer1", "city")):
        page = someone(who).go(f"/workbench/wishes/{wish.public_id}/")
        page.click(f"button[value={act}]")
    wish.refresh_from_db()
    assert wish.status == "open"


def test_a_wish_is_met_and_a_left_one_opens_again(
    city: Any, someone: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_shop(city)
    town = city.towns[0]
    family = story.register_family(city, town, clock.now())
    caseworker = someone(f"caseworker1.{town.code}")
    wish = write(caseworker, family, "想要一张能写字的桌子")
    reviewed(someone, wish)

    donor = someone(width=360)
    page = donor.go("/shop/")
    expect(page.locator("h1")).to_have_text("博爱商城")
    page.click("text=认领 ¥201.00")
    page.click("button[value=pay]")
    assert "冷静器" in donor.text() and "¥201.00" in donor.text()
    page.fill("input[name=email]", "giver@example.org")
    page.click("main form.card button.primary")
    assert "测试收银台" in donor.text()
    page.click("summary")
    page.click("button[value=disorder]")
    work()
    gift = Gift.objects.get()
    donor.go(f"/gifts/{gift.token}/")
    assert "您认领的心愿" in donor.text() and "款已到，等采购" in donor.text()

    buy(city, someone, wish, project)
    page = caseworker.go(f"/workbench/wishes/orders/{Purchase.objects.get().number}/")
    page.click("button[value=arrived]")
    page = caseworker.go(f"/workbench/wishes/{wish.public_id}/")
    page.click("button[value=hand]")
    work()
    donor.go(f"/wishes/{wish.public_id}/")
    assert "已交到家" in donor.text(), "the caseworker's word alone is not the family's"

    # The family's phone: the digits go there and nowhere else.
    actor = city.staff[f"caseworker1.{town.code}"]
    code = ops.ask_wish_code(actor=actor, wish=wish, now=clock.now())
    sent = ops.issue_wish_code(actor=system("tests.sms"), code_id=code.pk, now=clock.now())
    assert sent is not None
    phone = someone(width=360)
    page = phone.go(f"/wishes/confirm/{code.token}/")
    page.fill("[name=code]", sent.digits)
    page.click("main form button.primary")
    assert "您已经确认收到" in phone.text()

    page = caseworker.go(f"/workbench/wishes/{wish.public_id}/")
    page.fill("[name=words]", "桌子很好，写字不趴床上了。")
    page.click("button[value=thanks]")
    reviewer = someone(f"reviewer1.{town.code}")
    reviewer.go(f"/workbench/wishes/{wish.public_id}/").click("button[value=publish]")
    work()
    donor.go(f"/gifts/{gift.token}/")
    assert "家人自己确认" in donor.text() and "写字不趴床上了" in donor.text()
    check()

    left = write(caseworker, family, "想要一盏看书的灯")
    reviewed(someone, left)
    page = donor.go(f"/wishes/{left.public_id}/claim/")
    page.click("button[value=pay]")
    page.click("main form.card button.primary")
    work()
    assert left.claims.get().status == "held"
    donor.go(f"/wishes/{left.public_id}/")
    assert "已认领" in donor.text()
    let_the_payment_expire(left)
    donor.go("/shop/")
    assert "想要一盏看书的灯" in donor.text()
    left.refresh_from_db()
    assert (left.status, left.free) == ("open", 1)

    page = donor.go(f"/wishes/{left.public_id}/goods/")
    page.fill("[name=contact]", "陈女士")
    page.fill("[name=phone]", "13900001111")
    page.click("main form.card button.primary")
    assert left.claims.filter(status="promised").exists(), donor.text()
    donor.go(f"/wishes/{left.public_id}/")
    assert "已认领" in donor.text()
    later = clock.now() + dt.timedelta(days=15, minutes=1)
    with monkeypatch.context() as fifteen_days_on:
        fifteen_days_on.setattr(clock, "now", lambda: later)
        assert keep_wishes() == 1
    donor.go("/shop/")
    assert "想要一盏看书的灯" in donor.text(), "nobody brought it: the clock alone opened it again"
    check()


def buy(city: Any, someone: Callable[..., Person], wish: Wish, project: Any) -> None:
    """Quotes and the order by the purchaser, the invoice by an officer."""
    page = someone("purchaser1").go(f"/workbench/wishes/{wish.public_id}/order/")
    for name, value in (
        ("supplier", "澜江百货"), ("item_price", "175"), ("delivery_price", "10"), ("supplier_1", "澜江百货"),
        ("price_1", "185"), ("supplier_2", "惠民商行"), ("price_2", "199"),
    ):  # fmt: skip
        page.fill(f"[name={name}]", value)
    page.click("main form.card button.primary >> nth=0")
    order = Purchase.objects.get()
    assert order.left_over == 1_600
    officer = someone("officer1")
    page = officer.go(f"/workbench/wishes/orders/{order.number}/")
    page.select_option("[name=budget_line]", str(project.budget_lines.get(code="materials").pk))
    page.fill("[name=payee_bank]", "演示银行")
    page.fill("[name=payee_account]", "6222000011112222")
    page.fill("[name=invoice_number]", "00000001")
    page.click("button[value=apply]")
    order.refresh_from_db()
    assert order.disbursement is not None and order.disbursement.amount == 18_500, officer.text()


def let_the_payment_expire(wish: Wish) -> None:
    """The provider says that nobody paid in time; worker and clock do the rest."""
    claim = Claim.objects.select_related("gift__payment").get(wish=wish)
    assert claim.gift is not None and claim.gift.payment is not None
    payment, now = claim.gift.payment, clock.now() + dt.timedelta(hours=1)
    seen = Snapshot(session_ref=payment.session_ref, reference=str(payment.uuid), status="expired",
                    amount=payment.amount, currency=payment.currency, settled_at=now)  # fmt: skip
    apply_snapshots(actor=system("tests"), snapshots={("sandbox", payment.session_ref): seen}, now=now)
    work()
    ops.free_overdue(actor=system("tests"), now=now + dt.timedelta(days=3))
