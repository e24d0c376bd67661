"""A cashier's desk for tests of reconciliation: an account, statements, what is found."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

import pytest

from apps.core.actors import Actor, system
from apps.core.invariants import ordered
from apps.donations.models import Gift
from apps.ledger.models import Book
from apps.payments.models import (
    BankAccount,
    BankStatement,
    Difference,
    StatementDraft,
)
from apps.payments.operations import reconciling
from apps.payments.operations.reconciling import statements
from tests import world as w
from tests.donations.lists import SHARED, written

SYSTEM = system("tests")
DAY = w.NOW.date()
NEXT = w.NOW + dt.timedelta(days=1, hours=4)
HEAD = "交易日期,摘要,收入,支出,余额,对方户名,流水号\n"
RUNNING = HEAD + "".join(
    f"2026-11-23,捐款{n},{n}.00,,{1000 + n * (n + 1) // 2}.00,人{n},R{n}\n" for n in range(1, 9)
)
needs_lists = pytest.mark.skipif(
    not SHARED.exists(), reason="the published statements lie in ../shared/data, beside the project"
)


def book() -> Book:
    return Book.objects.get(code="federation")


def cashier(city: w.World) -> Actor:
    return city.people["cashier"]


def account(
    city: w.World, number: str = "6222021234567890", currency: str = "CNY", **over: Any
) -> BankAccount:
    return reconciling.open_bank_account(
        actor=cashier(city), book=book(), bank="农业银行", number=number, currency=currency,
        **{"starts_on": DAY, "now": w.NOW, **over},
    )  # fmt: skip


def bring(
    city: w.World, own: BankAccount, content: str | pathlib.Path, now: dt.datetime = NEXT
) -> StatementDraft:
    path = content if isinstance(content, pathlib.Path) else written(content)
    return reconciling.bring_statement(
        actor=cashier(city), account=own, file_name="s.csv", path=path, now=now
    )


def take_in(
    city: w.World, own: BankAccount, content: str | pathlib.Path, **over: Any
) -> BankStatement | None:
    return reconciling.record_statement(
        actor=cashier(city), draft=bring(city, own, content), now=NEXT, **over
    )


def faults(city: w.World, own: BankAccount, content: str) -> set[tuple[int, str, str]]:
    read = statements.read_draft(bring(city, own, content), NEXT)
    assert read is not None
    return {(each.row, each.column, each.code) for each in read.faults}


def open_differences(**only: Any) -> list[tuple[str, str, int | None, int | None]]:
    rows = Difference.objects.filter(explained=False, **only).order_by("day", "key")
    return list(rows.values_list("side", "kind", "theirs", "ours"))


def check() -> None:
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


def paid_and_read(city: w.World, now: dt.datetime = NEXT) -> Gift:
    gift = w.give(city, 20_000)
    reconciling.read_balances(actor=SYSTEM, now=now)
    return gift
