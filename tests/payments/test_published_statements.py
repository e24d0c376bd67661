"""Statements that were really published (../shared/data), reconciled with the gifts recorded from them."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.donations.models import Gift
from apps.payments.models import (
    BankLine,
    Explanation,
    Match,
)
from tests import world as w
from tests.donations.lists import SHARED, load, vnd_fund
from tests.payments.desk import (
    account,
    faults,
    needs_lists,
    open_differences,
    take_in,
)

# The published statements


@needs_lists
@pytest.mark.parametrize(
    ("name", "rows", "left"), [("agribank", 2493, 0), ("vietcombank", 10_000, 1), ("vietinbank", 6474, 0)]
)
def test_published_statements_reconcile_with_the_gifts_recorded_from_them(
    city: w.World, name: str, rows: int, left: int
) -> None:
    fund, path = vnd_fund(city), SHARED / "vietnam" / f"{name}.csv"
    own = account(city, number="2589163307083", currency="VND", starts_on=dt.date(2024, 9, 1))
    load(city, path, fund=fund, project=None, currency="VND", source="2589163307083", account="2589163307083")
    taken = take_in(city, own, path)
    assert taken is not None and taken.rows == rows and (taken.opening is not None) == (name == "agribank")
    assert Match.objects.filter(how="key").count() == rows - left, "line by line, by the same identity"
    found = open_differences()
    assert found == ([("bank", "theirs", -55_000, None)] if left else []), "the bank's own fee"
    assert take_in(city, own, path) is None


@needs_lists
def test_agribanks_running_balance_points_at_every_tampering(city: w.World) -> None:
    own = account(city, number="150", currency="VND")
    lines = (SHARED / "vietnam" / "agribank.csv").read_text(encoding="utf-8-sig").strip().split("\n")
    assert not faults(city, own, "\n".join(lines))
    for at in (2, 700, 2000):
        assert faults(city, own, "\n".join(lines[:at] + lines[at + 1 :])) == {(at + 1, "I", "balance_breaks")}
        assert faults(city, own, "\n".join(lines[: at + 1] + lines[at:])) == {(at + 2, "I", "line_doubled")}
    cells = lines[500].split('"')
    cells[1] = "1," + cells[1] if "," in cells[1] else cells[1]
    assert faults(city, own, "\n".join([*lines[:500], '"'.join(cells), *lines[501:]])) == {
        (501, "I", "balance_breaks")
    }


def test_the_same_identity_in_sql_and_in_python(city: w.World) -> None:
    list_ = "日期,姓名,金额,备注,流水号\n2026-11-23,甲（一）,5,ｘ,\n2026-11-23,甲（一）,5,ｘ,\n2026-11-23,乙,6,,Ｔ１\n"
    load(city, list_, fund=city.fund, project=None, source="6222021234567890", account="6222021234567890")
    take_in(city, account(city), list_)
    assert set(BankLine.objects.values_list("key", flat=True)) == set(
        Gift.objects.values_list("offline_key", flat=True)
    )
    assert Match.objects.filter(how="key").count() == 3 and Explanation.objects.count() == 0
