"""The gate for aid (C4): whatever comes in, no public record stands for fewer than five families."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.clock import SHANGHAI
from apps.publication.models import AidItem, Release
from apps.publication.models.releases import PublicSpending
from apps.publication.releases import note_aid, note_confirmed, period_start, release_due

pytestmark = pytest.mark.django_db
_entries = iter(range(1, 10**9))


def aid(household: int, amount: int = 1_000, *, town: int = 1, month: int = 1, earmark: int = 1,
        disbursement: int | None = None, category: str = "illness") -> int:  # fmt: skip
    entry = next(_entries)
    note_aid(entry=entry, disbursement=disbursement or entry, household=household, earmark=earmark,
             category=category, town=town, month=dt.date(2026, month, 1), amount=amount, currency="CNY")  # fmt: skip
    return entry


def on(month: int, day: int = 2, year: int = 2026) -> dt.datetime:
    return dt.datetime(year, month, day, 1, tzinfo=SHANGHAI)


def told() -> list[tuple[Any, ...]]:
    rows = Release.objects.order_by("id")
    return list(rows.values_list("town", "period", "starts_on", "households", "amount"))


def test_four_families_are_impossible_in_sql_as_well() -> None:
    for households in (0, 1, 4):
        with pytest.raises(IntegrityError, match="release_at_least_five"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO publication_release (public_id, earmark, category, period, starts_on, amount,"
                    " currency, households, confirmed, released_at)"
                    " VALUES ('x', 1, 'illness', 'month', '2026-01-01', 1, 'CNY', %s, 0, now())",
                    [households],
                )


def test_five_payments_to_four_families_wait() -> None:
    for household in (1, 2, 3, 4, 4):
        aid(household)
    assert release_due(now=on(1, 31)) == []
    aid(5)
    release_due(now=on(1, 31))
    assert told() == [(1, "month", dt.date(2026, 1, 1), 5, 6_000)]


def test_towns_merge_only_when_the_month_is_over() -> None:
    for household in range(1, 4):
        aid(household, town=1)
    for household in range(4, 7):
        aid(household, town=2)
    assert release_due(now=on(1, 31)) == []
    assert release_due(now=dt.datetime(2026, 1, 31, 23, 59, tzinfo=SHANGHAI)) == []
    release_due(now=dt.datetime(2026, 2, 1, 0, 0, tzinfo=SHANGHAI))
    assert told() == [(None, "month", dt.date(2026, 1, 1), 6, 6_000)]


def test_a_town_with_five_of_its_own_is_not_merged() -> None:
    for household in range(1, 6):
        aid(household, town=1)
    for household in range(6, 11):
        aid(household, town=2)
    aid(11, town=3)
    release_due(now=on(2))
    assert [row[0] for row in told()] == [1, 2]
    assert AidItem.objects.filter(release=None).count() == 1


@pytest.mark.parametrize(
    ("months", "period", "before", "after"),
    [
        ((4, 6), "quarter", on(6, 30), on(7, 1)),
        ((1, 6), "half_year", on(6, 30), on(7, 1)),
        ((1, 12), "year", on(12, 31), on(1, 1, 2027)),
    ],
)
def test_months_merge_when_their_period_is_over(
    months: tuple[int, int], period: str, before: dt.datetime, after: dt.datetime
) -> None:
    for household in range(1, 4):
        aid(household, month=months[0])
        aid(household + 3, month=months[1])
    assert release_due(now=before) == []
    release_due(now=after)
    assert told() == [(None, period, period_start(dt.date(2026, months[0], 1), period), 6, 6_000)]


def test_the_narrowest_period_wins() -> None:
    """Five in the month, two more in the quarter: the month is told, the two wait for five of their own."""
    for household in range(1, 6):
        aid(household, month=1, town=household)
    aid(6, month=2)
    aid(7, month=3)
    release_due(now=on(4))
    assert told() == [(None, "month", dt.date(2026, 1, 1), 5, 5_000)]


def test_nothing_merges_over_earmarks_or_categories() -> None:
    for household in range(1, 5):
        aid(household, earmark=1)
        aid(household + 4, earmark=2)
        aid(household + 8, earmark=1, category="education")
    assert release_due(now=on(1, year=2028)) == []


def test_an_entry_noted_again_counts_once() -> None:
    for household in range(1, 5):
        aid(household)
    entry = aid(5)
    for _ in range(3):
        note_aid(entry=entry, disbursement=entry, household=6, earmark=1, category="illness", town=1,
                 month=dt.date(2026, 1, 1), amount=9_999, currency="CNY")  # fmt: skip
    release_due(now=on(1, 20))
    assert told()[0][3:] == (5, 5_000)


def test_money_returned_before_a_release_was_never_there() -> None:
    for household in range(1, 5):
        aid(household)
    paid = aid(5, 700)
    aid(5, -700, disbursement=paid)
    assert release_due(now=on(1, 20)) == []
    assert AidItem.objects.filter(dropped=True).count() == 2
    aid(6)
    release_due(now=on(1, 20))
    assert told()[0][3:] == (5, 5_000)


def test_money_returned_after_its_release_is_netted_into_a_later_one() -> None:
    first = [aid(household) for household in range(1, 6)]
    release_due(now=on(1, 20))
    aid(1, -1_000, disbursement=first[0])
    assert release_due(now=on(1, 20)) == []
    for household in range(6, 11):
        aid(household)
    release_due(now=on(1, 20))
    assert [row[3:] for row in told()] == [(5, 5_000), (5, 4_000)]
    assert PublicSpending.objects.get(earmark=1).aid == 9_000


def test_a_family_whose_money_nets_to_nothing_is_not_one_of_the_five() -> None:
    """Paid, shown, sent back, paid again: in the second group its return and its payment cancel out."""
    first = [aid(household) for household in range(1, 6)]
    release_due(now=on(1, 20))
    aid(1, -1_000, disbursement=first[0])
    aid(1, 1_000, disbursement=first[0])
    for household in range(6, 10):
        aid(household)
    assert release_due(now=on(1, 20)) == [], "the amount would be that of four families"
    aid(10)
    release_due(now=on(1, 20))
    assert told()[1][3:] == (5, 5_000)


def test_returns_larger_than_the_new_payments_wait() -> None:
    first = [aid(household, 50_000) for household in range(1, 6)]
    release_due(now=on(1, 20))
    aid(1, -50_000, disbursement=first[0])
    for household in range(6, 11):
        aid(household, 100)
    assert release_due(now=on(1, 20)) == []


def test_what_was_told_does_not_change() -> None:
    entries = [aid(household) for household in range(1, 6)]
    note_confirmed(disbursement=entries[0])
    [release] = release_due(now=on(1, 20))
    assert release.confirmed == 1
    note_confirmed(disbursement=entries[1])
    assert AidItem.objects.filter(release=release, confirmed=True).count() == 1
    aid(6)
    release_due(now=on(12, 31))
    release.refresh_from_db()
    assert (release.households, release.confirmed, release.amount) == (5, 1, 5_000)


payments = st.tuples(
    st.integers(1, 9), st.integers(1, 3), st.integers(1, 12), st.integers(1, 10_000), st.booleans()
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(payments, st.integers(0, 8)), min_size=5, max_size=40))
def test_no_record_and_no_difference_of_figures_singles_out_fewer_than_five(
    steps: list[tuple[tuple[int, int, int, int, bool], int]],
) -> None:
    """Random families, towns, months, returns and moments of looking. A reader keeps every public figure of every day
    and subtracts; each step of the figure must stand for at least five families with money of their own in it."""
    with transaction.atomic():
        earmark = 10**6 + next(_entries)
        month = 1
        public, seen = 0, 0
        for (household, town, forward, amount, comes_back), look in steps:
            month = max(month, forward)
            entry = aid(household, amount, town=town, month=month, earmark=earmark)
            if look == 7:
                release_due(now=on(month, 28), earmarks=[earmark])
            if comes_back:
                aid(household, -amount, town=town, month=month, earmark=earmark, disbursement=entry)
            if look > 5:
                release_due(now=on(month, 28), earmarks=[earmark])
                made = list(Release.objects.filter(earmark=earmark).order_by("id"))
                now_told = PublicSpending.objects.get(earmark=earmark).aid
                assert now_told - public == sum(r.amount for r in made[seen:])
                assert (now_told == public) == (len(made) == seen)
                public, seen = now_told, len(made)
        release_due(now=on(2, year=2027), earmarks=[earmark])
        for release in Release.objects.filter(earmark=earmark):
            net: dict[int, int] = defaultdict(int)
            for item in release.items.all():
                net[item.household] += item.amount
                assert release.town in (None, item.town)
                assert period_start(item.month, release.period) == release.starts_on
            standing = sum(1 for value in net.values() if value > 0)
            assert standing == release.households >= 5
            assert sum(net.values()) == release.amount > 0
        waiting = AidItem.objects.filter(earmark=earmark, release=None, dropped=False)
        told_sum = sum(Release.objects.filter(earmark=earmark).values_list("amount", flat=True))
        paid = sum(AidItem.objects.filter(earmark=earmark, dropped=False).values_list("amount", flat=True))
        assert told_sum + sum(waiting.values_list("amount", flat=True)) == paid
        transaction.set_rollback(True)
