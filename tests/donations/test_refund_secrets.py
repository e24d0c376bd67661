"""What a donor reads and is refused by when asking for a gift back follows releases only (C4)."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Sequence

import pytest
from django.test import Client

from apps.core.actors import PUBLIC
from apps.core.errors import DomainError
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import Gift
from apps.donations.queries import refund_offer
from apps.tracing.queries import trace_gift
from tests import world as w
from tests.donations.test_refunds import by_officer, check, fails

pytestmark = pytest.mark.django_db


def answers_to(city: w.World, gift: Gift, client: Client, amounts: Sequence[int]) -> list[str]:
    """Everything a donor reads who asks for each amount in turn and takes it back at once."""
    page = f"/gifts/{gift.token}/refund/"
    heard = []
    for fen in amounts:
        heard.append(client.get(page).content.decode() + client.get(f"/gifts/{gift.token}/").content.decode())
        try:
            asked = w.ask_back(city, gift, fen)
            heard.append("taken")
            donations.withdraw_refund(actor=PUBLIC, refund=asked, now=w.NOW)
        except DomainError as error:
            heard.append(f"{error.code} {error}")
    return heard


def test_a_donors_requests_tell_nothing_of_aid_before_its_release(client: Client) -> None:
    """C4: two cities that differ in one family's unreleased aid give a donor the same answers, word for word."""
    city = w.build()
    gift = w.give(city, 20_000)
    asked = (1, 7_880, 7_881, 15_000, 19_880, 19_881, 20_000)
    hide = re.compile(
        r'R-\d{4}-[0-9a-f]{6}|csrfmiddlewaretoken" value="[^"]*"|<ol class="thread">.*?</ol>', re.S
    )
    before = [hide.sub("", each) for each in answers_to(city, gift, client, asked)]
    w.help_family(city, 1, 12_000)
    w.approve(city, w.apply_aid(city, w.household(city, 2), 3_000))
    assert refund_offer(gift, w.NOW, inside=True).amount == 4_880
    assert refund_offer(gift, w.NOW).amount == trace_gift(gift).unspent == 19_880
    after = [hide.sub("", each) for each in answers_to(city, gift, client, asked)]
    assert before[1::2] == after[1::2] and before[1::2][-3] == "taken", (
        "19,880 is taken although 4,880 is left"
    )
    for n, (one, other) in enumerate(zip(before[2::2], after[2::2], strict=True)):
        assert one == other, f"page {n}"
    too_much = w.ask_back(city, gift, 10_000)
    fails(
        "not_refundable",
        lambda: donations.approve_refund(actor=city.people["manager"], refund=too_much, now=w.NOW),
    )
    donations.refuse_refund(actor=city.people["manager"], refund=too_much, reason="请稍后再申请", now=w.NOW)
    fails("refund_refused_lately", lambda: w.ask_back(city, gift, 5_000))
    by_officer(city, gift, 4_880)
    check()


def test_a_donor_may_ask_again_a_month_after_a_refusal() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    asked = w.ask_back(city, gift, 100)
    donations.refuse_refund(actor=city.people["manager"], refund=asked, reason="材料不全", now=w.NOW)
    later = w.NOW + dt.timedelta(days=30)
    for now, code in ((later - dt.timedelta(seconds=1), "refund_refused_lately"), (later, "")):
        again = functools.partial(
            donations.ask_refund, actor=PUBLIC, gift=gift, money=Money(100), reason="", now=now
        )
        if code:
            fails(code, again)
        else:
            assert again().status == "requested"
