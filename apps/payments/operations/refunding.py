"""Sending money back: the intent inside the caller's transaction, the call outside any, the outcome by event or
fetch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import structlog
from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor, system
from apps.core.crash import crash_point
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.events import Event, publish
from apps.core.money import Money
from apps.core.transitions import move, note_status
from apps.payments.events import PaymentRefundFailed
from apps.payments.models import Payment, PaymentRefund, PaymentRefundStatusChange, ProviderFact
from apps.payments.operations.applying import is_uuid, record_facts
from apps.payments.provider import ProviderUnavailable, RefundRefused, RefundRequest, RefundSnapshot
from apps.payments.queries import refund_way
from apps.payments.registry import provider
from apps.payments.states import REFUND_FORWARD, FactKind, PaymentStatus, RefundSource, RefundStatus

log = structlog.get_logger(__name__)

BATCH = 50
WAITS = (2, 5, 15, 60, 180, 360)
"""Minutes until a refund is asked for again; the last repeats. Nothing is ever given up."""


class RefundWayClosed(DomainError):
    code = "refund_way_closed"
    message = _("这笔付款不能再经原支付渠道退回（期限已过，或渠道已停用）。请改用银行转账退款。")
    field = "way"


class RefundPastPayment(DomainError):
    code = "refund_past_payment"
    message = _("加上已经退回和正在退回的，超过了这笔付款的金额。请减少退款金额。")
    field = "amount"


class PaymentDisputed(Conflict):
    code = "payment_disputed"
    message = _("付款人已经向银行提出争议，银行会处理这笔钱。争议结束之前不能退款，以免退两次。")


@transaction.atomic
def open_refund(
    *, actor: Actor, payment: Payment, purpose: str, money: Money, now: dt.datetime
) -> PaymentRefund:
    """This will record the intent to refund through the provider, inside the caller's transaction; no call is made.

    `money` in minor units of the payment's currency. The payment's row is locked; a trigger of the database holds the
    same sum. Raises RefundWayClosed (G8), PaymentDisputed, RefundPastPayment.
    """
    locked = Payment.objects.select_for_update().get(pk=payment.pk)
    known = PaymentRefund.objects.filter(purpose=purpose).first()
    if known:
        return known
    if locked.status != PaymentStatus.PAID or not refund_way(locked, now).open:
        raise RefundWayClosed()
    if locked.disputes.filter(status="open").exists():
        raise PaymentDisputed()
    live = locked.refunds.exclude(status=RefundStatus.FAILED).aggregate(n=Sum("amount"))["n"] or 0
    if money.currency != locked.currency or money.minor <= 0 or live + money.minor > locked.amount:
        raise RefundPastPayment()
    refund = PaymentRefund.objects.create(
        payment=locked, purpose=purpose, provider=locked.provider, amount=money.minor, currency=money.currency,
        opened_at=now, due_at=now,
    )  # fmt: skip
    note_status(refund, "", history=PaymentRefundStatusChange, actor=actor, now=now)
    return refund


def send_refunds(*, now: dt.datetime) -> int:
    """This will send the refunds that wait to be sent and ask after those on their way, each call outside any
    transaction, and record the answers. Safe to run twice at once: one key makes one refund. Returns how many."""
    due = PaymentRefund.objects.filter(status__in=[RefundStatus.CREATED, RefundStatus.SENT], due_at__lte=now)
    rows = list(due.select_related("payment").order_by("due_at", "id")[:BATCH])
    for refund in rows:
        try:
            if refund.status == RefundStatus.CREATED:
                _send(refund, now)
            else:
                _ask(refund, now)
        except (ProviderUnavailable, NotFound):
            log.warning("payments.refund_waits", refund=refund.pk)
        except Exception as error:
            # An answer nobody can read holds up only its own refund; it is asked for again.
            log.error("payments.refund_unreadable", refund=refund.pk, error=type(error).__name__)
    return len(rows)


def _send(refund: PaymentRefund, now: dt.datetime) -> None:
    request = _request(refund)
    again = refund.tries > 0
    _note_try(refund, now)
    way = provider(refund.provider)
    crash_point("payments.before_refund_call")
    # A key may be forgotten by the provider after a day: what was tried before is looked up first.
    found = way.fetch_refund("", request) if again else None
    try:
        answer = found or way.send_refund(request)
    except RefundRefused as refused:
        _refuse(refund, refused.reason, now)
        return
    crash_point("payments.after_refund_call")
    _note_sent(refund, answer, now)
    if found:
        apply_refunds(
            actor=system("payments.refunds"), snapshots={(refund.provider, found.ref): found}, now=now
        )


def _ask(refund: PaymentRefund, now: dt.datetime) -> None:
    _note_try(refund, now)
    found = provider(refund.provider).fetch_refund(refund.ref, _request(refund))
    if found:
        apply_refunds(
            actor=system("payments.refunds"), snapshots={(refund.provider, found.ref): found}, now=now
        )


def _request(refund: PaymentRefund) -> RefundRequest:
    payment = refund.payment
    return RefundRequest(
        reference=str(refund.uuid), key=f"refund-{refund.uuid}", session_ref=payment.session_ref,
        charge_ref=payment.charge_ref, payment_reference=str(payment.uuid), amount=refund.amount, whole=payment.amount,
        currency=refund.currency, opened_at=refund.opened_at,
    )  # fmt: skip


def _note_try(refund: PaymentRefund, now: dt.datetime) -> None:
    wait = dt.timedelta(minutes=WAITS[min(refund.tries, len(WAITS) - 1)])
    PaymentRefund.objects.filter(pk=refund.pk).update(tries=refund.tries + 1, tried_at=now, due_at=now + wait)


@transaction.atomic
def _note_sent(refund: PaymentRefund, answer: RefundSnapshot, now: dt.datetime) -> None:
    """The provider took it. What it answers about the money is not believed before its event or a fetch."""
    locked = PaymentRefund.objects.select_for_update().get(pk=refund.pk)
    if not locked.ref:
        locked.ref = answer.ref
        locked.save(update_fields=["ref"])
    if locked.status == RefundStatus.CREATED:
        move(locked, RefundStatus.SENT, forward=REFUND_FORWARD, history=PaymentRefundStatusChange,
             actor=system("payments.refunds"), now=now)  # fmt: skip


@transaction.atomic
def _refuse(refund: PaymentRefund, reason: str, now: dt.datetime) -> None:
    locked = PaymentRefund.objects.select_for_update().get(pk=refund.pk)
    if locked.status != RefundStatus.CREATED:
        return
    move(locked, RefundStatus.FAILED, forward=REFUND_FORWARD, history=PaymentRefundStatusChange,
         actor=system("payments.refunds"), now=now, reason=reason, failure=reason[:60])  # fmt: skip
    publish(PaymentRefundFailed(payment_refund_id=locked.pk))


@transaction.atomic
def apply_refunds(
    *, actor: Actor, snapshots: Mapping[tuple[str, str], RefundSnapshot], now: dt.datetime
) -> set[tuple[str, str]]:
    """This will apply fetched refunds, ours and those made in the provider's dashboard, in one transaction.

    Forward only; amount, currency and payment must be ours, any other is logged and left alone. Returns the keys that
    belong to a payment of ours.
    """
    payments = lock_payments(snapshots)
    uuids = [each.reference for each in snapshots.values() if is_uuid(each.reference)]
    rows = list(
        PaymentRefund.objects.select_for_update()
        .filter(Q(ref__in=[key[1] for key in snapshots]) | Q(uuid__in=uuids))
        .order_by("id")
    )
    by_ref = {(row.provider, row.ref): row for row in rows if row.ref}
    by_uuid = {(row.provider, str(row.uuid)): row for row in rows}
    events: list[Event] = []
    facts: list[ProviderFact] = []
    known: set[tuple[str, str]] = set()
    for key, found in sorted(snapshots.items()):
        payment = payments.get((key[0], found.charge_ref)) or payments.get((key[0], found.payment_reference))
        if payment is None or payment.status != PaymentStatus.PAID:
            log.warning("payments.refund_of_unknown_payment", provider=key[0])
            continue
        known.add(key)
        refund = by_ref.get(key) or by_uuid.get((key[0], found.reference))
        if refund is None:
            refund = _found_in_dashboard(payment, key[0], found, now)
        if refund is None or not _agrees(refund, payment, found):
            continue
        events += _advance(actor, refund, found, now)
        facts += _facts(refund, found, now)
    publish(*events, *record_facts(facts))
    return known


def lock_payments(snapshots: Mapping[tuple[str, str], object]) -> dict[tuple[str, str], Payment]:
    """This will lock the payments that refunds or disputes speak of, in id order: {(provider, charge or uuid): row}."""
    charges = {str(getattr(each, "charge_ref", "")) for each in snapshots.values()} - {""}
    uuids = {str(getattr(each, "payment_reference", "")) for each in snapshots.values()}
    rows = Payment.objects.select_for_update().filter(
        Q(provider__in={key[0] for key in snapshots}, charge_ref__in=charges)
        | Q(uuid__in=[each for each in uuids if is_uuid(each)])
    )
    found: dict[tuple[str, str], Payment] = {}
    for row in rows.order_by("id"):
        found[row.provider, str(row.uuid)] = row
        if row.charge_ref:
            found[row.provider, row.charge_ref] = row
    return found


def _found_in_dashboard(
    payment: Payment, name: str, found: RefundSnapshot, now: dt.datetime
) -> PaymentRefund | None:
    """A refund nobody asked for here. What the provider itself sent back can't pass what it collected."""
    made = (
        payment.refunds.exclude(status=RefundStatus.FAILED).exclude(ref="").aggregate(n=Sum("amount"))["n"]
        or 0
    )
    if found.currency != payment.currency or found.amount <= 0 or (
        found.status != RefundStatus.FAILED and made + found.amount > payment.amount
    ):  # fmt: skip
        log.error("payments.refund_passes_payment", payment=payment.pk)
        return None
    refund = PaymentRefund.objects.create(
        payment=payment, source=RefundSource.PROVIDER, provider=name, ref=found.ref, amount=found.amount,
        currency=found.currency, status=RefundStatus.SENT, opened_at=found.occurred_at,
        due_at=now + dt.timedelta(minutes=WAITS[0]),
    )  # fmt: skip
    note_status(refund, "", history=PaymentRefundStatusChange, actor=system("payments.dashboard"), now=now)
    return refund


