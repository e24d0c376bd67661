"""One yuan's whole way by operations: given, paid twice over, aid by four people, released, traced; sums close."""

from __future__ import annotations

import pytest

from apps.core.invariants import ordered
from apps.donations.models import Gift, Receipt
from apps.ledger.models import Entry
from apps.ledger.queries import figures, gift_allocations
from apps.publication.models import AidItem, Release
from apps.publication.queries import public_money, public_of_entries
from apps.publication.releases import release_due
from tests import world as w

pytestmark = pytest.mark.django_db


def check_invariants() -> None:
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


def test_one_yuans_way() -> None:
    city = w.build()
    gift = w.open_gift(city, 20_000)
    w.pay(gift, copies=2)
    w.work()
    w.work()
    gift.refresh_from_db()
    assert gift.status == "received"
    assert Receipt.objects.get(gift=gift).number == "0000000001"
    assert Entry.objects.filter(kind="gift").count() == 1
    assert figures([city.earmark]).raised == 20_000
    assert figures([city.earmark]).fees == 120

    w.give(city, 5_000_000)
    for n in range(1, 5):
        w.help_family(city, n, 100_000 + n)
    assert release_due(now=w.NOW) == []
    held = public_money([city.earmark])
    assert held.aid == 0 and held.total_in == held.fees + held.unspent
    w.help_family(city, 5, 100_005)
    [release] = release_due(now=w.NOW)
    assert (release.households, release.amount) == (5, 500_015)
    shown = public_money([city.earmark])
    assert shown.aid == 500_015
    assert shown.total_in == shown.fees + shown.aid + shown.expenses + shown.unspent

    uses = [each for each in gift_allocations(gift.pk) if each.kind == "spent"]
    releases = public_of_entries(each.entry for each in uses)
    assert sum(each.amount for each in uses) == 20_000 - 120
    assert {each.pk for each in releases.values()} == {release.pk}
    assert AidItem.objects.filter(release=None).count() == 0
    assert Release.objects.count() == 1
    check_invariants()


def test_late_money_goes_to_the_general_earmark() -> None:
    city = w.build()
    gift = w.open_gift(city, 10_000)
    from apps.funds.operations import close_raising

    close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    w.pay(gift)
    w.work()
    gift.refresh_from_db()
    assert (gift.late, gift.earmark_id) == ("not_raising", city.general)
    assert Gift.objects.filter(earmark=city.earmark).count() == 0
    check_invariants()


def test_money_after_expiry_is_late_even_before_the_gift_heard_of_it() -> None:
    from apps.core.actors import system
    from apps.core.transitions import move
    from apps.payments.models import PaymentStatusChange
    from apps.payments.states import FORWARD, PaymentStatus

    city = w.build()
    gift = w.open_gift(city, 10_000)
    assert gift.payment is not None
    move(gift.payment, PaymentStatus.EXPIRED, forward=FORWARD, history=PaymentStatusChange, actor=system("payments"),
         now=w.NOW)  # fmt: skip
    w.pay(gift)
    w.work()
    gift.refresh_from_db()
    assert (gift.late, gift.earmark_id) == ("expired", city.general)
    check_invariants()
