"""Claiming units of wishes, by money through giving or by a promise of goods (W3, W4).

The unique index `claim_one_live_per_unit` alone decides who was first: free units are read without a lock, inserted,
and what the index refuses was somebody else's. The wish's row is locked last, when its counters are written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import crypto
from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.ids import new_public_id
from apps.core.limits import TooMany, count_use
from apps.core.policies import authorize
from apps.core.visitors import NOBODY, Visitor
from apps.donations.models import Gift
from apps.donations.operations import GiftRequest, open_gift, redirect_gift
from apps.donations.operations.opening import FormUsed
from apps.donations.states import GiftStatus
from apps.funds.operations import lock_project
from apps.inventory.models import Warehouse
from apps.wishes import policies
from apps.wishes.errors import (
    AlreadyClaimed,
    BadUnits,
    BasketEmpty,
    NoShop,
    NothingLeftToClaim,
    OwnWish,
    UnknownWish,
)
from apps.wishes.models import MOST_UNITS, Claim, ClaimStatusChange, Pledge, Wish
from apps.wishes.operations.settling import settle_wishes
from apps.wishes.queries import left_of_gift, shop_project
from apps.wishes.states import BringTo, ClaimStatus, Way, WishStatus

UNPAID = dt.timedelta(days=3)
UNDELIVERED = dt.timedelta(days=15)
MOST_LINES = 20
PROMISES, WINDOW = 10, 24 * 3600
"""So many promises of goods an address may make in a day: a promise costs nothing, and holds a wish for 15 days."""

_FREE = """
SELECT u.id FROM wishes_unit u
WHERE u.wish_id = %s AND u.closed_at IS NULL AND u.id <> ALL(%s)
  AND NOT EXISTS (SELECT 1 FROM wishes_claim c WHERE c.unit_id = u.id AND c.ended_at IS NULL)
ORDER BY u.n LIMIT %s
"""
_TAKE = """
INSERT INTO wishes_claim (public_id, wish_id, unit_id, way, status, amount, gift_id, pledge_id, follows_id,
                          claimed_at, secured_at, due_at, reason)
SELECT t.public_id, %(wish)s, t.unit_id, %(way)s, %(status)s, %(amount)s, %(gift)s, %(pledge)s, %(follows)s,
       %(now)s, %(secured)s, %(due)s, ''
FROM unnest(%(ids)s::text[], %(units)s::bigint[]) AS t(public_id, unit_id) ORDER BY t.unit_id
ON CONFLICT DO NOTHING RETURNING id, unit_id
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """Who will bring goods, and where to. `key` comes with the form, so that a double click promises once."""

    bring_to: str
    contact: str
    phone: str
    key: str
    warehouse: Warehouse | None = None
    email: str = ""
    language: str = "zh-hans"


class ContactMissing(BadInput):
    code = "contact_missing"
    message = _("请留下称呼和电话：仓库或社工要和您约时间。送到之后就删除。")
    field = "phone"


def basket_total(lines: Mapping[Wish, int]) -> int:
    """This will add up what a basket claims, fen: the price caps of all pieces."""
    return sum(wish.cap * count for wish, count in lines.items())


