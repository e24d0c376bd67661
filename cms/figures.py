"""What the public pages of funds and projects show, gathered from the rooms' queries in a bounded number
of statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.core.clock import civil_day
from apps.core.money import Money
from apps.funds.models import BudgetLine, Project
from apps.funds.queries import accepts_gifts, project_earmarks
from apps.ledger.queries import figures_by_earmark
from apps.publication.queries import PublicMoney


@dataclass(frozen=True, slots=True)
class Card:
    """A project in a list."""

    project: Project
    raised: Money
    target: Money
    percent: str
    days_left: int | None
    open: bool


@dataclass(frozen=True, slots=True)
class BudgetRow:
    line: BudgetLine
    used: int
    percent: int


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the whole for a bar and its table: css class, label, fen, x and width in percent."""

    name: str
    label: str
    fen: int
    x: str
    width: str
    percent: str


def cards(
    projects: Sequence[Project], now: dt.datetime, raised: Mapping[int, int] | None = None
) -> list[Card]:
    """This will make the cards of a list of projects with two statements for any number of them, or none when what each
    raised (fen by project id) is known already."""
    if raised is None:
        marks = project_earmarks([project.pk for project in projects])
        figures = figures_by_earmark(marks.values())
        raised = {owner: figures[mark].net_raised for owner, mark in marks.items()}
    made = []
    for project in projects:
        fen = raised.get(project.pk, 0)
        made.append(
            Card(
                project=project, raised=Money(fen, project.currency), target=Money(project.target, project.currency),
                percent=f"{100 * fen / project.target:.1f}%",
                days_left=max((project.ends_on - civil_day(now)).days, 0) if accepts_gifts(project, now) else None,
                open=accepts_gifts(project, now),
            )
        )  # fmt: skip
    return made


def shares(money: PublicMoney, labels: Sequence[str]) -> list[Share]:
    """This will split what came in into aid, expenses, fees and the unspent rest; the parts sum to the whole."""
    parts = (("f-a", money.aid), ("f-b", money.expenses), ("f-fee", money.fees), ("f-rest", money.unspent))
    whole, x = max(money.total_in, 1), 0.0
    made = []
    for (name, fen), label in zip(parts, labels, strict=True):
        width = 100 * fen / whole
        made.append(Share(name, label, fen, f"{x:.2f}%", f"{max(width - 0.25, 0.0):.2f}%", f"{width:.1f}%"))
        x += width
    return made


def budget_rows(lines: Sequence[BudgetLine], expenses: dict[int, int], money: PublicMoney) -> list[BudgetRow]:
    """This will set each budget line beside what the public may know was used of it: expenses by line, released aid on
    the plan's aid line, fees where the plan names a line for them."""
    rows = []
    for line in lines:
        used = expenses.get(line.pk, 0)
        if line.is_fee_line:
            used += money.fees
        if line.is_aid_line:
            used += money.aid
        rows.append(BudgetRow(line, used, 100 * used // max(line.planned, 1)))
    return rows
