"""The one interface behind which every payment provider stands (G4). Nothing outside payments knows a provider's name.

Calls go over the network and are never made inside a transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, DomainError


class BadSignature(BadInput):
    code = "bad_signature"
    status = 400
    message = _("签名不对，通知没有被接受。")


class StaleEvent(BadInput):
    code = "stale_event"
    status = 400
    message = _("通知的时间与本机时钟相差过大，没有被接受。请检查服务器时钟，渠道会重发。")


class ProviderUnavailable(DomainError):
    code = "provider_unavailable"
    status = 503
    message = _("支付渠道暂时连不上。没有扣款。请稍后再试，或换一种付款方式。")


class MethodNotOffered(BadInput):
    code = "method_not_offered"
    message = _("这种付款方式现在不可用，请换一种。")
    field = "method"


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
    """The provider's page for a payment."""

    ref: str
    url: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """A verified event. `object_ref` is a session's or a charge's id, `reference` our uuid where it says it."""

    ref: str
    kind: str
    object_ref: str
    occurred_at: dt.datetime
    reference: str = ""
    relevant: bool = True


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


class Provider(Protocol):
    name: str

    def methods(self) -> list[str]:
        """This will list the methods it offers now, in the order to show."""

    def maximum(self, method: str, currency: str) -> int:
        """This will give the largest amount a method takes, minor units (G3)."""

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        """This will open the provider's page; the same `key` gives the same one. Raises ProviderUnavailable."""

    def read_event(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> IncomingEvent:
        """This will verify an event's signature over its raw bytes. Raises BadSignature or StaleEvent."""

    def fetch(self, session_ref: str) -> Snapshot:
        """This will fetch a payment, authenticated. Raises ProviderUnavailable."""

    def session_of(self, event_body: bytes) -> str:
        """This will give the session an event speaks of, asking the provider where the event names only a charge."""

    def recent_events(self, since: dt.datetime) -> Iterable[tuple[IncomingEvent, bytes]]:
        """This will list the provider's own record of events, to close gaps (may be empty where it keeps none)."""

    def find_session(self, reference: str) -> Checkout | None:
        """This will look a checkout up by our reference, after a crash between the call and its record."""

    def balance_lines(self, since: dt.datetime, now: dt.datetime) -> Iterable[BalanceItem]:
        """This will list the balance transactions since a moment. Raises ProviderUnavailable."""

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterable[PayoutItem]:
        """This will list the payouts since a moment, in whatever state. Raises ProviderUnavailable."""
