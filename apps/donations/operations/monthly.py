"""月捐 (G1): a gift every month by card, begun, changed, paused and stopped by its donor; each month is a gift."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.transitions import move, note_status
from apps.core.visitors import NOBODY, Visitor
from apps.donations import policies
from apps.donations.events import MonthlyGiftChanged
from apps.donations.models import Gift, MonthlyGift, MonthlyGiftStatusChange
from apps.donations.operations.limiting import take_places
from apps.donations.operations.months import gift_of_month
from apps.donations.operations.opening import (
    MINIMUM,
    FormUsed,
    GiftRequest,
    NotRaising,
    TooLarge,
    TooSmall,
)
from apps.donations.operations.receiving import record_donations
from apps.donations.states import MONTHLY_FORWARD, MonthlyStatus, ShownAs
from apps.funds.models import MicroFund, Project
from apps.funds.queries import accepts_gifts
from apps.payments.models import ProviderFact, Subscription
from apps.payments.operations import ask_order, open_subscription, send_orders, start_subscription
from apps.payments.states import OrderKind

MAXIMUM = 5_000_000
"""¥50,000 a month, in fen: a standing order is forgotten more easily than a payment."""
FOLLOWS = {
    "open": None, "created": None, "expired": MonthlyStatus.FAILED, "active": MonthlyStatus.ACTIVE,
    "past_due": MonthlyStatus.PAST_DUE, "paused": MonthlyStatus.PAUSED, "ended": MonthlyStatus.ENDED,
}  # fmt: skip


class AddressNeeded(BadInput):
    code = "address_needed"
    message = _("月捐要填邮箱：每月到账、扣款失败都靠它告诉您。")
    field = "email"


def open_monthly_gift(
    *, actor: Actor, request: GiftRequest, fund: MicroFund, project: Project | None, now: dt.datetime,
    visitor: Visitor = NOBODY,
) -> MonthlyGift:  # fmt: skip
    """This will record a donor's wish to give a sum every month, and its standing order; no money moves yet.

    Limited like a single gift. Safe to repeat by the request's key. Raises TooManyOpenings, TooSmall,
    TooLarge, AddressNeeded, NotRaising, MethodNotOffered, FormUsed.
    """
    authorize(policies.can_open_gift, actor)
    known = MonthlyGift.objects.filter(request_key=request.key).first()
    if known:
        return _same(known, request)
    _check_amount(request.money.minor)
    if not request.email:
        raise AddressNeeded()
    if request.money.currency != fund.currency:
        raise BadInput(_("这个项目只收人民币。"), field="amount")
    if project is not None and not accepts_gifts(project, now):
        raise NotRaising()
    # A standing order holds nothing of a target, so the project isn't named for what an address may hold.
    places = take_places(visitor=visitor, fund=fund, project=None, money=request.money, now=now)
    try:
        return _open(actor, request, fund, project, now)
    except BaseException:
        places.give_back()
        raise


@transaction.atomic
def _open(
    actor: Actor, request: GiftRequest, fund: MicroFund, project: Project | None, now: dt.datetime
) -> MonthlyGift:
    try:
        with transaction.atomic():
            gift = MonthlyGift.objects.create(
                fund=fund, project=project, amount=request.money.minor, currency=request.money.currency,
                shown_as=request.shown_as,
                shown_name="" if request.shown_as == ShownAs.ANONYMOUS else request.shown_name, payer=request.payer,
                payer_code=request.payer_code, email=request.email, dedication=request.dedication,
                message=request.message, language=request.language, request_key=request.key, opened_at=now,
            )  # fmt: skip
    except IntegrityError:
        return _same(MonthlyGift.objects.get(request_key=request.key), request)
    gift.subscription = open_subscription(
        actor=actor, purpose=f"monthly:{gift.pk}", money=request.money, now=now
    )
    gift.save(update_fields=["subscription"])
    note_status(gift, "", history=MonthlyGiftStatusChange, actor=actor, now=now)
    return gift


def start_monthly_checkout(
    *, actor: Actor, gift: MonthlyGift, return_url: str, cancel_url: str, now: dt.datetime
) -> str:
    """This will open the provider's page of a monthly gift, outside any transaction, and return its address. Raises
    ProviderUnavailable (nothing is charged; it expires by itself)."""
    assert gift.subscription is not None
    name = gift.project.name if gift.project else gift.fund.name
    started = start_subscription(
        actor=actor, subscription=gift.subscription, description=name, return_url=return_url, cancel_url=cancel_url,
        email=gift.email, language=gift.language, now=now,
    )  # fmt: skip
    return started.checkout_url


def change_monthly_gift(
    *, actor: Actor, gift: MonthlyGift, kind: str, money: Money | None = None, now: dt.datetime
) -> None:
    """This will change what is given every month: another amount, pause, resume or stop. The wish is recorded first,
    then taken to the provider; one that doesn't answer is asked again. Raises TooSmall, TooLarge, SubscriptionOver,
    OrderWaits, BadInput."""
    authorize(policies.can_change_monthly_gift, actor)
    if kind not in OrderKind.values:
        raise BadInput()
    amount = None
    if kind == OrderKind.AMOUNT:
        if money is None or money.currency != gift.currency:
            raise TooSmall()
        _check_amount(money.minor)
        amount = money.minor
    assert gift.subscription is not None
    order = ask_order(actor=actor, subscription=gift.subscription, kind=kind, amount=amount, now=now)
    send_orders(now=now, only=order.pk)


@transaction.atomic
def follow_subscription(*, actor: Actor, subscription_id: int, now: dt.datetime) -> None:
    """This will move a monthly gift to where its standing order is now. Safe to repeat, in any order."""
    authorize(policies.can_record_donation, actor)
    row = Subscription.objects.get(pk=subscription_id)
    gift = MonthlyGift.objects.select_for_update(of=("self",)).filter(subscription=row).first()
    if gift is None:
        return
    before = (gift.status, gift.amount)
    gift.amount = row.amount
    gift.save(update_fields=["amount"])
    to = FOLLOWS[row.status]
    if to is not None and to in MONTHLY_FORWARD.get(gift.status, frozenset()):
        move(gift, to, forward=MONTHLY_FORWARD, history=MonthlyGiftStatusChange, actor=actor, now=now)
    if before != (gift.status, gift.amount):
        publish(
            MonthlyGiftChanged(
                monthly_id=gift.pk,
                status=str(gift.status),
                amount=gift.amount,
                was=str(before[0]),
                change_id=secrets.token_hex(8),
            )
        )


@transaction.atomic
def receive_month(*, actor: Actor, fact_id: int, now: dt.datetime) -> Gift | None:
    """This will make a collected month a received gift, once (G6). Where the project takes no more gifts, or its target
    has no room, the month goes to the micro-fund, and the donor's page says so."""
    authorize(policies.can_record_donation, actor)
    fact = ProviderFact.objects.select_related("payment").get(pk=fact_id)
    gift = gift_of_month(actor=actor, payment=fact.payment, now=now)
    if gift is not None:
        record_donations(actor=actor, fact_ids=[fact.pk], now=now)
    return gift


def _check_amount(minor: int) -> None:
    if minor < MINIMUM:
        raise TooSmall()
    if minor > MAXIMUM:
        raise TooLarge(_("每月最多5万元。更大的金额请一次捐，或用银行转账。"))


def _same(known: MonthlyGift, request: GiftRequest) -> MonthlyGift:
    if (known.amount, known.currency) != (request.money.minor, request.money.currency):
        raise FormUsed()
    return known
