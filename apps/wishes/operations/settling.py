"""How far a wish is, derived from its units under the wish's lock; every change of a claim ends here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.postgres.search import SearchVectorField
from django.db import connection
from django.db.models import Func, Value
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.pages import bump_epoch
from apps.core.text import pairs, unit_line
from apps.core.transitions import move
from apps.wishes.models import Claim, ClaimStatusChange, Wish, WishStatusChange
from apps.wishes.states import CLAIM_FORWARD, FORWARD, WITH_CLAIMS, ClaimStatus, WishStatus

WITHDREW = _("家庭撤回同意")
REOPENED = dt.timedelta(days=15)
"""A wish whose claim ended late gets so much time again, even where its 90 days are over."""

_COUNT = """
SELECT u.wish_id,
  count(*) FILTER (WHERE u.closed_at IS NULL AND c.id IS NULL) AS free,
  count(c.id) FILTER (WHERE c.status IN ('held', 'promised', 'secured')) AS waiting,
  count(c.id) FILTER (WHERE c.status IN ('ordered', 'arrived')) AS under_way,
  count(c.id) FILTER (WHERE c.status = 'handed') AS handed,
  count(c.id) FILTER (WHERE c.status = 'confirmed') AS confirmed
FROM wishes_unit u LEFT JOIN wishes_claim c ON c.unit_id = u.id AND c.ended_at IS NULL
WHERE u.wish_id = ANY(%s) GROUP BY u.wish_id
"""


def lock_wishes(ids: Iterable[int]) -> dict[int, Wish]:
    """This will lock wishes in id order. Rows of projects and gifts are locked before, units and claims after."""
    rows = Wish.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(ids)).order_by("id")
    return {wish.pk: wish for wish in rows}


def lock_wish(pk: int) -> Wish:
    """This will lock one wish against everything, new claims included."""
    return Wish.objects.select_for_update(of=("self",)).select_related("town", "household").get(pk=pk)


def settle_wishes(ids: Iterable[int], *, actor: Actor, now: dt.datetime, reason: str = "") -> dict[int, Wish]:
    """This will lock wishes, count their units anew and move each to where its least advanced unit is."""
    wishes = lock_wishes(ids)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [list(wishes)])
        counts = {row[0]: row[1:] for row in cursor.fetchall()}
    for pk, wish in wishes.items():
        if wish.status not in WITH_CLAIMS:
            continue
        free, waiting, under_way, handed, confirmed = counts[pk]
        wish.free = free
        wish.left_bp = 10_000 * free // wish.quantity
        wish.save(update_fields=["free", "left_bp"])
        standing = _standing(free, waiting, under_way, handed, confirmed)
        if standing is None and wish.hidden_at is not None and wish.status != WishStatus.FULFILLED:
            # Taken down, and what was under way came to nothing: there is nobody left to wait for.
            standing, reason = WishStatus.WITHDRAWN, str(WITHDREW)
            Wish.objects.filter(pk=pk).update(reason=reason)
        if standing is not None and standing != wish.status:
            ended = standing in (WishStatus.FULFILLED, WishStatus.WITHDRAWN)
            more: dict[str, object] = {"ended_at": now} if ended else {}
            if standing == WishStatus.OPEN and wish.open_until is not None:
                more = {"open_until": max(wish.open_until, now + REOPENED)}
            move(wish, standing, forward=FORWARD, history=WishStatusChange, actor=actor, now=now, reason=reason,
                 **more)  # fmt: skip
    bump_epoch()
    return wishes


def _standing(free: int, waiting: int, under_way: int, handed: int, confirmed: int) -> WishStatus | None:
    if free:
        return WishStatus.OPEN
    if under_way:
        return WishStatus.IN_PROGRESS
    if waiting:
        return WishStatus.CLAIMED
    if handed:
        return WishStatus.DELIVERED
    return WishStatus.FULFILLED if confirmed else None


def move_claim(
    claim: Claim, to: ClaimStatus, *, actor: Actor, now: dt.datetime, reason: str = "", **fields: object
) -> None:
    """This will move a locked claim along its table, with its history row."""
    move(claim, to, forward=CLAIM_FORWARD, history=ClaimStatusChange, actor=actor, now=now, reason=reason,
         **fields)  # fmt: skip


def write_words(wish: Wish) -> None:
    """This will write what a wish is found by: pairs of the units of its public text (core.text)."""
    texts = (wish.title, wish.item, wish.spec, wish.why, wish.title_en, wish.get_category_display())
    tokens = sorted(set(pairs(unit_line(texts).split())))
    made = Func(Value(tokens), function="array_to_tsvector", output_field=SearchVectorField())
    Wish.objects.filter(pk=wish.pk).update(words=made)
