"""Limits against card testing (money.md): how many unpaid gifts an address, a device, a session and a project may have
at once, how much of a target an address may hold, and a breaker on the share of payments that come to nothing.

Counters are in the cache; one that is away stops nobody. A paid gift gives its places back and earns its address
another one, so that many who give from one office or one mobile network are never stopped by each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.core.cache import cache
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.clock import civil_day
from apps.core.limits import TooMany, count_use, hidden, uncount
from apps.core.money import Money
from apps.core.visitors import Visitor
from apps.donations.models import Gift, StoppedAttempt
from apps.donations.states import GiftStatus, Limit, Source
from apps.funds.models import MicroFund, Project

log = structlog.get_logger(__name__)

HOUR = 3600
PLACES = {Limit.ADDRESS: 10, Limit.DEVICE: 6, Limit.SESSION: 6, Limit.PROJECT: 1000}
"""Unpaid gifts within an hour."""

HOLD_SECONDS = 24 * HOUR
FREE_HOLDS = 2
HOLD_LEAST, HOLD_SHARE = 2_000_000, 10
"""From its third unpaid gift to a project within a day on, an address may hold ¥20,000 or a tenth of the target."""

BREAKER_WINDOW = dt.timedelta(hours=1)
BREAKER = {Limit.DECLINES: (50, 30, 90), Limit.SITE: (300, 100, 90)}
"""Of the last so many openings within the window, when at least so many have ended: per cent that came to nothing."""

ONE_BY_ONE = 100
"""Stopped attempts of one address or device are kept one by one so often, then by the hundred."""

WAIT: dict[str, str | Promise] = {
    Limit.ADDRESS: _("从这个网络打开的付款太多，都还没有付。没有扣款。请先付完，或一小时后再试，或用银行转账。"),
    Limit.DEVICE: _("这台设备打开的付款太多，都还没有付。没有扣款。请先付完，或一小时后再试，或用银行转账。"),
    Limit.SESSION: _("您打开的付款太多，都还没有付。没有扣款。请先付完，或一小时后再试，或用银行转账。"),
    Limit.PROJECT: _("这个项目正在付款的人太多。没有扣款。请过几分钟再试，或用银行转账，账户在项目页。"),
    Limit.HELD: _("从这个网络打开、没有付的金额太多，占住了项目的目标。没有扣款。请改小金额，或用银行转账。"),
    Limit.DECLINES: _("这个项目最近的网上付款大多没有成功，先停一会儿。没有扣款。请一小时后再试，或用银行转账。"),
    Limit.SITE: _("最近的网上付款大多没有成功，先停一会儿。没有扣款。请一小时后再试，或用银行转账。"),
}  # fmt: skip


class TooManyOpenings(TooMany):
    """A limit stopped the attempt; `limit` says which, `wait` for how many seconds."""

    code = "too_many_openings"

    def __init__(self, limit: str) -> None:
        self.limit = limit
        self.wait = HOLD_SECONDS if limit == Limit.HELD else HOUR
        super().__init__(WAIT[limit])


@dataclass(frozen=True, slots=True)
class Places:
    """What an attempt counted: (scope, who, how much) each; given back where it opens nothing or is paid."""

    taken: tuple[tuple[str, str, int], ...] = ()

    def give_back(self) -> None:
        for scope, who, by in self.taken:
            uncount(scope, who, by=by)


def take_places(
    *, visitor: Visitor, fund: MicroFund, project: Project | None, money: Money, now: dt.datetime
) -> Places:
    """This will count an attempt at every limit, or keep it as stopped and raise TooManyOpenings, with nothing counted.

    Called outside any lock: a script's attempts must not wait for the project's row, nor let a donor wait.
    """
    for limit, among in ((Limit.DECLINES, project), (Limit.SITE, None)):
        if (among or limit == Limit.SITE) and _comes_to_nothing(limit, among, now):
            _stop(limit, visitor, fund, project, money, now)
    taken: list[tuple[str, str, int]] = []
    for limit, who in _counted(visitor, project):
        taken.append((f"give:{limit}", who, 1))
        if count_use(f"give:{limit}", who, seconds=HOUR) > PLACES[limit]:
            Places(tuple(taken)).give_back()
            _stop(limit, visitor, fund, project, money, now)
    if visitor.address and project is not None:
        who = f"{visitor.address}:{project.pk}"
        taken += [("give:holds", who, 1), ("give:held", who, money.minor)]
        holds = count_use("give:holds", who, seconds=HOLD_SECONDS)
        held = count_use("give:held", who, seconds=HOLD_SECONDS, by=money.minor)
        if holds > FREE_HOLDS and held > max(HOLD_LEAST, project.target // HOLD_SHARE):
            Places(tuple(taken)).give_back()
            _stop(Limit.HELD, visitor, fund, project, money, now)
    return Places(tuple(taken))


def remember_places(gift: int, places: Places) -> None:
    """This will keep what a gift took until it is paid or a day has passed. Called after its transaction."""
    if not places.taken:
        return
    try:
        cache.set(f"give:of:{gift}", [list(each) for each in places.taken], HOLD_SECONDS)
    except Exception as error:
        log.warning("limits.places_not_kept", error=type(error).__name__)


def give_places_back(gifts: Iterable[int]) -> None:
    """This will free the places of paid gifts, and give the address one more. Safe to repeat: each is freed once."""
    keys = [f"give:of:{gift}" for gift in gifts]
    try:
        found = cache.get_many(keys)
        for key, taken in found.items():
            if not cache.delete(key):
                continue  # somebody else frees it
            for scope, who, by in taken:
                uncount(scope, who, by=by + (scope == f"give:{Limit.ADDRESS}"))
    except Exception as error:
        log.warning("limits.places_not_freed", error=type(error).__name__)


def _counted(visitor: Visitor, project: Project | None) -> list[tuple[Limit, str]]:
    each = (
        (Limit.DEVICE, visitor.device), (Limit.SESSION, visitor.session), (Limit.ADDRESS, visitor.address),
        (Limit.PROJECT, str(project.pk) if project and visitor.address else ""),
    )  # fmt: skip
    return [(limit, who) for limit, who in each if who]


def _comes_to_nothing(limit: Limit, project: Project | None, now: dt.datetime) -> bool:
    """Whether nearly all of the latest openings failed or expired: what a list of stolen cards looks like."""
    last, least, percent = BREAKER[limit]
    rows = Gift.objects.filter(
        source=Source.ONLINE,
        opened_at__gt=now - BREAKER_WINDOW,
        opened_at__lte=now,
        payment__subscription=None,
    )
    if project is not None:
        rows = rows.filter(project=project)
    states = list(rows.order_by("-opened_at", "-id").values_list("status", flat=True)[:last])
    ended = [each for each in states if each != GiftStatus.OPENED]
    lost = [each for each in ended if each in (GiftStatus.EXPIRED, GiftStatus.FAILED)]
    return len(ended) >= least and len(lost) * 100 >= percent * len(ended)


def _stop(
    limit: Limit, visitor: Visitor, fund: MicroFund, project: Project | None, money: Money, now: dt.datetime
) -> None:
    """Keeps the attempt and refuses it. What a script adds to the table is bounded."""
    who = f"{limit}:{visitor.address or visitor.device or visitor.session}"
    n = count_use("give:stopped", who, seconds=HOUR)
    times = 1 if n <= ONE_BY_ONE else ONE_BY_ONE if n % ONE_BY_ONE == 0 else 0
    if times:
        day = civil_day(now)
        with transaction.atomic():
            StoppedAttempt.objects.create(
                at=now, limit=limit, fund=fund, project=project, amount=money.minor, currency=money.currency,
                address=hidden(f"{day}:{visitor.address}") if visitor.address else "",
                device=hidden(f"{day}:{visitor.device}") if visitor.device else "", times=times,
            )  # fmt: skip
    log.warning("donations.attempt_stopped", limit=str(limit), times=n)
    raise TooManyOpenings(limit)