def claim_by_money(
    *, actor: Actor, lines: Mapping[Wish, int], request: GiftRequest, now: dt.datetime, visitor: Visitor = NOBODY
) -> Gift:  # fmt: skip
    """This will claim {wish: pieces} with one gift under the shop's project and one payment (W4): all of it or nothing.

    The gift's amount is the sum of the caps, and all of it is for the wishes: the federation bears the provider's fee
    (docs/adr/0015-fees-of-wishes.md). The project's row is locked first, so that its target is never passed
    (F5). Safe to repeat by the request's key. Raises AlreadyClaimed, BasketEmpty, BadUnits, OwnWish, NoShop, and what
    `open_gift` raises.
    """
    authorize(policies.can_claim_wish, actor)
    project = shop_project()
    if project is None:
        raise NoShop()
    if not Gift.objects.filter(request_key=request.key).exists():
        _check_lines(actor, lines)
    if request.money.minor != basket_total(lines):
        raise FormUsed(_("篮子里的心愿或价格变了，金额对不上。没有扣款。请看一遍新的合计再付。"))

    def claim(gift: Gift) -> None:
        take(actor=actor, lines=lines, gift=gift, status=ClaimStatus.HELD, due=now + UNPAID, now=now)

    gift = open_gift(
        actor=actor,
        request=request,
        fund=project.fund,
        project=project,
        now=now,
        visitor=visitor,
        along=claim,
        fee_on_federation=True,
    )
    asked = sorted((wish.pk, count) for wish, count in lines.items())
    if gift.opened_at != now and _claimed(gift) != asked:
        raise FormUsed()
    return gift


@transaction.atomic
def claim_with_gift(*, actor: Actor, gift: Gift, lines: Mapping[Wish, int], now: dt.datetime) -> Gift:
    """This will claim wishes with what a received gift has left: money that came after its claim had ended, or whose
    wish could not be met (W3). Money in the micro-fund's general earmark moves to the shop's project first (F5).

    The holder of the gift's address asks. Raises NothingLeftToClaim, AlreadyClaimed, and what `redirect_gift` raises.
    """
    authorize(policies.can_change_own_claim, actor)
    project = shop_project()
    if project is None:
        raise NoShop()
    _check_lines(actor, lines)
    lock_project(project.pk)
    gift = Gift.objects.select_for_update(of=("self",)).get(pk=gift.pk)
    if gift.status != GiftStatus.RECEIVED or basket_total(lines) > left_of_gift(gift):
        raise NothingLeftToClaim()
    if gift.late:
        redirect_gift(actor=actor, gift=gift, project=project, now=now)
    elif gift.project_id != project.pk:
        raise NothingLeftToClaim()
    take(actor=actor, lines=lines, gift=gift, status=ClaimStatus.SECURED, due=now + UNDELIVERED, now=now)
    return gift


def promise_goods(
    *, actor: Actor, wish: Wish, count: int, promise: Promise, now: dt.datetime, visitor: Visitor = NOBODY
) -> Pledge:
    """This will claim pieces of a wish by a promise to bring them within 15 days (W4). Safe to repeat by its key.

    Raises AlreadyClaimed, BadUnits, OwnWish, ContactMissing, TooMany.
    """
    authorize(policies.can_claim_wish, actor)
    known = Pledge.objects.filter(request_key=promise.key).first()
    if known is not None:
        return known
    _check_lines(actor, {wish: count})
    if not promise.contact.strip() or sum(c.isdigit() for c in promise.phone) < 7:
        raise ContactMissing()
    if promise.bring_to not in BringTo.values or (promise.bring_to == BringTo.WAREHOUSE) != bool(
        promise.warehouse
    ):
        raise BadInput(_("请选送到哪里。"), field="bring_to")
    if visitor.address and count_use("promise_goods", visitor.address, seconds=WINDOW) > PROMISES:
        raise TooMany()
    return _promise(actor, wish, count, promise, now)


@transaction.atomic
def _promise(actor: Actor, wish: Wish, count: int, promise: Promise, now: dt.datetime) -> Pledge:
    try:
        with transaction.atomic():
            pledge = Pledge.objects.create(
                bring_to=promise.bring_to, warehouse=promise.warehouse, email=promise.email,
                language=promise.language, request_key=promise.key, promised_at=now,
            )  # fmt: skip
    except IntegrityError:
        return Pledge.objects.get(request_key=promise.key)
    pledge.contact = crypto.seal(
        f"{promise.contact.strip()} {promise.phone.strip()}"[:120], contact_place(pledge)
    )
    pledge.save(update_fields=["contact"])
    take(
        actor=actor, lines={wish: count}, pledge=pledge, status=ClaimStatus.PROMISED, due=now + UNDELIVERED, now=now
    )  # fmt: skip
    return pledge


