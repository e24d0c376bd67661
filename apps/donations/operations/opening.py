from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.errors import BadInput, Conflict
from apps.core.money import Money, format_money
from apps.core.policies import authorize
from apps.core.transitions import note_status
from apps.core.visitors import NOBODY, Visitor
from apps.donations import policies
from apps.donations.models import Gift, GiftStatusChange, Team
from apps.donations.operations.limiting import remember_places, take_places
from apps.donations.queries import target_room
from apps.donations.states import GiftStatus, ShownAs
from apps.funds.models import MicroFund, Project
from apps.funds.operations import lock_project
from apps.funds.queries import accepts_gifts
from apps.payments.operations import open_payment, start_checkout
from apps.payments.provider import MethodNotOffered
from apps.payments.registry import offered_methods, provider

MINIMUM = 100
"""The smallest online gift: ¥1 (G3), in fen."""


class TooSmall(BadInput):
    code = "gift_too_small"
    message = _("网上捐赠1元起。")
    field = "amount"


class TooLarge(BadInput):
    code = "gift_too_large"
    message = _("超过这种付款方式的上限。请改用银行转账，账户信息在项目页的法定信息里。")
    field = "amount"


class FormUsed(Conflict):
    """The form's key belongs to a gift of other content."""

    code = "form_used"
    message = _("这张表单已经用过，内容不同。没有扣款。请重新打开捐赠页再填。")


class NotRaising(Conflict):
    code = "not_raising"
    message = _("这个项目现在不接受捐赠。没有扣款。您可以捐给它的微基金，或选择另一个项目。")


class TeamOver(Conflict):
    code = "team_over"
    message = _("这个一起捐已经结束。没有扣款。您可以直接捐给项目。")


class PastTarget(Conflict):
    """The gift would pass the target; `room` is what still fits, in minor units."""

    code = "past_target"
    field = "amount"

    def __init__(self, room: Money) -> None:
        self.room = room
        if room:
            text: str | Promise = _("离目标只差%(room)s。没有扣款。请改成不超过它的金额，或捐给微基金。")
        else:
            text = _("目标已经达到，或余下的部分正在有人付款。没有扣款。请稍后再试，或捐给微基金。")
        super().__init__(str(text) % {"room": format_money(room)} if room else text)


@dataclass(frozen=True, slots=True)
class GiftRequest:
    """What a donor typed. `key` comes with the form, so that a double click opens one gift."""

    money: Money
    method: str
    key: str
    shown_as: str = ShownAs.ANONYMOUS
    shown_name: str = ""
    payer: str = ""
    payer_code: str = ""
    email: str = ""
    dedication: str = ""
    team: str = ""
    message: str = ""
    language: str = "zh-hans"


def open_gift(
    *, actor: Actor, request: GiftRequest, fund: MicroFund, project: Project | None, now: dt.datetime,
    visitor: Visitor = NOBODY, along: Callable[[Gift], object] | None = None, fee_on_federation: bool = False,
) -> Gift:  # fmt: skip
    """This will record a donor's intent and its payment (G1, G3, F5); no money moves and no provider is called yet.

    Limits against card testing come first and outside any lock (`limiting`); an attempt that opens nothing gives its
    places back. A project's row is locked while its target is checked; the open payment holds its amount until it
    ends. `along` writes what comes true together with the gift or not at all (a wish's claim), in its transaction. With
    `fee_on_federation` the provider's fees of this gift never touch its own money (docs/adr/0015-fees-of-wishes.md).
    Safe to repeat by the request's key. Raises TooManyOpenings, TooSmall, TooLarge, NotRaising, PastTarget,
    MethodNotOffered, FormUsed.
    """
    authorize(policies.can_open_gift, actor)
    known = Gift.objects.select_related("payment").filter(request_key=request.key).first()
    if known:
        return _same(known, request, fund, project)
    _check_amount(request)
    places = take_places(visitor=visitor, fund=fund, project=project, money=request.money, now=now)
    try:
        gift = _open(actor, request, fund, project, now, along, fee_on_federation)
    except BaseException:
        places.give_back()
        raise
    if gift.opened_at != now:
        places.give_back()  # the other half of a double click opened it
    else:
        remember_places(gift.pk, places)
    return gift


@transaction.atomic
def _open(
    actor: Actor, request: GiftRequest, fund: MicroFund, project: Project | None, now: dt.datetime,
    along: Callable[[Gift], object] | None, fee_on_federation: bool,
) -> Gift:  # fmt: skip
    if project is not None:
        project = lock_project(project.pk)
        if not accepts_gifts(project, now):
            raise NotRaising()
        room = target_room(project)
        if request.money.minor > room:
            raise PastTarget(Money(max(room, 0), project.currency))
    team = _team(request.team, fund, project)
    if request.money.currency != fund.currency:
        raise BadInput(_("这个项目只收人民币。"), field="amount")
    try:
        with transaction.atomic():
            gift = Gift.objects.create(
                fund=fund, project=project, amount=request.money.minor, currency=request.money.currency,
                channel=request.method, shown_as=request.shown_as,
                shown_name="" if request.shown_as == ShownAs.ANONYMOUS else request.shown_name, payer=request.payer,
                payer_code=request.payer_code,
                email=request.email, message=request.message,
                dedication=request.dedication, team=team, language=request.language, request_key=request.key,
                opened_at=now, fee_on_federation=fee_on_federation,
            )  # fmt: skip
    except IntegrityError:
        known = Gift.objects.select_related("payment").get(request_key=request.key)
        return _same(known, request, fund, project)
    payment = open_payment(
        actor=actor, purpose=f"gift:{gift.pk}", money=request.money, method=request.method, now=now
    )
    gift.payment = payment
    gift.save(update_fields=["payment"])
    note_status(gift, "", history=GiftStatusChange, actor=actor, now=now)
    if along is not None:
        along(gift)
    crash_point("donations.gift_opened")
    return gift


def start_gift_checkout(
    *, actor: Actor, gift: Gift, return_url: str, cancel_url: str, now: dt.datetime
) -> str:
    """This will open the provider's page of an opened gift, outside any transaction, and return its address.

    Raises ProviderUnavailable (the gift stays and expires by itself), NotRaising when it is over.
    """
    if gift.status != GiftStatus.OPENED or gift.payment is None:
        raise NotRaising()
    name = gift.project.name if gift.project else gift.fund.name
    payment = start_checkout(
        actor=actor, payment=gift.payment, description=name, return_url=return_url, cancel_url=cancel_url, now=now,
        email=gift.email, language=gift.language,
    )  # fmt: skip
    return payment.checkout_url


def _same(known: Gift, request: GiftRequest, fund: MicroFund, project: Project | None) -> Gift:
    """The gift of a repeated key, as long as it is the same gift."""
    asked = (
        request.money.minor,
        request.money.currency,
        request.method,
        fund.pk,
        project.pk if project else None,
    )
    if (known.amount, known.currency, known.channel, known.fund_id, known.project_id) != asked:
        raise FormUsed()
    return known


def _team(public_id: str, fund: MicroFund, project: Project | None) -> Team | None:
    if not public_id:
        return None
    team = Team.objects.filter(public_id=public_id, fund=fund, project=project).first()
    if team is None or not team.is_live:
        raise TeamOver()
    return team


def _check_amount(request: GiftRequest) -> None:
    name = offered_methods().get(request.method)
    if name is None:
        raise MethodNotOffered()
    if request.money.minor < MINIMUM:
        raise TooSmall()
    if request.money.minor > provider(name).maximum(request.method, request.money.currency):
        raise TooLarge()
