"""C4 as its attacker sees it: whatever was published when and at which level, no combination of figures stands for
fewer than five families."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.clock import SHANGHAI, add_months
from apps.core.events import deliver_due
from apps.funds import operations as funds
from apps.publication import releases
from apps.publication.invariants import nothing_forbidden_is_public
from apps.publication.models import AidItem, Release, Residual
from apps.publication.models.releases import PublicSpending
from apps.publication.queries import public_money
from apps.publication.releases import note_aid, release_due, release_residual
from tests import world as w
from tests.publication.attacker import Attacker

pytestmark = pytest.mark.django_db
_entries = iter(range(10**9, 2 * 10**9))

# The attacker itself, shown gates that are wrong


def five(start: int, count: int = 5) -> set[int]:
    return set(range(start, start + count))


def attacker(payments: int = 30) -> Attacker:
    return Attacker({n: n for n in range(payments)}, {n: 100 + n for n in range(payments)})


def tell(reader: Attacker, payments: set[int]) -> None:
    reader.sees(payments, sum(reader.amount_of[n] for n in payments))


def test_the_attacker_finds_nothing_in_releases_that_stand_apart() -> None:
    reader = attacker()
    tell(reader, five(0))
    tell(reader, five(5))
    tell(reader, five(0) | five(5))
    assert reader.fewest() == 5


def test_the_attacker_catches_a_release_that_grows() -> None:
    reader = attacker()
    tell(reader, five(0))
    tell(reader, five(0) | {5})
    assert reader.fewest() == 1


def test_the_attacker_catches_two_levels_that_differ_by_one_family() -> None:
    """A town's five, and a city's total that holds one family more of another town."""
    reader = attacker()
    tell(reader, five(0))
    tell(reader, five(5))
    tell(reader, five(0) | five(5) | {20})
    assert reader.fewest() == 1


def test_the_attacker_catches_three_overlapping_figures() -> None:
    """No figure and no difference of two stands for fewer than five; all three together do."""
    reader = attacker()
    tell(reader, five(0) | five(5) | {20})
    tell(reader, five(0) | five(10))
    tell(reader, five(5) | five(10))
    tell(reader, five(10))
    assert reader.fewest() == 1


def test_the_attacker_catches_groups_of_four() -> None:
    reader = attacker()
    tell(reader, five(0, 4))
    assert reader.fewest() == 4


# The gate itself


class Readers:
    """Everything the public can read of some earmarks at a moment, told to the attacker."""

    def __init__(self, earmarks: list[int], family: dict[int, int]) -> None:
        self.earmarks, self.family = earmarks, family
        self.seen: list[tuple[frozenset[int], int]] = []

    def look(self) -> None:
        told = AidItem.objects.filter(earmark__in=self.earmarks, release__isnull=False).select_related(
            "release"
        )
        by: dict[tuple[str, Any], set[int]] = defaultdict(set)
        for item in told:
            release = item.release
            assert release is not None
            for key in (
                ("release", release.pk), ("earmark", item.earmark), ("town", (item.earmark, release.town)),
                ("period", (item.earmark, release.period, release.starts_on)), ("category", release.category),
                ("all", 0), ("week", release.released_at.isocalendar()[:2]),
            ):  # fmt: skip
                by[key].add(item.pk)
        shown = Release.objects.filter(earmark__in=self.earmarks)
        figures = {("all", 0): shown.aggregate(n=Sum("amount"))["n"] or 0}
        for release in shown:
            figures["release", release.pk] = release.amount
        for earmark, aid in PublicSpending.objects.filter(earmark__in=self.earmarks).values_list(
            "earmark", "aid"
        ):
            rest = Residual.objects.filter(earmark=earmark).values_list("amount", flat=True).first() or 0
            figures["earmark", earmark] = aid - rest
        for key, payments in by.items():
            if key not in figures:
                figures[key] = sum(
                    release.amount
                    for release in shown
                    if payments & set(release.items.values_list("pk", flat=True))
                )
            self.seen.append((frozenset(payments), figures[key]))

    def attacker(self) -> Attacker:
        items = dict(AidItem.objects.filter(earmark__in=self.earmarks).values_list("pk", "amount"))
        households = dict(AidItem.objects.filter(earmark__in=self.earmarks).values_list("pk", "household"))
        made = Attacker({pk: self.family.get(h, h) for pk, h in households.items()}, items)
        for payments, value in self.seen:
            made.sees(payments, value)
        return made


step = st.tuples(
    st.integers(0, 13),  # household; 12 and 13 are second files of families 0 and 1
    st.integers(0, 1),  # earmark
    st.integers(1, 3),  # town
    st.integers(0, 3),  # months later
    st.integers(1, 10_000),
    st.sampled_from(["pay", "pay", "pay", "pay", "return", "part", "look"]),
    st.sampled_from(["illness", "education"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=8, max_size=45), st.booleans())
def test_no_combination_of_figures_singles_out_fewer_than_five(
    monkeypatch: pytest.MonkeyPatch, steps: list[Any], completed: bool
) -> None:
    """Random towns, months, families (some with two files), returns and moments of looking; at the end projects may be
    completed: their residual is one total and makes nothing else smaller."""
    family = {12: 0, 13: 1}
    monkeypatch.setattr(
        releases, "distinct_families", lambda ids: {each: f"f{family.get(each, each)}" for each in ids}
    )
    with transaction.atomic():
        start = next(_entries)
        earmarks = [start, next(_entries)]
        readers = Readers(earmarks, family)
        month, paid = dt.date(2025, 1, 1), list[tuple[int, int, int, int, str, dt.date]]()
        for household, which, town, later, amount, what, category in steps:
            month = add_months(month, later) if what == "look" else month
            if what == "pay":
                entry = next(_entries)
                paid.append((entry, household, earmarks[which], town, category, month))
                note(entry, entry, household, earmarks[which], town, category, month, amount)
            elif what == "return" and paid:
                entry, h, earmark, t, c, _m = paid.pop(amount % len(paid))
                rest = AidItem.objects.filter(disbursement=entry).aggregate(n=Sum("amount"))["n"]
                note(next(_entries), entry, h, earmark, t, c, month, -rest)
            elif what == "part" and paid:
                entry, h, earmark, t, c, _m = paid[amount % len(paid)]
                rest = AidItem.objects.filter(disbursement=entry).aggregate(n=Sum("amount"))["n"]
                if rest > 1:
                    note(next(_entries), entry, h, earmark, t, c, month, -(amount % (rest - 1) + 1))
            elif what == "look":
                release_due(now=dt.datetime(month.year, month.month, 20, tzinfo=SHANGHAI), earmarks=earmarks)
                readers.look()
        end = dt.datetime(add_months(month, 24).year, 1, 5, tzinfo=SHANGHAI)
        release_due(now=end, earmarks=earmarks)
        readers.look()
        if completed:
            for earmark in earmarks:
                release_residual(earmark=earmark, now=end)
                assert release_residual(earmark=earmark, now=end) is None
            readers.look()
        reader = readers.attacker()
        assert reader.fewest() >= 5
        for release in Release.objects.filter(earmark__in=earmarks):
            net: dict[int, int] = defaultdict(int)
            for item in release.items.all():
                net[family.get(item.household, item.household)] += item.amount
            assert sum(1 for value in net.values() if value > 0) == release.households >= 5
        transaction.set_rollback(True)


def note(entry: int, disbursement: int, household: int, earmark: int, town: int, category: str, month: dt.date,
         amount: int) -> None:  # fmt: skip
    note_aid(entry=entry, disbursement=disbursement, household=household, earmark=earmark, category=category, town=town,
             month=month, amount=amount, currency="CNY")  # fmt: skip


def test_a_person_with_files_in_two_towns_is_one_family() -> None:
    city = w.build()
    w.give(city, 1_000_000)
    for n in range(1, 5):
        w.help_family(city, n, 1_000)
    w.help_family(city, 1, 2_000, town=city.towns[1])
    later = w.NOW + dt.timedelta(days=70)
    assert release_due(now=later) == [], "five files of four families"
    w.help_family(city, 5, 500)
    [release] = release_due(now=w.NOW) or release_due(now=later)
    assert release.households == 5
    assert not nothing_forbidden_is_public().broken


def test_the_rest_of_a_completed_project_is_one_total() -> None:
    city = w.build()
    gift = w.give(city, 1_000_000)
    for n in range(1, 4):
        w.help_family(city, n, 1_000 * n, town=city.towns[n % 2])
    officer, project = city.people["officer"], city.project
    for move in (funds.close_raising, funds.start_executing, funds.complete_project):
        project = move(actor=officer, project=project, now=w.NOW)
    assert public_money([city.earmark]).aid == 0
    deliver_due(now=w._far())
    [rest] = Residual.objects.all()
    assert (rest.amount, public_money([city.earmark]).aid, Release.objects.count()) == (6_000, 6_000, 0)
    assert {field.name for field in Residual._meta.fields} == {
        "id", "public_id", "earmark", "amount", "currency", "closed_on",
    }, "no town, no month, no count"  # fmt: skip
    from apps.tracing.queries import trace_gift

    [use] = trace_gift(gift).uses
    assert (use.kind, use.amount, use.households) == ("residual", 6_000, 0)
    assert not nothing_forbidden_is_public().broken
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE publication_residual SET amount = 1")
    with pytest.raises(IntegrityError, match="aid_item_told_once"), transaction.atomic():
        AidItem.objects.filter(residual=rest).update(dropped=True)
