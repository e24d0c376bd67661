"""Claims that end, by the clock, by money's events or by the donor: the unit is free again, the money never lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.events import publish
from apps.core.policies import authorize
from apps.donations.models import Gift
from apps.donations.states import GiftStatus
from apps.wishes import policies
from apps.wishes.errors import AlreadyClaimed, GoodsUnderWay
from apps.wishes.events import ClaimEnded
from apps.wishes.models import Claim, Pledge
from apps.wishes.operations.claiming import UNDELIVERED, take
from apps.wishes.operations.settling import lock_wishes, move_claim, settle_wishes
from apps.wishes.queries import left_of_gift
from apps.wishes.states import WAITING, ClaimStatus


@transaction.atomic
def secure_claims(*, actor: Actor, gift_id: int, now: dt.datetime) -> int:
    """This will note that a gift's money arrived for its claims. A claim that had ended takes its unit again where that
    is still free and the money came into the shop's project; else the gift stays the shop's fund's, and its page offers
    another wish (W3). Safe to repeat. Returns how many claims are secured.
    """
    authorize(policies.can_follow_money, actor)
    if not Claim.objects.filter(gift=gift_id).exists():
        return 0
    gift = Gift.objects.select_for_update(of=("self",)).get(pk=gift_id)
    if gift.status != GiftStatus.RECEIVED:
        return 0
    claims = lock_claims(Claim.objects.filter(gift=gift_id))
    secured = 0
    for claim in claims:
        if claim.status == ClaimStatus.HELD and not gift.late:
            move_claim(
                claim, ClaimStatus.SECURED, actor=actor, now=now, secured_at=now, due_at=now + UNDELIVERED
            )
            secured += 1
        elif claim.status == ClaimStatus.HELD:
            _end(claim, ClaimStatus.EXPIRED, actor, now, str(_("付款过期之后钱才到")))
    settle_wishes({claim.wish_id for claim in claims}, actor=actor, now=now)
    if not gift.late:
        secured += _take_again(actor, gift, claims, now)
    return secured


def _take_again(actor: Actor, gift: Gift, claims: Iterable[Claim], now: dt.datetime) -> int:
    taken = 0
    for claim in claims:
        if claim.status != ClaimStatus.EXPIRED or claim.secured_at or claim.followed_by.exists():
            continue
        if left_of_gift(gift) < claim.wish.cap:
            continue
        try:
            with transaction.atomic():
                take(actor=actor, lines={claim.wish: 1}, gift=gift, status=ClaimStatus.SECURED,
                     due=now + UNDELIVERED, now=now, follows=claim)  # fmt: skip
            taken += 1
        except AlreadyClaimed:
            publish(ClaimEnded(claim_id=claim.pk, status=ClaimStatus.EXPIRED))
    return taken


@transaction.atomic
def free_unpaid(*, actor: Actor, payment_id: int, now: dt.datetime) -> int:
    """This will free what a payment held that expired or failed. Safe to repeat."""
    authorize(policies.can_follow_money, actor)
    claims = lock_claims(Claim.objects.filter(gift__payment=payment_id, status=ClaimStatus.HELD))
    return _end_all(claims, ClaimStatus.EXPIRED, actor, now, str(_("没有付款")))


@transaction.atomic
def free_refunded(*, actor: Actor, gift_id: int, now: dt.datetime) -> int:
    """This will free claims that a gift no longer pays for, the newest first, nothing bought yet. Safe to repeat."""
    authorize(policies.can_follow_money, actor)
    if not Claim.objects.filter(gift=gift_id).exists():
        return 0
    gift = Gift.objects.select_for_update(of=("self",)).get(pk=gift_id)
    ended = []
    for claim in reversed(lock_claims(Claim.objects.filter(gift=gift_id, ended_at=None))):
        if left_of_gift(gift) >= 0:
            break
        if claim.status in WAITING:
            _end(claim, ClaimStatus.CANCELLED, actor, now, str(_("捐赠已退款")))
            ended.append(claim)
    settle_wishes({claim.wish_id for claim in ended}, actor=actor, now=now)
    return len(ended)


@transaction.atomic
def free_overdue(*, actor: Actor, now: dt.datetime, limit: int = 200) -> int:
    """This will end claims whose time is over: unpaid for 3 days, promised or paid and neither brought nor ordered for
    15 (W3). The wishes open again. Any number may run at once: what one has ended, the next leaves alone."""
    authorize(policies.can_keep_time, actor)
    due = Claim.objects.filter(ended_at=None, due_at__lte=now, status__in=WAITING)
    first = list(due.order_by("due_at", "id").values_list("pk", flat=True)[:limit])
    rows = lock_claims(due.filter(pk__in=first))
    return _end_all(rows, ClaimStatus.EXPIRED, actor, now, str(_("到期没有付款或送到")))


@transaction.atomic
def cancel_claims(*, actor: Actor, gift: Gift | None = None, pledge: Pledge | None = None, only: str = "",
                  now: dt.datetime) -> int:  # fmt: skip
    """This will let a donor give a claim up: all of a gift or a promise, or the one whose public id is `only`. Money
    that arrived stays with the shop's project, for another wish or to be asked back. Safe to repeat.

    Raises GoodsUnderWay once something was ordered or brought.
    """
    authorize(policies.can_change_own_claim, actor)
    rows = Claim.objects.filter(gift=gift) if gift is not None else Claim.objects.filter(pledge=pledge)
    live = lock_claims(rows.filter(ended_at=None, **({"public_id": only} if only else {})))
    if any(claim.status not in WAITING for claim in live):
        raise GoodsUnderWay()
    if pledge is not None:
        forget_contact(pledge)
    return _end_all(live, ClaimStatus.CANCELLED, actor, now)


def forget_contact(pledge: Pledge) -> None:
    """This will delete who promised, once nobody needs to call any more."""
    Pledge.objects.filter(pk=pledge.pk).update(contact="")


def lock_claims(rows: QuerySet[Claim]) -> list[Claim]:
    """This will lock the wishes of some claims, then the claims, each in id order; what fits no more is left out."""
    lock_wishes(rows.order_by().values_list("wish", flat=True).distinct())
    return list(rows.select_for_update(of=("self",)).select_related("wish").order_by("id"))


def _end(claim: Claim, to: ClaimStatus, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    move_claim(claim, to, actor=actor, now=now, reason=reason, ended_at=now, due_at=None)
    publish(ClaimEnded(claim_id=claim.pk, status=to))


def _end_all(claims: list[Claim], to: ClaimStatus, actor: Actor, now: dt.datetime, reason: str = "") -> int:
    for claim in claims:
        _end(claim, to, actor, now, reason)
        if claim.pledge_id:
            Pledge.objects.filter(pk=claim.pledge_id).update(contact="")
    settle_wishes({claim.wish_id for claim in claims}, actor=actor, now=now)
    return len(claims)
