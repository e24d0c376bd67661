"""The test cashier's balance: every paid session, refund and dispute is a transaction; each day's collected money less
fees is paid out the day after at noon (Asia/Shanghai)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from apps.core.clock import civil_day, start_of_day
from apps.payments.models import SandboxDispute, SandboxRefund, SandboxSession
from apps.payments.provider import BalanceItem, PayoutItem
from apps.payments.states import BalanceKind, PayoutStatus

DISPUTE_FEE = 1_500
"""What the test cashier takes for a dispute, in minor units."""
NOON = dt.timedelta(hours=12)


def lines(since: dt.datetime, now: dt.datetime) -> Iterator[BalanceItem]:
    """This will list charges and payouts since a moment."""
    for session in (
        SandboxSession.objects.filter(status="paid", paid_at__gte=since).order_by("paid_at", "id").iterator()
    ):
        assert session.paid_at is not None
        yield BalanceItem(f"fee_{session.ref}", BalanceKind.CHARGE, session.amount, session.fee, session.currency,
                          f"ch_{session.ref}", session.paid_at)  # fmt: skip
    for refund in (
        SandboxRefund.objects.filter(status="succeeded", made_at__gte=since)
        .select_related("session")
        .order_by("id")
    ):
        yield BalanceItem(f"txn_{refund.ref}", BalanceKind.REFUND, -refund.amount, 0, refund.session.currency,
                          refund.ref, refund.made_at)  # fmt: skip
    for dispute in (
        SandboxDispute.objects.filter(withdrawn_at__gte=since).select_related("session").order_by("id")
    ):
        charge, currency = f"ch_{dispute.session.ref}", dispute.session.currency
        assert dispute.withdrawn_at is not None
        yield BalanceItem(f"txn_{dispute.ref}", BalanceKind.DISPUTE, -dispute.amount, DISPUTE_FEE, currency, charge,
                          dispute.withdrawn_at)  # fmt: skip
        if dispute.returned_at:
            yield BalanceItem(f"txn_{dispute.ref}_back", BalanceKind.DISPUTE, dispute.returned, -DISPUTE_FEE, currency,
                              charge, dispute.returned_at)  # fmt: skip
    for payout in payouts(since, now):
        if payout.status == PayoutStatus.PAID:
            yield BalanceItem(f"txn_{payout.ref}", BalanceKind.PAYOUT, -payout.amount, 0, payout.currency, payout.ref,
                              payout.arrives_at)  # fmt: skip


def payouts(since: dt.datetime, now: dt.datetime) -> Iterator[PayoutItem]:
    """This will list one payout a day and currency: whole days only, so that a payout never changes."""
    first = start_of_day(civil_day(since - dt.timedelta(days=1)))
    sums: dict[tuple[dt.date, str], int] = defaultdict(int)
    rows = SandboxSession.objects.filter(
        status="paid", paid_at__gte=first, paid_at__lt=start_of_day(civil_day(now))
    )
    for paid_at, amount, fee, currency in rows.values_list("paid_at", "amount", "fee", "currency"):
        assert paid_at is not None
        sums[civil_day(paid_at), currency] += amount - fee
    for (day, currency), amount in sorted(sums.items()):
        arrives = start_of_day(day + dt.timedelta(days=1)) + NOON
        if arrives >= since and amount > 0:
            status = PayoutStatus.PAID if arrives <= now else PayoutStatus.PENDING
            yield PayoutItem(f"po_sbx_{day:%Y%m%d}_{currency.lower()}", amount, currency, status, arrives)
