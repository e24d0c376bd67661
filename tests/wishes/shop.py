"""A shop for tests, made by the operations themselves: its project, a city reviewer, a purchaser, a warehouse."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from apps.casework.models import Consent, Household, Purpose
from apps.casework.operations import give_consent
from apps.core.actors import PUBLIC, Actor
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.donations.models import Gift
from apps.donations.operations import GiftRequest, start_gift_checkout
from apps.inventory.models import Warehouse
from apps.inventory.operations import add_warehouse
from apps.wishes import operations as ops
from apps.wishes.models import Claim, Pledge, Wish
from apps.wishes.operations import OrderDraft, Promise, QuoteDraft, WishDraft
from charity_site.demonstration.clockwork import work
from tests import world as w

NOW = w.NOW


@dataclass
class Store:
    city: w.World
    family: Household
    caseworker: Actor
    caseworker2: Actor
    reviewer: Actor
    city_reviewer: Actor
    purchaser: Actor
    manager: Actor

    def warehouse(self) -> Warehouse:
        known = Warehouse.objects.first()
        return known or add_warehouse(
            actor=self.manager, organization=self.city.organization, code="main", name="博爱仓库",
            name_en="Bo'ai warehouse", address="澜江市博爱路18号", shelves=("A-01",),
        )  # fmt: skip


def build(*, target: int = 50_000_000) -> Store:
    """This will open the shop in the world's city, with one family in Shiqiao."""
    return build_in(w.build(target=target))


def build_in(city: w.World) -> Store:
    """This will open the shop in a city that stands."""
    people = city.people
    people["city_reviewer"] = w.person("city_reviewer", ("city_reviewer", "city", 0))
    people["purchaser"] = w.person("purchaser", ("purchaser", "organization", city.organization.pk))
    ops.choose_shop_project(actor=people["manager"], project=city.project, now=NOW)
    return Store(
        city, w.household(city, 901), people["caseworker_shiqiao"], people["caseworker2_shiqiao"],
        people["reviewer_shiqiao"], people["city_reviewer"], people["purchaser"], people["manager"],
    )  # fmt: skip


def draft(**over: Any) -> WishDraft:
    fields: dict[str, Any] = {
        "category": "learning", "title": "想要一张能写字的桌子", "item": "折叠书桌", "spec": "80×50厘米，可调高度",
        "item_price": 18_900, "delivery_price": 1_200, "age_band": "10-12", "alias": "小满", "consent_by": "guardian",
    }  # fmt: skip
    return WishDraft(**(fields | over))


def agree(store: Store, family: Household, *purposes: str) -> list[Consent]:
    """This will record a family's consents to a wish and its photo, by the office that is guardian; those that stand
    are given back."""
    actor, head = store.city.people[f"caseworker_{family.town.code}"], family.members.get(relation="head")
    made = []
    for purpose in purposes or (Purpose.WISH, Purpose.WISH_PHOTO):
        standing = Consent.objects.filter(member=head, purpose=purpose, withdrawal=None).first()
        made.append(
            standing or give_consent(actor=actor, member=head, purpose=purpose, given_by="office", now=NOW)
        )
    return made


def drafted(store: Store, *, family: Household | None = None, now: dt.datetime = NOW, **over: Any) -> Wish:
    where = family or store.family
    agree(store, where)
    return ops.draft_wish(
        actor=store.city.people[f"caseworker_{where.town.code}"], household=where, draft=draft(**over), consented=True,
        now=now,
    )  # fmt: skip


def opened(store: Store, *, now: dt.datetime = NOW, **over: Any) -> Wish:
    """This will take a wish through both reviews."""
    wish = drafted(store, now=now, **over)
    people = store.city.people
    code = wish.town.code
    ops.submit_wish(actor=people[f"caseworker_{code}"], wish=wish, now=now)
    ops.approve_in_town(actor=people[f"reviewer_{code}"], wish=wish, photo_ok=True, now=now)
    return ops.approve_in_city(actor=store.city_reviewer, wish=wish, photo_ok=True, now=now)


def asked(wish_lines: dict[Wish, int], **over: Any) -> GiftRequest:
    total = ops.basket_total(wish_lines)
    return GiftRequest(
        **({"money": Money(total), "method": "wechat_pay", "key": secrets.token_hex(8)} | over)
    )


def claim(*wishes: Wish, count: int = 1, actor: Actor = PUBLIC, now: dt.datetime = NOW, **typed: Any) -> Gift:
    """This will claim by money and open the test cashier."""
    lines = dict.fromkeys(wishes, count)
    gift = ops.claim_by_money(actor=actor, lines=lines, request=asked(lines, **typed), now=now)
    start_gift_checkout(actor=PUBLIC, gift=gift, return_url=f"/gifts/{gift.token}/", cancel_url="/", now=now)
    return gift


def paid(*wishes: Wish, count: int = 1, now: dt.datetime = NOW, **typed: Any) -> Gift:
    gift = claim(*wishes, count=count, now=now, **typed)
    w.pay(gift, now=now)
    work(now)
    gift.refresh_from_db()
    return gift


def promise(**over: Any) -> Promise:
    fields: dict[str, Any] = {
        "bring_to": "caseworker", "contact": "陈女士", "phone": "13900001111", "key": secrets.token_hex(8),
    }  # fmt: skip
    return Promise(**(fields | over))


def promised(wish: Wish, count: int = 1, *, now: dt.datetime = NOW, **over: Any) -> Pledge:
    return ops.promise_goods(actor=PUBLIC, wish=wish, count=count, promise=promise(**over), now=now)


def order(item: int = 17_500, delivery: int = 1_000, **over: Any) -> OrderDraft:
    total = item + delivery
    fields: dict[str, Any] = {
        "supplier": "学苑文具", "item_price": item, "delivery_price": delivery,
        "quotes": [QuoteDraft("学苑文具", total), QuoteDraft("书香家具", total + 1_000)],
    }  # fmt: skip
    return OrderDraft(**(fields | over))


def bought(store: Store, wish: Wish, **over: Any) -> None:
    """This will order and accept what was claimed with money."""
    purchase = ops.order_purchase(actor=store.purchaser, wish=wish, order=order(**over), now=NOW)
    ops.accept_purchase(actor=store.caseworker, purchase=purchase, now=NOW)


def fulfilled(store: Store, wish: Wish) -> Wish:
    """This will take a paid wish to the family's own word."""
    bought(store, wish)
    ops.hand_over(actor=store.caseworker, wish=wish, now=NOW)
    return ops.confirm_by_slip(actor=store.caseworker, wish=wish, slip=f"S-{wish.pk}", now=NOW)


def of(wish: Wish) -> list[str]:
    """The statuses of a wish's claims, oldest first."""
    return list(Claim.objects.filter(wish=wish).order_by("id").values_list("status", flat=True))


def standing(wish: Wish) -> tuple[str, int]:
    wish.refresh_from_db()
    return wish.status, wish.free


def check() -> None:
    """Every invariant of wishes, money and goods holds."""
    for invariant in ordered():
        if invariant.name.startswith("wishes.") or invariant.number in (1, 2, 3, 4, 5):
            found = invariant.check()
            assert not found.broken, (invariant.name, found.broken)