def contact_place(pledge: Pledge) -> str:
    """This will name the place that a promise's contact is sealed for."""
    return f"wishes.pledge:{pledge.token}"


def take(
    *, actor: Actor, lines: Mapping[Wish, int], status: ClaimStatus, due: dt.datetime | None, now: dt.datetime,
    gift: Gift | None = None, pledge: Pledge | None = None, follows: Claim | None = None,
) -> list[int]:  # fmt: skip
    """This will insert claims on free units, wishes in id order, and settle the wishes, in the caller's transaction.

    Raises AlreadyClaimed where too few units are free: then nothing is claimed.
    """
    made: list[int] = []
    for wish, count in sorted(lines.items(), key=lambda line: line[0].pk):
        made += _take_units(wish, count, status, due, now, gift, pledge, follows)
    ClaimStatusChange.objects.bulk_create(
        ClaimStatusChange(record_id=pk, from_status="", to_status=status, at=now, actor_person=actor.person_id,
                          actor_label=actor.label[:80])
        for pk in made
    )  # fmt: skip
    settled = settle_wishes([wish.pk for wish in lines], actor=actor, now=now)
    for wish in lines:
        now_at = settled[wish.pk]
        if (
            now_at.status in (WishStatus.WITHDRAWN, WishStatus.EXPIRED, WishStatus.DRAFT)
            or now_at.cap != wish.cap
        ):
            raise AlreadyClaimed(str(wish))
    return made


def _take_units(
    wish: Wish, count: int, status: ClaimStatus, due: dt.datetime | None, now: dt.datetime, gift: Gift | None,
    pledge: Pledge | None, follows: Claim | None,
) -> list[int]:  # fmt: skip
    made: list[int] = []
    lost: list[int] = []
    while len(made) < count:
        with connection.cursor() as cursor:
            cursor.execute(_FREE, [wish.pk, lost, count - len(made)])
            units = [row[0] for row in cursor.fetchall()]
            if len(units) < count - len(made):
                raise AlreadyClaimed(str(wish), len(units) + len(made))
            cursor.execute(
                _TAKE,
                {
                    "wish": wish.pk, "units": units, "ids": [new_public_id() for _unit in units], "status": status,
                    "way": Way.MONEY if gift else Way.GOODS, "amount": wish.cap if gift else 0,
                    "gift": gift.pk if gift else None, "pledge": pledge.pk if pledge else None,
                    "follows": follows.pk if follows else None, "now": now, "due": due,
                    "secured": now if status == ClaimStatus.SECURED else None,
                },
            )  # fmt: skip
            rows = cursor.fetchall()
        made += [row[0] for row in rows]
        lost += sorted(set(units) - {row[1] for row in rows})
    return made


def _check_lines(actor: Actor, lines: Mapping[Wish, int]) -> None:
    if not lines:
        raise BasketEmpty()
    if len(lines) > MOST_LINES:
        raise BadInput(_("一次最多认领20个心愿。请分几次。"))
    for wish, count in lines.items():
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_UNITS:
            raise BadUnits()
        if actor.person_id is not None and actor.person_id in (
            wish.caseworker_id, wish.town_reviewer_id, wish.city_reviewer_id,
        ):  # fmt: skip
            raise OwnWish()
        if wish.opened_at is None:
            raise UnknownWish()
        if wish.status != WishStatus.OPEN:
            raise AlreadyClaimed(str(wish))


def _claimed(gift: Gift) -> Sequence[tuple[int, int]]:
    counts: dict[int, int] = {}
    for pk in Claim.objects.filter(gift=gift, follows=None).values_list("wish", flat=True):
        counts[pk] = counts.get(pk, 0) + 1
    return sorted(counts.items())
