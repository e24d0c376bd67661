"""Claims: one live claim a unit whatever happens, money never lost, the clock frees what is over (W3, W4)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.actors import PUBLIC, system
from apps.core.errors import PermissionRefused
from apps.core.money import Money
from apps.donations.models import Gift
from apps.donations.operations.opening import FormUsed, PastTarget
from apps.payments.models import Payment
from apps.payments.operations import apply_snapshots
from apps.payments.provider import Snapshot
from apps.wishes import operations as ops
from apps.wishes.errors import (
    AlreadyClaimed,
    BadUnits,
    BasketEmpty,
    GoodsUnderWay,
    NothingLeftToClaim,
    OwnWish,
)
from apps.wishes.models import Claim, Pledge, Wish
from apps.wishes.queries import basket_lines, left_of_gift, offers_for
from apps.wishes.tasks import keep_wishes
from tests import world as w
from tests.wishes import shop as s

CLOCK = system("tests")


def end_payment(gift: Gift, status: str, now: dt.datetime = s.NOW) -> None:
    gift.refresh_from_db()
    assert gift.payment is not None
    payment = Payment.objects.get(pk=gift.payment_id)
    seen = Snapshot(session_ref=payment.session_ref, reference=str(payment.uuid), status=status, amount=payment.amount,
                    currency=payment.currency, settled_at=now)  # fmt: skip
    apply_snapshots(actor=CLOCK, snapshots={("sandbox", payment.session_ref): seen}, now=now)
    w.work(now)
    gift.refresh_from_db()


@pytest.mark.django_db
def test_a_basket_is_one_payment_with_a_claim_for_every_piece() -> None:
    store = s.build()
    desk, lamps = (
        s.opened(store),
        s.opened(store, item="台灯", quantity=3, item_price=5_000, delivery_price=0),
    )
    lines = {desk: 1, lamps: 2}
    gift = ops.claim_by_money(actor=PUBLIC, lines=lines, request=s.asked(lines), now=s.NOW)
    assert gift.amount == 20_100 + 2 * 5_000 and Payment.objects.count() == 1
    assert s.of(desk) == ["held"] and s.of(lamps) == ["held", "held"]
    assert s.standing(desk) == ("claimed", 0) and s.standing(lamps) == ("open", 1)
    s.start_gift_checkout(actor=PUBLIC, gift=gift, return_url="/", cancel_url="/", now=s.NOW)
    w.pay(gift)
    w.work()
    assert s.of(lamps) == ["secured", "secured"]
    s.check()


@pytest.mark.django_db
def test_one_form_claims_once_and_a_changed_basket_is_no_double_click() -> None:
    store = s.build()
    wish, other = s.opened(store), s.opened(store)
    request = s.asked({wish: 1}, key="same")
    first = ops.claim_by_money(actor=PUBLIC, lines={wish: 1}, request=request, now=s.NOW)
    later = s.NOW + dt.timedelta(seconds=2)
    again = ops.claim_by_money(actor=PUBLIC, lines={wish: 1}, request=request, now=later)
    assert again == first and Claim.objects.count() == 1
    with pytest.raises(FormUsed):
        ops.claim_by_money(actor=PUBLIC, lines={other: 1}, request=request, now=later)
    with pytest.raises(FormUsed):
        ops.claim_by_money(
            actor=PUBLIC, lines={other: 1}, request=s.asked({other: 1}, money=Money(1)), now=later
        )
    assert s.standing(other) == ("open", 1)


@pytest.mark.django_db
def test_a_claim_that_fails_opens_no_gift_and_holds_no_target() -> None:
    store = s.build(target=30_000)
    first, second = s.opened(store), s.opened(store)
    s.claim(first)
    with pytest.raises(AlreadyClaimed):
        lines = {Wish.objects.get(pk=first.pk): 1}
        ops.claim_by_money(actor=PUBLIC, lines=lines, request=s.asked(lines), now=s.NOW)
    with pytest.raises(PastTarget):
        s.claim(second)
    assert Gift.objects.count() == 1 and s.standing(second) == ("open", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, -1, 201, True, 1.5])
def test_pieces_are_whole_and_positive(count: int) -> None:
    store = s.build()
    wish = s.opened(store, quantity=2)
    with pytest.raises(BadUnits):
        ops.claim_by_money(actor=PUBLIC, lines={wish: count}, request=s.asked({wish: 1}), now=s.NOW)
    with pytest.raises(BadUnits):
        s.promised(wish, count)
    with pytest.raises(BasketEmpty):
        ops.claim_by_money(actor=PUBLIC, lines={}, request=s.asked({wish: 1}), now=s.NOW)
    assert not Claim.objects.exists() and not Pledge.objects.exists()


@pytest.mark.django_db
def test_more_pieces_than_are_free_claim_none() -> None:
    store = s.build()
    wish = s.opened(store, quantity=3)
    s.claim(wish, count=2)
    with pytest.raises(AlreadyClaimed) as refused:
        s.promised(wish, 2)
    assert refused.value.left == 1 and s.standing(wish) == ("open", 1) and not Pledge.objects.exists()
    s.promised(wish, 1)
    assert s.standing(wish) == ("claimed", 0)


@pytest.mark.django_db
def test_nobody_claims_a_wish_they_wrote_or_reviewed() -> None:
    store = s.build()
    wish = s.opened(store)
    for actor in (store.caseworker, store.reviewer, store.city_reviewer):
        with pytest.raises(OwnWish):
            s.claim(wish, actor=actor)
    s.claim(wish, actor=store.caseworker2)


@pytest.mark.django_db
def test_a_forged_basket_claims_nothing() -> None:
    store = s.build()
    wish, drafted = s.opened(store, quantity=2), s.drafted(store)
    forged = {wish.public_id: 99, drafted.public_id: 1, "x" * 16: 1, "y": -3, 7: 1, "z": "2", "q": True}
    lines, gone = basket_lines(forged)
    assert lines == {wish: 2} and gone == [wish.title]
    for bad in (None, [], "basket", {"a": {"b": 1}}):
        assert basket_lines(bad) == ({}, [])


@pytest.mark.django_db
def test_an_unpaid_claim_frees_itself_with_its_payment() -> None:
    store = s.build()
    for status in ("expired", "failed"):
        wish = s.opened(store)
        gift = s.claim(wish)
        end_payment(gift, status)
        assert s.of(wish) == ["expired"] and s.standing(wish) == ("open", 1)
    s.check()


@pytest.mark.django_db
def test_money_after_expiry_is_never_lost_and_meets_another_wish() -> None:
    store = s.build()
    wish, other = s.opened(store), s.opened(store, item="护眼台灯")
    gift = s.claim(wish)
    end_payment(gift, "expired")
    s.promised(wish)
    end_payment(gift, "paid")
    assert (gift.status, gift.late, gift.earmark_id) == ("received", "expired", store.city.general)
    assert left_of_gift(gift) == gift.amount and offers_for(gift) == [other]
    ops.claim_with_gift(actor=PUBLIC, gift=gift, lines={other: 1}, now=s.NOW)
    assert s.of(other) == ["secured"] and left_of_gift(gift) == 0 and offers_for(gift) == []
    with pytest.raises(NothingLeftToClaim):
        third = s.opened(store)
        ops.claim_with_gift(actor=PUBLIC, gift=gift, lines={third: 1}, now=s.NOW)
    s.check()


@pytest.mark.django_db
def test_money_that_was_pending_past_three_days_takes_its_wish_again_if_it_is_free() -> None:
    store = s.build()
    free, taken = s.opened(store), s.opened(store)
    gift = s.claim(free, taken)
    assert gift.payment is not None
    late = s.NOW + dt.timedelta(days=3)
    assert ops.free_overdue(actor=CLOCK, now=late - dt.timedelta(seconds=1)) == 0
    assert ops.free_overdue(actor=CLOCK, now=late) == 2
    s.promised(taken, now=late)
    end_payment(gift, "paid", late)
    assert gift.late == "" and s.of(free) == ["expired", "secured"] and s.of(taken) == ["expired", "promised"]
    assert left_of_gift(gift) == taken.cap
    s.check()


@pytest.mark.django_db
def test_a_repeated_event_secures_once() -> None:
    store = s.build()
    wish = s.opened(store)
    gift = s.paid(wish)
    assert ops.secure_claims(actor=CLOCK, gift_id=gift.pk, now=s.NOW) == 0
    assert ops.free_unpaid(actor=CLOCK, payment_id=gift.payment_id or 0, now=s.NOW) == 0
    assert s.of(wish) == ["secured"]
    with pytest.raises(PermissionRefused):
        ops.secure_claims(actor=PUBLIC, gift_id=gift.pk, now=s.NOW)


@pytest.mark.django_db
def test_what_is_neither_brought_nor_ordered_in_15_days_frees_itself() -> None:
    store = s.build()
    brought, bought, ordered_ = s.opened(store), s.opened(store), s.opened(store)
    pledge = s.promised(brought)
    assert pledge.contact and "139" not in pledge.contact
    s.paid(bought)
    s.paid(ordered_)
    ops.order_purchase(actor=store.purchaser, wish=ordered_, order=s.order(), now=s.NOW)
    late = s.NOW + dt.timedelta(days=15)
    assert ops.free_overdue(actor=CLOCK, now=late - dt.timedelta(seconds=1)) == 0
    # The money was noted a second after it was promised.
    assert ops.free_overdue(actor=CLOCK, now=late) == 1
    assert ops.free_overdue(actor=CLOCK, now=late + dt.timedelta(seconds=1)) == 1
    assert s.standing(brought) == ("open", 1) and s.standing(bought) == ("open", 1)
    assert s.standing(ordered_) == ("in_progress", 0)
    pledge.refresh_from_db()
    assert pledge.contact == "", "who promised is forgotten"
    s.check()


@pytest.mark.django_db
def test_a_donor_gives_a_claim_up_until_something_is_under_way() -> None:
    store = s.build()
    one, two = s.opened(store), s.opened(store)
    gift = s.paid(one, two)
    first = Claim.objects.get(wish=one)
    ops.cancel_claims(actor=PUBLIC, gift=gift, only=first.public_id, now=s.NOW)
    assert s.standing(one) == ("open", 1) and left_of_gift(gift) == one.cap
    ops.order_purchase(actor=store.purchaser, wish=two, order=s.order(), now=s.NOW)
    with pytest.raises(GoodsUnderWay):
        ops.cancel_claims(actor=PUBLIC, gift=gift, now=s.NOW)


@pytest.mark.django_db
def test_a_refund_frees_what_it_no_longer_pays_for() -> None:
    store = s.build()
    one, two = s.opened(store), s.opened(store)
    gift = s.paid(one, two)
    w.refund(store.city, gift, 20_000)
    w.act(gift, "refund_succeed")
    w.work()
    assert s.of(one) == ["secured"] and s.of(two) == ["cancelled"]
    assert left_of_gift(gift) == gift.amount - 20_000 - one.cap
    s.check()


@pytest.mark.django_db
def test_the_database_allows_one_live_claim_a_unit() -> None:
    store = s.build()
    wish = s.opened(store)
    s.promised(wish)
    held = Claim.objects.get()
    with pytest.raises(IntegrityError, match="claim_one_live_per_unit"), transaction.atomic():
        Claim.objects.create(wish=wish, unit=held.unit, way="goods", status="promised", pledge=held.pledge,
                             claimed_at=s.NOW)  # fmt: skip


BROKEN = [
    ("UPDATE wishes_wish SET title = 'x' WHERE id = %(wish)s", "wish_text_frozen"),
    ("UPDATE wishes_wish SET item_price = item_price - 1, cap = cap - 1 WHERE id = %(wish)s", "wish_text_frozen"),
    ("UPDATE wishes_wish SET cap = cap + 1 WHERE id = %(draft)s", "wish_cap_is_its_parts"),
    ("UPDATE wishes_wish SET item_price = 500001, cap = 501201 WHERE id = %(draft)s", "wish_cap_is_its_parts"),
    ("UPDATE wishes_wish SET quantity = 2 WHERE id = %(draft)s", "wish_units_are_its_quantity"),
    ("UPDATE wishes_wish SET quantity = 0 WHERE id = %(draft)s", "wish_quantity_whole"),
    ("UPDATE wishes_wish SET town_reviewer_id = caseworker_id WHERE id = %(wish)s",
     "wish_caseworker_not_town_reviewer"),
    ("UPDATE wishes_wish SET city_reviewer_id = town_reviewer_id WHERE id = %(wish)s",
     "wish_town_reviewer_not_city_reviewer"),
    ("UPDATE wishes_wish SET status = 'open' WHERE id = %(draft)s", "wish_reviewed_in_town|two_reviews"),
    ("UPDATE wishes_wish SET consent_by = 'self' WHERE id = %(wish)s", "wish_child_by_guardian"),
    ("UPDATE wishes_wish SET status = 'withdrawn', reason = 'x' WHERE id = %(wish)s; "
     "UPDATE wishes_claim SET status = 'secured' WHERE wish_id = %(wish)s", "claim_of_public_wish"),
    ("UPDATE wishes_claim SET amount = amount + 1 WHERE wish_id = %(wish)s", "claims_within_gift"),
    ("UPDATE wishes_claim SET status = 'expired' WHERE wish_id = %(wish)s", "claim_ended_frees_unit"),
    ("UPDATE wishes_claim SET status = 'confirmed' WHERE wish_id = %(wish)s", "claim_confirmed_by_family"),
    ("UPDATE wishes_claim SET status = 'ordered' WHERE wish_id = %(wish)s", "claim_ordered_has_order"),
    ("UPDATE wishes_claim SET gift_id = NULL WHERE wish_id = %(wish)s", "claim_way_fields"),
]  # fmt: skip


@pytest.mark.django_db
def test_the_database_holds_the_rules() -> None:
    """Each rule broken on purpose in SQL, and undone: one wish, one draft, one paid claim for all of them."""
    store = s.build()
    wish, draft = s.opened(store), s.drafted(store)
    s.paid(wish)
    for change, rule in BROKEN:
        with pytest.raises(IntegrityError, match=rule), transaction.atomic(), connection.cursor() as cursor:
            for each in change.split("; "):
                cursor.execute(each, {"wish": wish.pk, "draft": draft.pk})
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    s.check()


@pytest.mark.django_db
def test_the_clock_runs_twice_without_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.core import clock

    store = s.build()
    wish, alone = s.opened(store, quantity=2), s.opened(store)
    s.promised(wish, 1, now=s.NOW + dt.timedelta(days=80))
    monkeypatch.setattr(clock, "now", lambda: s.NOW + dt.timedelta(days=90))
    assert keep_wishes() == 2 and keep_wishes() == 0
    assert s.standing(alone) == ("expired", 0) and s.standing(wish) == ("claimed", 0)
    monkeypatch.setattr(clock, "now", lambda: s.NOW + dt.timedelta(days=96))
    assert keep_wishes() == 1
    assert s.standing(wish)[0] == "open", "its other half is open again by the clock"
    s.check()
