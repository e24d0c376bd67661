"""Two reviews by two people, neither of whom wrote the wish (W2); and how a wish leaves the shop."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.pages import bump_epoch
from apps.core.policies import Policy, authorize
from apps.core.transitions import check_move, move
from apps.publication.privacy import check_publishable
from apps.wishes import policies
from apps.wishes.errors import GoodsUnderWay, PhotoNotLookedAt, TwoReviewers
from apps.wishes.events import ClaimEnded, WishOpened
from apps.wishes.models import Claim, Thanks, Wish, WishPhoto, WishStatusChange
from apps.wishes.operations.drafting import SPOKEN
from apps.wishes.operations.settling import WITHDREW, lock_wish, move_claim, settle_wishes
from apps.wishes.states import ENDED, FORWARD, WAITING, ClaimStatus, WishStatus

OPEN_DAYS = 90
"""So long a wish waits in the shop before the caseworker is asked whether it still holds."""


@transaction.atomic
def approve_in_town(*, actor: Actor, wish: Wish, photo_ok: bool = False, now: dt.datetime) -> Wish:
    """This will pass a wish on to the city: the town knows the need. Raises TwoReviewers, PhotoNotLookedAt."""
    wish = lock_wish(wish.pk)
    _authorize(policies.can_review_in_town, actor, wish)
    check_move(wish, WishStatus.CITY_REVIEW, FORWARD)
    _look_at_photo(actor, wish, photo_ok)
    move(wish, WishStatus.CITY_REVIEW, forward=FORWARD, history=WishStatusChange, actor=actor, now=now,
         town_reviewer_id=actor.person_id, town_reviewed_at=now)  # fmt: skip
    return wish


@transaction.atomic
def approve_in_city(*, actor: Actor, wish: Wish, photo_ok: bool = False, now: dt.datetime) -> Wish:
    """This will put a wish into the shop for 90 days (W2). Raises TwoReviewers, PhotoNotLookedAt."""
    wish = lock_wish(wish.pk)
    _authorize(policies.can_review_in_city, actor, wish)
    check_move(wish, WishStatus.OPEN, FORWARD)
    _look_at_photo(actor, wish, photo_ok)
    # Once more against the files as they are now: they may have grown since the caseworker wrote.
    check_publishable(
        "\n".join(getattr(wish, name) for name in SPOKEN), field="reason", town_ids=[wish.town_id]
    )
    move(
        wish, WishStatus.OPEN, forward=FORWARD, history=WishStatusChange, actor=actor, now=now,
        city_reviewer_id=actor.person_id, opened_at=now, open_until=now + dt.timedelta(days=OPEN_DAYS),
        urgent_rank=wish.urgency * 2**40 + int(now.timestamp()),
    )  # fmt: skip
    settle_wishes([wish.pk], actor=actor, now=now)
    publish(WishOpened(wish_id=wish.pk))
    wish.refresh_from_db()
    return wish


@transaction.atomic
def reject_wish(*, actor: Actor, wish: Wish, reason: str, now: dt.datetime) -> Wish:
    """This will give a wish back to its caseworker with a reason. Raises BadInput without one."""
    wish = lock_wish(wish.pk)
    rule: Policy = (
        policies.can_review_in_city if wish.status == WishStatus.CITY_REVIEW else policies.can_review_in_town
    )
    _authorize(rule, actor, wish)
    _needs(reason)
    check_move(wish, WishStatus.REJECTED, FORWARD)
    wish.reason = reason.strip()[:200]
    wish.save(update_fields=["reason"])
    move(wish, WishStatus.REJECTED, forward=FORWARD, history=WishStatusChange, actor=actor, now=now,
         reason=wish.reason)  # fmt: skip
    return wish


@transaction.atomic
def withdraw_wish(*, actor: Actor, wish: Wish, reason: str, now: dt.datetime) -> Wish:
    """This will take a wish back, because the family wants it or needs it no more. Claims that wait end, and their
    donors are offered another wish. The reason stays inside. Raises GoodsUnderWay once something is bought or brought.
    """
    wish = lock_wish(wish.pk)
    authorize(policies.can_change_wish, actor, wish)
    _needs(reason)
    check_move(wish, WishStatus.WITHDRAWN, FORWARD)
    live = _live(wish)
    if any(claim.status not in WAITING for claim in live):
        raise GoodsUnderWay()
    _withdraw(actor, wish, live, reason.strip()[:200], now)
    return wish


@transaction.atomic
def take_down_wish(*, actor: Actor, wish: Wish, photo_only: bool = False, now: dt.datetime) -> Wish:
    """This will hide a wish and its thanks because the family withdrew its consent, and destroy the photos; with
    `photo_only` the photos alone (C4). Claims that wait end; what is bought or brought still reaches the family, unseen
    by anybody but its giver. A draft stays a draft. Safe to repeat."""
    wish = lock_wish(wish.pk)
    authorize(policies.can_follow_consent, actor)
    WishPhoto.objects.filter(wish=wish).delete()
    Thanks.objects.filter(wish=wish).update(photo=None, photo_sha256="")
    wish.photo_consent, wish.consent_for_photo = False, None
    wish.save(update_fields=["photo_consent", "consent_for_photo"])
    bump_epoch()
    if photo_only or wish.status in (WishStatus.DRAFT, WishStatus.REJECTED) or wish.hidden_at is not None:
        return wish
    live = _live(wish)
    for claim in live:
        if claim.status in WAITING:
            _end(claim, actor, now)
    wish.units.update(closed_at=now)
    if any(claim.status not in ENDED for claim in live):
        settle_wishes([wish.pk], actor=actor, now=now, reason=str(WITHDREW))
    elif wish.status not in (WishStatus.WITHDRAWN, WishStatus.EXPIRED):
        _withdraw(actor, wish, [], str(WITHDREW), now)
    Wish.objects.filter(pk=wish.pk).update(hidden_at=now)
    wish.refresh_from_db()
    return wish


def _live(wish: Wish) -> list[Claim]:
    return list(Claim.objects.select_for_update(of=("self",)).filter(wish=wish, ended_at=None).order_by("id"))


def _end(claim: Claim, actor: Actor, now: dt.datetime) -> None:
    move_claim(claim, ClaimStatus.WITHDRAWN, actor=actor, now=now, ended_at=now)
    publish(ClaimEnded(claim_id=claim.pk, status=ClaimStatus.WITHDRAWN))


def _withdraw(actor: Actor, wish: Wish, live: list[Claim], reason: str, now: dt.datetime) -> None:
    for claim in live:
        _end(claim, actor, now)
    wish.units.update(closed_at=now)
    wish.reason, wish.free = reason, 0
    wish.save(update_fields=["reason", "free"])
    move(
        wish,
        WishStatus.WITHDRAWN,
        forward=FORWARD,
        history=WishStatusChange,
        actor=actor,
        now=now,
        ended_at=now,
    )
    bump_epoch()


@transaction.atomic
def reopen_draft(*, actor: Actor, wish: Wish, reason: str, now: dt.datetime) -> Wish:
    """This will take an expired wish, or an open one that nobody has claimed, back to its draft: to be reviewed anew.
    Raises WrongState, GoodsUnderWay."""
    wish = lock_wish(wish.pk)
    authorize(policies.can_change_wish, actor, wish)
    _needs(reason)
    if Claim.objects.filter(wish=wish, ended_at=None).exists():
        raise GoodsUnderWay(_("有人认领了，文字和价格不能再改。认领结束之后再改，或撤回心愿。"))
    wish.units.update(closed_at=None)
    move(wish, WishStatus.DRAFT, forward=FORWARD, history=WishStatusChange, actor=actor, now=now,
         opened_at=None, open_until=None, ended_at=None, free=0)  # fmt: skip
    bump_epoch()
    return wish


@transaction.atomic
def expire_wishes(*, actor: Actor, now: dt.datetime, limit: int = 200) -> int:
    """This will take wishes out of the shop whose 90 days are over: free units close; what is claimed goes on (W2).
    Any number may run at once."""
    authorize(policies.can_keep_time, actor)
    rows = list(
        Wish.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(status=WishStatus.OPEN, open_until__lte=now).order_by("open_until")[:limit]
    )  # fmt: skip
    for wish in rows:
        live = Claim.objects.filter(unit=OuterRef("pk"), ended_at=None)
        wish.units.filter(~Exists(live)).update(closed_at=now)
        if Claim.objects.filter(wish=wish, ended_at=None).exists():
            settle_wishes([wish.pk], actor=actor, now=now, reason=str(_("余下的没人认领，到期")))
        else:
            wish.free = 0
            wish.save(update_fields=["free"])
            move(wish, WishStatus.EXPIRED, forward=FORWARD, history=WishStatusChange, actor=actor, now=now,
                 ended_at=now)  # fmt: skip
    if rows:
        bump_epoch()
    return len(rows)


def _authorize(rule: Policy, actor: Actor, wish: Wish) -> None:
    """Says plainly when it is the very person, not the role, that is wrong."""
    if actor.person_id is not None and actor.person_id in (wish.caseworker_id, wish.town_reviewer_id):
        raise TwoReviewers()
    authorize(rule, actor, wish)


def _look_at_photo(actor: Actor, wish: Wish, ok: bool) -> None:
    photo = WishPhoto.objects.select_for_update(of=("self",)).filter(wish=wish).defer("content").first()
    if photo is None:
        return
    if not ok:
        raise PhotoNotLookedAt()
    photo.looked_at_by_id = actor.person_id
    photo.save(update_fields=["looked_at_by"])


def _needs(reason: str) -> None:
    if not reason.strip():
        raise BadInput(_("请写明原因，会留在记录里。"), field="reason")
    check_publishable(reason, field="reason")
