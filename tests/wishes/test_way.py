"""A wish's way from the draft to the family's own word (W1, W2, W4, W5)."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from PIL import Image

from apps.casework.models import AccessRow
from apps.core.actors import PUBLIC
from apps.core.errors import BadInput, DomainError, PermissionRefused, WrongState
from apps.core.images import BadImage
from apps.disbursements import operations as disbursements
from apps.inventory.operations import Giver, LotDraft, record_consignment
from apps.ledger.queries import figures
from apps.publication.privacy import NotPublishable
from apps.wishes import operations as ops
from apps.wishes.errors import (
    ConsentMissing,
    FourEyesBuying,
    GoodsUnderWay,
    NothingToBuy,
    NothingToConfirm,
    NotLike,
    OverCap,
    PhotoNotLookedAt,
    TooFewQuotes,
    TwoReviewers,
)
from apps.wishes.models import Claim, Purchase, Wish, WishPhoto
from apps.wishes.operations import QuoteDraft
from apps.wishes.queries import left_of_gift
from tests import world as w
from tests.wishes import shop as s

pytestmark = pytest.mark.django_db


def jpeg(*, gps: bool = False) -> bytes:
    out, picture = io.BytesIO(), Image.new("RGB", (400, 300), "#884422")
    exif = Image.Exif()
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
        exif[0x010F] = "PhoneMaker"
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_two_different_reviewers_and_neither_wrote_it() -> None:
    store = s.build()
    wish = s.drafted(store)
    with pytest.raises(PermissionRefused):
        ops.submit_wish(actor=store.city.people["caseworker_hengxi"], wish=wish, now=s.NOW)
    ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    both = w.person("both", ("caseworker", "town", wish.town_id), ("town_reviewer", "town", wish.town_id),
                    ("city_reviewer", "city", 0))  # fmt: skip
    Wish.objects.filter(pk=wish.pk).update(caseworker=both.person_id)
    with pytest.raises(TwoReviewers):
        ops.approve_in_town(actor=both, wish=wish, now=s.NOW)
    Wish.objects.filter(pk=wish.pk).update(caseworker=store.caseworker.person_id)
    ops.approve_in_town(actor=both, wish=wish, now=s.NOW)
    with pytest.raises(TwoReviewers):
        ops.approve_in_city(actor=both, wish=wish, now=s.NOW)
    with pytest.raises(PermissionRefused):
        ops.approve_in_city(actor=store.reviewer, wish=wish, now=s.NOW)
    opened = ops.approve_in_city(actor=store.city_reviewer, wish=wish, now=s.NOW)
    assert s.standing(opened) == ("open", 1)
    assert [change.to_status for change in opened.changes.order_by("id")] == [
        "draft", "town_review", "city_review", "open",
    ]  # fmt: skip


def test_a_rejected_wish_goes_back_with_its_reason() -> None:
    store = s.build()
    wish = s.drafted(store)
    ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    with pytest.raises(BadInput):
        ops.reject_wish(actor=store.reviewer, wish=wish, reason=" ", now=s.NOW)
    ops.reject_wish(actor=store.reviewer, wish=wish, reason="规格不够清楚", now=s.NOW)
    wish.refresh_from_db()
    assert (wish.status, wish.reason) == ("rejected", "规格不够清楚")
    ops.rewrite_wish(
        actor=store.caseworker, wish=wish, draft=s.draft(spec="100×60厘米", quantity=2), now=s.NOW
    )
    wish.refresh_from_db()
    assert wish.status == "draft" and wish.units.count() == 2
    ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    with pytest.raises(WrongState):
        ops.rewrite_wish(actor=store.caseworker, wish=wish, draft=s.draft(), now=s.NOW)


@pytest.mark.parametrize(
    ("field", "text"),
    [("title", "户主901想要一张桌子"), ("why", "打13800000901找我"), ("spec", "送到某路901号"),
     ("alias", "户主901"), ("item", f"{w.id_number(901)} 的书桌")],
)  # fmt: skip
def test_no_text_tells_who_the_family_is(field: str, text: str) -> None:
    store = s.build()
    with pytest.raises(NotPublishable) as refused:
        s.drafted(store, **{field: text})
    assert refused.value.field == field and "901" not in str(refused.value.message)
    assert not Wish.objects.exists()
    s.drafted(store)
    assert AccessRow.objects.filter(household=store.family.pk).count() == 1, (
        "the check itself is a logged read (C2)"
    )


@pytest.mark.parametrize(
    ("over", "error"),
    [
        ({"quantity": 0}, "bad_units"), ({"quantity": -2}, "bad_units"), ({"quantity": 1.5}, "bad_units"),
        ({"quantity": 201}, "bad_units"), ({"item_price": 0}, "bad_input"), ({"delivery_price": -1}, "bad_input"),
        ({"item_price": 500_001}, "cap_too_high"), ({"item_price": 499_000, "delivery_price": 1_001}, "cap_too_high"),
        ({"category": "weapons"}, "bad_input"), ({"title": " "}, "bad_input"),
        ({"consent_by": "self"}, "consent_missing"),
    ],
)  # fmt: skip
def test_bad_drafts_are_refused_and_write_nothing(over: dict[str, Any], error: str) -> None:
    store = s.build()
    with pytest.raises(DomainError) as refused:
        s.drafted(store, **over)
    assert refused.value.code == error and not Wish.objects.exists()


def test_no_consent_no_wish_and_no_other_town() -> None:
    store = s.build()
    with pytest.raises(ConsentMissing):
        ops.draft_wish(
            actor=store.caseworker, household=store.family, draft=s.draft(), consented=False, now=s.NOW
        )
    with pytest.raises(PermissionRefused):
        ops.draft_wish(
            actor=store.city.people["caseworker_hengxi"], household=store.family, draft=s.draft(), consented=True,
            now=s.NOW,
        )  # fmt: skip


def test_a_photo_loses_its_place_and_needs_a_second_look() -> None:
    store = s.build()
    wish = s.drafted(store)
    with pytest.raises(ConsentMissing):
        ops.add_photo(actor=store.caseworker, wish=wish, content=jpeg(), no_face=True, now=s.NOW)
    ops.rewrite_wish(actor=store.caseworker, wish=wish, draft=s.draft(photo_consent=True), now=s.NOW)
    for content, no_face in ((jpeg(), False), (b"<svg onload=alert(1)>", True)):
        with pytest.raises((BadImage, BadInput)):
            ops.add_photo(actor=store.caseworker, wish=wish, content=content, no_face=no_face, now=s.NOW)
    ops.add_photo(actor=store.caseworker, wish=wish, content=jpeg(gps=True), no_face=True, now=s.NOW)
    kept = bytes(WishPhoto.objects.get().content)
    assert not dict(Image.open(io.BytesIO(kept)).getexif()) and b"PhoneMaker" not in kept
    ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    with pytest.raises(PhotoNotLookedAt):
        ops.approve_in_town(actor=store.reviewer, wish=wish, now=s.NOW)
    ops.approve_in_town(actor=store.reviewer, wish=wish, photo_ok=True, now=s.NOW)
    ops.approve_in_city(actor=store.city_reviewer, wish=wish, photo_ok=True, now=s.NOW)
    assert WishPhoto.objects.get().looked_at_by_id == store.city_reviewer.person_id
    with pytest.raises(IntegrityError, match="wish_photo_second_look"), transaction.atomic():
        WishPhoto.objects.update(looked_at_by=store.caseworker.person_id)


def test_bought_within_the_claims_with_quotes_and_four_eyes() -> None:
    store = s.build()
    wish = s.opened(store)
    with pytest.raises(NothingToBuy):
        ops.order_purchase(actor=store.purchaser, wish=wish, order=s.order(), now=s.NOW)
    gift = s.paid(wish)
    w.give(store.city, 500_000)
    bad = (
        (OverCap, {"item": 19_000, "delivery": 1_101}),
        (TooFewQuotes, {"quotes": [QuoteDraft("学苑文具", 18_500)]}),
        (BadInput, {"quotes": [QuoteDraft("甲", 1), QuoteDraft("乙", 2)]}),
        (BadInput, {"quotes": [QuoteDraft("学苑文具", 1), QuoteDraft("学苑文具", 2)]}),
        (BadInput, {"item": 0}),
    )
    for error, over in bad:
        with pytest.raises(error):
            ops.order_purchase(actor=store.purchaser, wish=wish, order=s.order(**over), now=s.NOW)
    with pytest.raises(PermissionRefused):
        ops.order_purchase(actor=store.city.people["officer"], wish=wish, order=s.order(), now=s.NOW)
    purchase = ops.order_purchase(actor=store.purchaser, wish=wish, order=s.order(), now=s.NOW)
    assert (purchase.cost, purchase.left_over, s.standing(wish)) == (18_500, 1_600, ("in_progress", 0))
    line = store.city.project.budget_lines.get(code="materials")
    invoice = {
        "budget_line": line, "payee_bank": "某银行", "payee_account": "6222000011112222", "invoice_number": "0001",
    }  # fmt: skip
    two = w.person(
        "two",
        *((role, "organization", store.city.organization.pk) for role in ("purchaser", "project_officer")),
    )
    Purchase.objects.filter(pk=purchase.pk).update(purchaser=two.person_id)
    with pytest.raises(FourEyesBuying):
        ops.apply_for_purchase(actor=two, purchase=purchase, now=s.NOW, **invoice)
    Purchase.objects.filter(pk=purchase.pk).update(purchaser=store.purchaser.person_id)
    people = store.city.people
    purchase = ops.apply_for_purchase(actor=people["officer"], purchase=purchase, now=s.NOW, **invoice)
    with pytest.raises(NothingToBuy):
        ops.apply_for_purchase(actor=people["officer2"], purchase=purchase, now=s.NOW, **invoice)
    expense = purchase.disbursement
    assert expense is not None and expense.amount == 18_500 and "心愿采购" in expense.purpose
    disbursements.verify_disbursement(
        actor=people["officer2"], disbursement=expense, note="货已看过", now=s.NOW
    )
    disbursements.approve_disbursement(actor=people["manager"], disbursement=expense, now=s.NOW)
    w.pay_out(store.city, [expense])
    spent = figures([store.city.earmark])
    assert spent.spent == 18_500 and gift.amount == 20_100, "the difference stays in the shop's project"
    s.check()


def test_the_database_holds_orders_within_claims_and_quotes() -> None:
    store = s.build()
    wish = s.opened(store)
    s.paid(wish)
    purchase = ops.order_purchase(actor=store.purchaser, wish=wish, order=s.order(), now=s.NOW)
    for change, rule in (
        ("UPDATE wishes_purchase SET item_price = 30000, claimed = 40000", "costs more than was claimed"),
        (
            "DELETE FROM wishes_quote; UPDATE wishes_purchase SET supplier = 'x'",
            "neither two quotes nor a reason",
        ),
        ("UPDATE wishes_purchase SET item_price = claimed + 1", "purchase_within_claimed"),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic(), connection.cursor() as cursor:
            for each in change.split("; "):
                cursor.execute(each)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    ops.cancel_purchase(actor=store.purchaser, purchase=purchase, reason="缺货", now=s.NOW)
    assert s.of(wish) == ["secured"] and s.standing(wish) == ("claimed", 0)
    s.check()


def test_a_like_wish_is_met_instead_and_the_donor_is_told() -> None:
    store = s.build()
    wish, like = s.opened(store), s.opened(store, item_price=15_000)
    other, dear = s.opened(store, category="food"), s.opened(store, item_price=30_000)
    gift = s.paid(wish, email="giver@example.org")
    claim = Claim.objects.get(wish=wish)
    for to in (other, dear, wish):
        with pytest.raises(NotLike):
            ops.swap_claim(actor=store.purchaser, claim=claim, to=to, reason="停产了", now=s.NOW)
    made = ops.swap_claim(actor=store.purchaser, claim=claim, to=like, reason="这一款停产了", now=s.NOW)
    assert made.follows_id == claim.pk and s.of(wish) == ["swapped"] and s.of(like) == ["secured"]
    assert s.standing(wish) == ("open", 1) and left_of_gift(gift) == wish.cap - like.cap
    w.work()
    assert any("同类心愿" in each.subject and "停产" in each.body for each in mail.outbox)
    s.check()


def test_withdrawal_ends_waiting_claims_but_nothing_that_is_bought() -> None:
    store = s.build()
    wish, bought = s.opened(store), s.opened(store)
    gift = s.paid(wish, bought, email="giver@example.org")
    ops.withdraw_wish(actor=store.caseworker, wish=wish, reason="亲戚已经送了", now=s.NOW)
    assert s.of(wish) == ["withdrawn"] and s.standing(wish) == ("withdrawn", 0)
    assert left_of_gift(gift) == wish.cap
    s.bought(store, bought)
    with pytest.raises(DomainError) as refused:
        ops.withdraw_wish(actor=store.caseworker, wish=bought, reason="x", now=s.NOW)
    assert refused.value.code in ("wrong_state", "goods_under_way")
    w.work()
    assert any("撤回" in each.body and "没有丢" in each.body for each in mail.outbox)
    s.check()


def test_an_open_wish_is_only_rewritten_through_both_reviews() -> None:
    store = s.build()
    wish = s.opened(store)
    pledge = s.promised(wish)
    with pytest.raises((GoodsUnderWay, WrongState)):
        ops.reopen_draft(actor=store.caseworker, wish=wish, reason="改规格", now=s.NOW)
    ops.cancel_claims(actor=PUBLIC, pledge=pledge, now=s.NOW)
    ops.reopen_draft(actor=store.caseworker, wish=wish, reason="改规格", now=s.NOW)
    ops.rewrite_wish(actor=store.caseworker, wish=wish, draft=s.draft(item_price=21_000), now=s.NOW)
    assert s.standing(wish) == ("draft", 0)
    s.check()


def test_goods_to_a_warehouse_are_followed_as_goods() -> None:
    store = s.build()
    wish = s.opened(store)
    warehouse = store.warehouse()
    keeper = w.person("keeper", ("storekeeper", "warehouse", warehouse.pk))
    pledge = s.promised(wish, bring_to="warehouse", warehouse=warehouse)
    ops.note_sent(actor=PUBLIC, pledge=pledge, note="SF1234567", now=s.NOW)
    with pytest.raises(BadInput):
        ops.accept_pledge(actor=keeper, pledge=pledge, wish=wish, consignment="C-none", now=s.NOW)
    came = record_consignment(
        actor=keeper, warehouse=warehouse, giver=Giver("陈女士"), received_on=s.NOW.date(), now=s.NOW,
        lots=[LotDraft("折叠书桌", Decimal(1), "张", "appliance")],
    )  # fmt: skip
    ops.accept_pledge(actor=keeper, pledge=pledge, wish=wish, consignment=came.number, now=s.NOW)
    pledge.refresh_from_db()
    assert pledge.consignment == came and pledge.contact == "" and s.standing(wish) == ("in_progress", 0)
    with pytest.raises(NothingToConfirm):
        ops.accept_pledge(actor=keeper, pledge=pledge, wish=wish, consignment=came.number, now=s.NOW)