def _agrees(refund: PaymentRefund, payment: Payment, found: RefundSnapshot) -> bool:
    same = (refund.payment_id, refund.amount, refund.currency) == (payment.pk, found.amount, found.currency)
    if not same or (refund.ref and refund.ref != found.ref):
        log.error("payments.refund_differs", refund=refund.pk)
        return False
    return True


def _advance(actor: Actor, refund: PaymentRefund, found: RefundSnapshot, now: dt.datetime) -> list[Event]:
    if not refund.ref:
        refund.ref = found.ref
        refund.save(update_fields=["ref"])
    if found.status == refund.status or found.status not in REFUND_FORWARD.get(refund.status, frozenset()):
        return []
    more: dict[str, object] = {}
    if found.status == RefundStatus.SUCCEEDED:
        more["succeeded_at"] = found.occurred_at
    if found.status == RefundStatus.FAILED:
        more["failure"] = found.failure[:60]
    move(refund, found.status, forward=REFUND_FORWARD, history=PaymentRefundStatusChange, actor=actor, now=now,
         reason=found.failure, **more)  # fmt: skip
    failed = refund.status == RefundStatus.FAILED and refund.source == RefundSource.OWN
    return [PaymentRefundFailed(payment_refund_id=refund.pk)] if failed else []


def _facts(refund: PaymentRefund, found: RefundSnapshot, now: dt.datetime) -> list[ProviderFact]:
    if refund.succeeded_at is None:
        return []
    common = {"payment_id": refund.payment_id, "provider": refund.provider, "refund": refund}
    facts = [ProviderFact(kind=FactKind.REFUND, fact_ref=refund.ref, amount=refund.amount, currency=refund.currency,
                          occurred_at=refund.succeeded_at, **common)]  # fmt: skip
    if refund.status == RefundStatus.FAILED:
        facts.append(
            ProviderFact(kind=FactKind.REFUND_BACK, fact_ref=refund.ref, amount=refund.amount,
                         currency=refund.currency, occurred_at=now, **common)
        )  # fmt: skip
    facts += [ProviderFact(kind=FactKind.FEE, fact_ref=fee.ref, amount=fee.amount, currency=fee.currency,
                           occurred_at=fee.occurred_at, **common) for fee in found.fees]  # fmt: skip
    return facts
