"""The one interface behind which every payment provider stands (G4). Nothing outside payments knows a provider's name.

Calls go over the network and are never made inside a transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, DomainError
from apps.payments.states import (
    ChargeStatus,
    DisputeStatus,
    OrderKind,
    RefundStatus,
    Subject,
    SubscriptionStatus,
)


class BadSignature(BadInput):
    code = "bad_signature"
    status = 400
    message = _("签名不对，通知没有被接受。")


class StaleEvent(BadInput):
    """A well-signed event whose time is too far from ours; `skew` in seconds, positive where the sender is ahead."""

    code = "stale_event"
    status = 400
    message = _("通知的时间与本机时钟相差过大，没有被接受。请检查服务器时钟，渠道会重发。")

    def __init__(self, skew: int = 0) -> None:
        self.skew = skew
        super().__init__()


class ProviderUnavailable(DomainError):
    code = "provider_unavailable"
    status = 503
    message = _("支付渠道暂时连不上。没有扣款。请稍后再试，或换一种付款方式。")


class MethodNotOffered(BadInput):
    code = "method_not_offered"
    message = _("这种付款方式现在不可用，请换一种。")
    field = "method"


class RefundRefused(DomainError):
    """The provider answered that it will not make this refund; no money moves. `reason` is its own code."""

    code = "refund_refused_by_provider"
    message = _("支付渠道不接受这笔退款，没有退出去。请改用银行转账退款。")

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__()


class OrderRefused(Exception):
    """The provider will not change a standing order (it has ended, or the card must be given anew)."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a provider needs to collect a payment; `reference` is our uuid, `key` the idempotency key."""

    reference: str
    key: str
    amount: int
    currency: str
    method: str
    description: str
    return_url: str
    cancel_url: str
    expires_at: dt.datetime
    email: str = ""
    language: str = "zh-hans"


