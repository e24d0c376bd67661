"""The gate for aid (C4): releases of at least five households, immutable, merging upwards inside the earmark.

A group is (earmark, category, town, month). With five distinct households it is released at once. What is left of a
month that is over merges over the towns; then, as each is over, over its quarter, half-year and year; then it waits.
A later payment needs five of its own. Money the bank returned before its release cancels out; after it, the return
waits as a negative item and is netted into a later release of the same place.

Five households are five families: files that share a person, in whatever towns, are one (casework says which). What
remains of a completed project for fewer than five is one total, without town, month or count.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import Count, F, QuerySet

from apps.casework.queries import distinct_families
from apps.core.clock import add_months, civil_day
from apps.core.pages import bump_epoch
from apps.publication.models.releases import (
    SMALLEST_GROUP,
    AidItem,
    ExpenseUse,
    PeriodKind,
    PublicSpending,
    Release,
    Residual,
)

MONTHS_OF = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.HALF_YEAR: 6, PeriodKind.YEAR: 12}


@dataclass(frozen=True, slots=True)
class AidPayment:
    """A payment of aid as its ledger entry has it, minor units; `month` is its first day."""

    entry: int
    disbursement: int
    household: int
    earmark: int
    category: str
    town: int
    month: dt.date
    amount: int
    currency: str


def note_payments(payments: Sequence[AidPayment]) -> None:
    """This will note payments of aid in the transaction that books them; they stay inside until their release. Safe to
    repeat by entry."""
    lock_gates(each.earmark for each in payments)
    AidItem.objects.bulk_create(
        [AidItem(**asdict(each)) for each in payments], ignore_conflicts=True, batch_size=1000
    )


def note_aid(
    *, entry: int, disbursement: int, household: int, earmark: int, category: str, town: int, month: dt.date,
    amount: int, currency: str,
) -> None:  # fmt: skip
    """This will note a payment of aid (negative: its return, or a part clawed back) in the transaction that books it;
    it stays inside until its release. What comes back of a payment that is still waiting goes into the payment's own
    month, and what comes back whole cancels it. Safe to repeat by `entry`."""
    lock_earmark(earmark)
    item, created = AidItem.objects.get_or_create(
        entry=entry,
        defaults={
            "disbursement": disbursement, "household": household, "earmark": earmark, "category": category,
            "town": town, "month": month, "amount": amount, "currency": currency,
        },
    )  # fmt: skip
    if not created or amount > 0:
        return
    waiting = _waiting().filter(disbursement=disbursement)
    paid = waiting.filter(amount__gt=0).order_by("-id").first()
    if paid is None:
        return
    same = dict(waiting.filter(pk__gte=paid.pk).values_list("pk", "amount"))
    if sum(same.values()) == 0:
        AidItem.objects.filter(pk__in=list(same)).update(dropped=True)
    else:
        AidItem.objects.filter(pk=item.pk).update(month=paid.month)


def note_confirmed(*, disbursement: int) -> None:
    """This will note that the family confirmed; a release made before keeps the share it was made with."""
    AidItem.objects.filter(
        disbursement=disbursement, amount__gt=0, release=None, residual=None, dropped=False
    ).update(confirmed=True)


def publish_expense(
    *, entry: int, earmark: int, budget_line: int, category: str, purpose: str, paid_on: dt.date, amount: int,
    currency: str,
) -> None:  # fmt: skip
    """This will make a paid expense public at once (negative: its return). `purpose` has passed the privacy gate."""
    lock_earmark(earmark)
    _use, created = ExpenseUse.objects.get_or_create(
        entry=entry,
        defaults={
            "earmark": earmark, "budget_line": budget_line, "category": category, "purpose": purpose,
            "paid_on": paid_on, "amount": amount, "currency": currency,
        },
    )  # fmt: skip
    if created:
        PublicSpending.objects.filter(earmark=earmark).update(expenses=F("expenses") + amount)
        bump_epoch()


def lock_earmark(earmark: int) -> None:
    """This will lock the gate of an earmark for the rest of the transaction."""
    lock_gates([earmark])


def lock_gates(earmarks: Iterable[int]) -> None:
    """This will lock the gates of earmarks, in id order, for the rest of the transaction."""
    ids = sorted(set(earmarks))
    PublicSpending.objects.bulk_create([PublicSpending(earmark=each) for each in ids], ignore_conflicts=True)
    list(PublicSpending.objects.select_for_update().filter(earmark__in=ids).order_by("earmark"))


def release_due(*, now: dt.datetime, earmarks: Iterable[int] | None = None) -> list[Release]:
    """This will make every release that is due, earmark by earmark, each in its own transaction. Where fewer than five
    files wait for a category nothing can be due, and nothing is locked or read."""
    waiting = _waiting().filter(amount__gt=0)
    if earmarks is not None:
        waiting = waiting.filter(earmark__in=list(earmarks))
    enough = waiting.values("earmark", "category", "currency").annotate(
        files=Count("household", distinct=True)
    )
    ready = enough.filter(files__gte=SMALLEST_GROUP).values_list("earmark", flat=True)
    made: list[Release] = []
    for earmark in sorted(set(ready)):
        with transaction.atomic():
            lock_earmark(earmark)
            made += _release_earmark(earmark, now)
    return made


def _release_earmark(earmark: int, now: dt.datetime) -> list[Release]:
    items = list(_waiting().filter(earmark=earmark).order_by("id"))
    families = distinct_families({item.household for item in items})
    made: list[Release] = []
    today = civil_day(now)
    for period, whole_city in (
        (PeriodKind.MONTH, False), (PeriodKind.MONTH, True), (PeriodKind.QUARTER, True), (PeriodKind.HALF_YEAR, True),
        (PeriodKind.YEAR, True),
    ):  # fmt: skip
        groups: dict[tuple[str, str, int | None, dt.date], list[AidItem]] = defaultdict(list)
        for item in items:
            if item.release_id is None:
                starts_on = period_start(item.month, period)
                town = None if whole_city else item.town
                groups[item.currency, item.category, town, starts_on].append(item)
        for (currency, category, town, starts_on), group in sorted(groups.items(), key=str):
            if whole_city and today < add_months(starts_on, MONTHS_OF[period]):
                continue
            release = _release_group(
                earmark, (currency, category, town), period, starts_on, group, families, now
            )
            if release:
                made.append(release)
    return made


def _release_group(
    earmark: int, place: tuple[str, str, int | None], period: PeriodKind, starts_on: dt.date, group: list[AidItem],
    families: Mapping[int, str], now: dt.datetime,
) -> Release | None:  # fmt: skip
    # A family whose return cancels its payment is not one of those the amount stands for.
    net: dict[str, int] = defaultdict(int)
    for item in group:
        net[families[item.household]] += item.amount
    helped = {family for family, left in net.items() if left > 0}
    amount = sum(item.amount for item in group)
    if len(helped) < SMALLEST_GROUP or amount <= 0:
        return None
    waiting = {families[item.household] for item in group if item.amount > 0 and not item.confirmed}
    currency, category, town = place
    release = Release.objects.create(
        earmark=earmark, category=category, town=town, period=period, starts_on=starts_on, amount=amount,
        currency=currency, households=len(helped), confirmed=len(helped - waiting), released_at=now,
    )  # fmt: skip
    for item in group:
        item.release_id = release.pk
    AidItem.objects.filter(pk__in=[item.pk for item in group]).update(release=release)
    PublicSpending.objects.filter(earmark=earmark).update(
        aid=F("aid") + amount, households=F("households") + len(helped)
    )
    bump_epoch()
    return release


@transaction.atomic
def release_residual(*, earmark: int, now: dt.datetime) -> Residual | None:
    """This will tell what remains of a completed project's aid as one total, once: what can still be released is
    released first. None when nothing remains, when the rest is no positive amount, or when it was told before."""
    lock_earmark(earmark)
    _release_earmark(earmark, now)
    if Residual.objects.filter(earmark=earmark).exists():
        return None
    items = list(_waiting().filter(earmark=earmark))
    amount = sum(item.amount for item in items)
    if amount <= 0:
        return None
    made = Residual.objects.create(
        earmark=earmark, amount=amount, currency=items[0].currency, closed_on=civil_day(now)
    )
    AidItem.objects.filter(pk__in=[item.pk for item in items]).update(residual=made)
    PublicSpending.objects.filter(earmark=earmark).update(aid=F("aid") + amount)
    bump_epoch()
    return made


def _waiting() -> QuerySet[AidItem]:
    return AidItem.objects.filter(release=None, residual=None, dropped=False)


def period_start(month: dt.date, period: str) -> dt.date:
    """This will give the first day of the period of a kind that holds a month."""
    size = MONTHS_OF[PeriodKind(period)]
    return month.replace(month=(month.month - 1) // size * size + 1, day=1)
