"""Stripe's balance transactions and payouts, by its published shapes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import stripe
import structlog

from apps.payments.provider import BalanceItem, PayoutItem, ProviderUnavailable
from apps.payments.states import BalanceKind, PayoutStatus

log = structlog.get_logger(__name__)

KINDS = {
    "charge": BalanceKind.CHARGE, "refund": BalanceKind.REFUND, "refund_failure": BalanceKind.REFUND,
    "dispute": BalanceKind.DISPUTE, "dispute_reversal": BalanceKind.DISPUTE, "payout": BalanceKind.PAYOUT,
    "payout_reversal": BalanceKind.PAYOUT, "fee": BalanceKind.FEE,
}  # fmt: skip
"""By `reporting_category`; anything else is OTHER and shows as a difference until somebody says what it is."""

PAYOUTS = {"paid": PayoutStatus.PAID, "failed": PayoutStatus.FAILED, "canceled": PayoutStatus.FAILED}


def lines(client: stripe.StripeClient, since: dt.datetime) -> Iterator[BalanceItem]:
    """This will list balance transactions; the source is expanded, because a charge names its payment intent."""
    try:
        page = client.v1.balance_transactions.list(
            {"created": {"gte": int(since.timestamp())}, "limit": 100, "expand": ["data.source"]}
        )
        for row in page.auto_paging_iter():
            yield BalanceItem(
                ref=row.id, kind=KINDS.get(row.reporting_category, BalanceKind.OTHER), amount=row.amount, fee=row.fee,
                currency=row.currency.upper(), source_ref=_source(row.source), occurred_at=_moment(row.created),
            )  # fmt: skip
    except stripe.StripeError as error:
        raise _away("balance_lines", error) from error


def payouts(client: stripe.StripeClient, since: dt.datetime) -> Iterator[PayoutItem]:
    """This will list payouts created since a moment, failed ones with their state."""
    try:
        page = client.v1.payouts.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
        for row in page.auto_paging_iter():
            status = PAYOUTS.get(row.status, PayoutStatus.PENDING)
            yield PayoutItem(row.id, row.amount, row.currency.upper(), status, _moment(row.arrival_date))
    except stripe.StripeError as error:
        raise _away("payouts", error) from error


def _source(source: Any) -> str:
    """What we know it by: a charge by its payment intent, everything else by its own id."""
    if source is None or isinstance(source, str):
        return source or ""
    if source.object == "charge" and source.payment_intent:
        intent = source.payment_intent
        return str(intent if isinstance(intent, str) else intent.id)
    return str(source.id)


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _away(call: str, error: stripe.StripeError) -> ProviderUnavailable:
    log.warning(
        "payments.provider_error", provider="stripe", call=call, code=error.code, status=error.http_status
    )
    return ProviderUnavailable()