@dataclass(frozen=True, slots=True)
class Checkout:
    """The provider's page for a payment, or a `code` to be scanned by a wallet: then the page that shows it is ours and
    `url` is ""."""

    ref: str
    url: str
    expires_at: dt.datetime
    code: str = ""


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """A verified event. `object_ref` is a session's, charge's, refund's or dispute's id, `reference` our uuid where it
    says it. `subject` is what it speaks of and chooses the route that works it off; "" is kept and never acted on.
    `skew` is how far its sender's clock is ahead of ours, in seconds (negative: behind)."""

    ref: str
    kind: str
    object_ref: str
    occurred_at: dt.datetime
    reference: str = ""
    subject: str = Subject.PAYMENT
    skew: int = 0


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee of a balance transaction (G7), minor units."""

    ref: str
    amount: int
    currency: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A payment as the provider has it now. `status`: open, pending, paid, expired or failed."""

    session_ref: str
    reference: str
    status: str
    amount: int
    currency: str
    charge_ref: str = ""
    settled_at: dt.datetime | None = None
    fees: tuple[Fee, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What a provider needs to send money back. `reference` is our refund's uuid, `key` the idempotency key, `whole`
    the payment's own amount (some providers want it), minor units; `opened_at` when we first asked."""

    reference: str
    key: str
    session_ref: str
    charge_ref: str
    payment_reference: str
    amount: int
    whole: int
    currency: str
    opened_at: dt.datetime


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A refund as the provider has it now. `reference` is our refund's uuid, "" where it was made in the provider's own
    dashboard; `payment_reference` our payment's uuid where the provider keeps it; `charge_ref` what it answers."""

    ref: str
    reference: str
    charge_ref: str
    status: RefundStatus
    amount: int
    currency: str
    occurred_at: dt.datetime
    payment_reference: str = ""
    failure: str = ""
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class Movement:
    """Money a dispute took from us (`amount` > 0) or gave back (< 0), minor units of the payment's currency; `ref` is
    the balance transaction's."""

    ref: str
    amount: int
    currency: str
    occurred_at: dt.datetime
    fee: int = 0


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A dispute as the provider has it now, with every movement of money it has caused so far."""

    ref: str
    charge_ref: str
    status: DisputeStatus
    amount: int
    currency: str
    opened_at: dt.datetime
    reason: str = ""
    answer_by: dt.datetime | None = None
    movements: tuple[Movement, ...] = ()
    payment_reference: str = ""


@dataclass(frozen=True, slots=True)
class BalanceItem:
    """A balance transaction (G12): what it moved (signed) and its fee, minor units; `kind` of BalanceKind,
    `source_ref` what it is of: our charge_ref, a refund, a payout."""

    ref: str
    kind: str
    amount: int
    fee: int
    currency: str
    source_ref: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PayoutItem:
    """A payout to the bank, minor units; `status` of PayoutStatus."""

    ref: str
    amount: int
    currency: str
    status: str
    arrives_at: dt.datetime
    failed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class MonthlyRequest:
    """What a provider needs to collect a sum every month by card; `reference` is our uuid, `key` the idempotency
    key."""

    reference: str
    key: str
    amount: int
    currency: str
    description: str
    return_url: str
    cancel_url: str
    expires_at: dt.datetime
    email: str
    language: str = "zh-hans"


@dataclass(frozen=True, slots=True)
class Charge:
    """A month of a standing order, minor units. `ref` is the provider's record of it, `attempt` how often it was tried;
    a failed one without `next_at` is tried no more."""

    ref: str
    status: ChargeStatus
    amount: int
    currency: str
    attempt: int = 0
    next_at: dt.datetime | None = None
    charge_ref: str = ""
    settled_at: dt.datetime | None = None
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A standing order as the provider has it now, with its newest months."""

    ref: str
    reference: str
    status: SubscriptionStatus
    amount: int
    currency: str
    next_at: dt.datetime | None
    charges: tuple[Charge, ...] = ()


@runtime_checkable
class MonthlyProvider(Protocol):
    """What a provider can do besides, when it collects every month (G1: by card only)."""

    name: str

    def open_monthly(self, request: MonthlyRequest) -> Checkout:
        """This will open the provider's page for a standing order; the same `key` gives the same one. Raises
        ProviderUnavailable."""

    def subscription_of(self, event_body: bytes) -> str:
        """This will give the standing order an event speaks of, "" where it speaks of none."""

    def fetch_subscription(
        self, ref: str, reference: str, opened_at: dt.datetime
    ) -> SubscriptionSnapshot | None:
        """This will fetch a standing order by the provider's id, or by our reference where `ref` is ""; None where
        there is none yet. Raises ProviderUnavailable."""

    def change_subscription(
        self, ref: str, kind: OrderKind, amount: int | None, currency: str, key: str
    ) -> None:
        """This will change a standing order; the same `key` changes it once. Raises ProviderUnavailable or
        OrderRefused. What came of it is only believed when fetched."""


class Provider(Protocol):
    name: str
    bills_fees: bool
    """Whether it states a payment's fee only among its balance transactions, not in a fetched payment (G7)."""

    def methods(self) -> list[str]:
        """This will list the methods it offers now, in the order to show."""

    def maximum(self, method: str, currency: str) -> int:
        """This will give the largest amount a method takes, minor units (G3)."""

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        """This will open the provider's page; the same `key` gives the same one. Raises ProviderUnavailable."""

    def read_event(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> IncomingEvent:
        """This will verify an event's signature over its raw bytes. Raises BadSignature or StaleEvent."""

    def fetch(self, session_ref: str) -> Snapshot | None:
        """This will fetch a payment, authenticated; None where the provider knows none. Raises ProviderUnavailable."""

    def close(self, session_ref: str) -> None:
        """This will close a checkout whose time is over, where the provider doesn't do that by itself. What came of it
        is only believed when fetched. Raises ProviderUnavailable."""

    def session_of(self, event_body: bytes) -> str:
        """This will give the session an event speaks of, asking the provider where the event names only a charge."""

    def recent_events(self, since: dt.datetime) -> Iterable[tuple[IncomingEvent, bytes]]:
        """This will list the provider's own record of events, to close gaps (may be empty where it keeps none)."""

    def find_session(self, reference: str, opened_at: dt.datetime) -> Checkout | None:
        """This will look a checkout up by our reference, after a crash between the call and its record. `opened_at` is
        when we recorded the intent, so that the search stays within minutes of it."""

    def refund_days(self, method: str) -> int | None:
        """This will give how many days after payment a method can be refunded, None where the provider sets no fixed
        limit. Past it the refund goes by bank transfer (G8)."""

    def send_refund(self, request: RefundRequest) -> RefundSnapshot:
        """This will ask for a refund; the same `key` makes one. Raises ProviderUnavailable (nobody knows what happened:
        ask again) or RefundRefused (it will not be made). The answer is never final: only an event or a fetch is."""

    def fetch_refund(self, ref: str, request: RefundRequest) -> RefundSnapshot | None:
        """This will fetch one of our refunds by the provider's id, or by our reference where `ref` is ""; None where
        the provider has none. Raises ProviderUnavailable."""

    def refunds_of(self, event_body: bytes) -> Iterable[RefundSnapshot]:
        """This will fetch the refunds that an event speaks of, dashboard ones included. Raises ProviderUnavailable."""

    def disputes_of(self, event_body: bytes) -> Iterable[DisputeSnapshot]:
        """This will fetch the disputes that an event speaks of; none where a provider has no disputes. Raises
        ProviderUnavailable."""

    def fetch_dispute(self, ref: str) -> DisputeSnapshot | None:
        """This will fetch a dispute by its id. Raises ProviderUnavailable."""

    def test_page(self, session_ref: str) -> str:
        """This will give the path of a marked test page that plays the provider's side, "" for a real provider."""

    def balance_lines(self, since: dt.datetime, now: dt.datetime) -> Iterable[BalanceItem]:
        """This will list the balance transactions since a moment. Raises ProviderUnavailable."""

    def balance_until(self, now: dt.datetime) -> dt.datetime:
        """This will say until when its balance transactions can be known now (some state them a day later)."""

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterable[PayoutItem]:
        """This will list the payouts since a moment, in whatever state. Raises ProviderUnavailable."""
