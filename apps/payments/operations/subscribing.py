"""Standing orders by card (月捐): opening one, asking for a change, and following what the provider says of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor, system
from apps.core.crash import crash_point
from apps.core.errors import Conflict, NotFound
from apps.core.events import Event, publish
from apps.core.money import Money
from apps.core.transitions import move, note_status
from apps.payments.events import ChargeFailed, FeeCharged, SubscriptionCharged, SubscriptionFollowed
from apps.payments.models import (
    FailedCharge,
    Payment,
    PaymentStatusChange,
    ProviderFact,
    Subscription,
    SubscriptionOrder,
    SubscriptionStatusChange,
)
from apps.payments.operations.applying import is_uuid
from apps.payments.operations.opening import LIFETIME
from apps.payments.provider import (
    Charge,
    MethodNotOffered,
    MonthlyRequest,
    OrderRefused,
    ProviderUnavailable,
    SubscriptionSnapshot,
)
from apps.payments.registry import monthly_provider, monthly_provider_of
from apps.payments.states import (
    SUBSCRIPTION_FORWARD,
    ChargeStatus,
    FactKind,
    Method,
    OrderKind,
    OrderStatus,
    PaymentStatus,
    SubscriptionStatus,
)

log = structlog.get_logger(__name__)

S = SubscriptionStatus
LIVE = (S.ACTIVE, S.PAST_DUE, S.PAUSED)
WAITING = (S.CREATED, S.OPEN)
BATCH = 50
ASK_AGAIN = dt.timedelta(hours=6)
"""How often a live standing order is asked after when no event spoke of it."""
WAITS = (1, 2, 5, 15, 60, 180)
"""Minutes until a change is sent again; the last repeats."""


class OrderWaits(Conflict):
    code = "order_waits"
    message = _("上一个改动还在办理，过一会儿再改。")


class SubscriptionOver(Conflict):
    code = "subscription_over"
    message = _("这个月捐已经停止，不能再改。可以重新开始一个。")


def open_subscription(*, actor: Actor, purpose: str, money: Money, now: dt.datetime) -> Subscription:
    """This will record the intent to collect a sum every month, inside the caller's transaction; no call is made.

    Raises MethodNotOffered where no configured provider collects every month.
    """
    way = monthly_provider()
    if way is None:
        raise MethodNotOffered()
    made = Subscription.objects.create(
        purpose=purpose, provider=way.name, amount=money.minor, currency=money.currency, created_at=now,
        expires_at=now + LIFETIME,
    )  # fmt: skip
    note_status(made, "", history=SubscriptionStatusChange, actor=actor, now=now)
    return made


def start_subscription(
    *, actor: Actor, subscription: Subscription, description: str, return_url: str, cancel_url: str, email: str,
    language: str, now: dt.datetime,
) -> Subscription:  # fmt: skip
    """This will open the provider's page for a recorded standing order and store its reference in a second transaction.

    Safe to repeat: its uuid is the idempotency key. Raises ProviderUnavailable; the intent stays and expires.
    """
    if subscription.session_ref:
        return subscription
    crash_point("payments.before_monthly_call")
    reference = str(subscription.uuid)
    checkout = monthly_provider_of(subscription.provider).open_monthly(
        MonthlyRequest(
            reference=reference, key=f"monthly-{reference}", amount=subscription.amount, currency=subscription.currency,
            description=description, return_url=return_url, cancel_url=cancel_url, expires_at=subscription.expires_at,
            email=email, language=language,
        )
    )  # fmt: skip
    crash_point("payments.after_monthly_call")
    with transaction.atomic():
        locked = Subscription.objects.select_for_update().get(pk=subscription.pk)
        if not locked.session_ref:
            locked.session_ref, locked.checkout_url = checkout.ref, checkout.url
            locked.save(update_fields=["session_ref", "checkout_url"])
        if locked.status == S.CREATED:
            move(
                locked,
                S.OPEN,
                forward=SUBSCRIPTION_FORWARD,
                history=SubscriptionStatusChange,
                actor=actor,
                now=now,
            )
    return locked


@transaction.atomic
def ask_order(
    *, actor: Actor, subscription: Subscription, kind: str, amount: int | None, now: dt.datetime
) -> SubscriptionOrder:
    """This will record a change that a donor asked for; `send_orders` takes it to the provider. `amount` in minor
    units, for a change of amount only. Raises SubscriptionOver, OrderWaits."""
    locked = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if locked.status not in LIVE:
        raise SubscriptionOver()
    try:
        with transaction.atomic():
            return SubscriptionOrder.objects.create(
                subscription=locked, kind=kind, amount=amount, asked_at=now, due_at=now
            )
    except IntegrityError:
        raise OrderWaits() from None


def send_orders(*, now: dt.datetime, only: int | None = None) -> int:
    """This will send waiting changes to their providers, each outside any transaction, and follow what came of them.
    Safe to run twice at once: one key changes once. Returns how many were taken."""
    rows = SubscriptionOrder.objects.filter(status=OrderStatus.WAITING, due_at__lte=now)
    if only is not None:
        rows = rows.filter(pk=only)
    return sum(
        _send(order, now) for order in rows.select_related("subscription").order_by("due_at", "id")[:BATCH]
    )


def _send(order: SubscriptionOrder, now: dt.datetime) -> bool:
    row = order.subscription
    wait = dt.timedelta(minutes=WAITS[min(order.tries, len(WAITS) - 1)])
    SubscriptionOrder.objects.filter(pk=order.pk).update(tries=F("tries") + 1, due_at=now + wait)
    crash_point("payments.before_order_call")
    try:
        monthly_provider_of(row.provider).change_subscription(
            row.ref, OrderKind(order.kind), order.amount, row.currency, f"order-{order.uuid}"
        )
        outcome = OrderStatus.DONE
    except OrderRefused:
        outcome = OrderStatus.REFUSED
    except (ProviderUnavailable, NotFound):
        log.warning("payments.order_waits", order=order.pk)
        return False
    crash_point("payments.after_order_call")
    SubscriptionOrder.objects.filter(pk=order.pk, status=OrderStatus.WAITING).update(
        status=outcome, done_at=now
    )
    _follow([row], now)
    return True


def poll_subscriptions(*, now: dt.datetime) -> int:
    """This will ask after standing orders that nobody has spoken of for a while, and let those expire whose page was
    left. Returns how many were asked for."""
    rows = list(
        Subscription.objects.filter(
            Q(status__in=WAITING, created_at__lte=now - dt.timedelta(minutes=2))
            | Q(status__in=LIVE, checked_at__lte=now - ASK_AGAIN)
            | Q(status__in=LIVE, next_at__lte=now, checked_at__lte=now - dt.timedelta(minutes=10))
        )
        .exclude(checked_at__gt=now - dt.timedelta(minutes=2))
        .order_by(F("checked_at").asc(nulls_first=True), "id")[:BATCH]
    )
    _follow(rows, now)
    for row in rows:
        if row.status in WAITING and row.expires_at < now:
            _expire(row, now)
    return len(rows)


def _follow(rows: Iterable[Subscription], now: dt.datetime) -> None:
    for row in rows:
        try:
            found = monthly_provider_of(row.provider).fetch_subscription(
                row.ref, str(row.uuid), row.created_at
            )
        except (ProviderUnavailable, NotFound):
            Subscription.objects.filter(pk=row.pk).update(checked_at=now)
            continue
        if found is None:
            Subscription.objects.filter(pk=row.pk).update(checked_at=now)
        else:
            apply_subscriptions(
                actor=system("payments.poller"), snapshots={(row.provider, found.ref): found}, now=now
            )


@transaction.atomic
def _expire(row: Subscription, now: dt.datetime) -> None:
    locked = Subscription.objects.select_for_update().get(pk=row.pk)
    if locked.status in WAITING:
        move(locked, S.EXPIRED, forward=SUBSCRIPTION_FORWARD, history=SubscriptionStatusChange,
             actor=system("payments.poller"), now=now)  # fmt: skip
        publish(SubscriptionFollowed(subscription_id=locked.pk, status=str(locked.status)))


@transaction.atomic
def apply_subscriptions(
    *, actor: Actor, snapshots: Mapping[tuple[str, str], SubscriptionSnapshot], now: dt.datetime
) -> set[tuple[str, str]]:
    """This will apply fetched standing orders in one transaction: state and amount, a settled payment with its facts
    for each collected month, a row for each failed try. A month counts once, whatever the events do (G6).

    Returns the keys that belong to a standing order of ours.
    """
    uuids = [each.reference for each in snapshots.values() if is_uuid(each.reference)]
    rows = list(
        Subscription.objects.select_for_update()
        .filter(Q(ref__in=[key[1] for key in snapshots]) | Q(uuid__in=uuids))
        .order_by("id")
    )
    by_ref = {(row.provider, row.ref): row for row in rows if row.ref}
    by_uuid = {(row.provider, str(row.uuid)): row for row in rows}
    events: list[Event] = []
    known: set[tuple[str, str]] = set()
    for key, found in sorted(snapshots.items()):
        row = by_ref.get(key) or by_uuid.get((key[0], found.reference))
        if row is None:
            log.warning("payments.unknown_subscription", provider=key[0])
            continue
        known.add(key)
        if (row.ref or found.ref) != found.ref or found.currency != row.currency:
            log.error("payments.subscription_differs", subscription=row.pk)
            continue
        events += _advance(actor, row, found, now)
        for charge in found.charges:
            events += _charge(actor, row, charge, now)
    publish(*events)
    return known


def _advance(actor: Actor, row: Subscription, found: SubscriptionSnapshot, now: dt.datetime) -> list[Event]:
    before = (row.status, row.amount)
    row.ref, row.next_at, row.checked_at, row.amount = found.ref, found.next_at, now, found.amount
    row.save(update_fields=["ref", "next_at", "checked_at", "amount"])
    if found.status in SUBSCRIPTION_FORWARD.get(row.status, frozenset()):
        more: dict[str, Any] = {}
        if row.started_at is None and found.status in (*LIVE, S.ENDED):
            more["started_at"] = now
        if found.status == S.ENDED:
            more["ended_at"] = now
        move(row, found.status, forward=SUBSCRIPTION_FORWARD, history=SubscriptionStatusChange, actor=actor, now=now,
             **more)  # fmt: skip
    if before == (row.status, row.amount):
        return []
    return [SubscriptionFollowed(subscription_id=row.pk, status=str(row.status))]


def _charge(actor: Actor, row: Subscription, charge: Charge, now: dt.datetime) -> list[Event]:
    if charge.currency != row.currency or charge.amount <= 0:
        log.error("payments.charge_differs", subscription=row.pk)
        return []
    if charge.status == ChargeStatus.FAILED:
        noted, created = FailedCharge.objects.get_or_create(
            subscription=row, charge_ref=charge.ref, attempt=max(charge.attempt, 1),
            defaults={"last": charge.next_at is None, "next_at": charge.next_at, "amount": charge.amount},
        )  # fmt: skip
        return [ChargeFailed(failed_charge_id=noted.pk)] if created else []
    if charge.status != ChargeStatus.PAID:
        return []
    payment = Payment.objects.filter(provider=row.provider, session_ref=charge.ref).first()
    if payment is None:
        at = charge.settled_at or now
        payment = Payment.objects.create(
            purpose=row.purpose, provider=row.provider, method=Method.CARD, amount=charge.amount,
            currency=charge.currency, status=PaymentStatus.PAID, session_ref=charge.ref, charge_ref=charge.charge_ref,
            subscription=row, created_at=now, expires_at=at, paid_at=at, checked_at=now,
        )  # fmt: skip
        note_status(payment, "", history=PaymentStatusChange, actor=actor, now=now)
    return [*_facts(payment, charge, now)]


def _facts(payment: Payment, charge: Charge, now: dt.datetime) -> Iterable[Event]:
    common = {"payment": payment, "provider": payment.provider}
    settled, created = ProviderFact.objects.get_or_create(
        provider=payment.provider, kind=FactKind.SETTLED, fact_ref=charge.ref,
        defaults={**common, "amount": charge.amount, "currency": charge.currency,
                  "occurred_at": charge.settled_at or now},
    )  # fmt: skip
    if created:
        yield SubscriptionCharged(fact_id=settled.pk)
    for fee in charge.fees:
        noted, created = ProviderFact.objects.get_or_create(
            provider=payment.provider, kind=FactKind.FEE, fact_ref=fee.ref,
            defaults={**common, "amount": fee.amount, "currency": fee.currency, "occurred_at": fee.occurred_at},
        )  # fmt: skip
        if created:
            yield FeeCharged(fact_id=noted.pk)
