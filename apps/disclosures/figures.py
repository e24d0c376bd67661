"""What the books say of a report's period (D3): from entries effective in it and recorded before the cut-off.

Aid counts as its releases, expenses as their public rows. A report holds every public use that no other report of the
project holds, that was public before the cut-off and whose payments all went out before the period's end; so each use
stands in exactly one report, however late it was released. What was paid and is not in a report yet stays in "unspent,
including aid under way", and the auditor's lines say by how much that differs from the ledger:

    paid in the period = held by this report - shown now, paid earlier + paid, not yet shown
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.db.models import Max, Q, QuerySet, Sum

from apps.core.clock import start_of_day
from apps.disclosures.models import Report, ReportUse
from apps.disclosures.states import FINAL, Section, Unit
from apps.funds.models import BudgetLine, Project
from apps.funds.queries import project_earmarks
from apps.ledger.models import Channel, Entry
from apps.ledger.queries import balance_at, cost_by_budget_line, income_by_channel, moved_in_period
from apps.publication.models import AidItem, ExpenseUse, Release, Residual
from apps.publication.queries import residuals_of

PROGRESS = "implementation_progress"
LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Figure:
    """One computed line of a report: fen, or households."""

    section: str
    key: str
    label_zh: str
    label_en: str
    amount: int
    unit: str = Unit.FEN


@dataclass(frozen=True, slots=True)
class Books:
    """All computed lines in their order, and the public uses that the report will hold."""

    figures: list[Figure]
    releases: list[Release]
    expenses: list[ExpenseUse]
    cutoff: dt.datetime
    residuals: Sequence[Residual] = ()


def database_clock() -> dt.datetime:
    """This will give the database's own time, by which entries are recorded: the cut-off of a report."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: dt.datetime = cursor.fetchone()[0]
        return moment


class Basis(StrEnum):
    """How a report's spending is taken from the public record."""

    HOLD = "hold"
    """Every public use whose payments all went out before the end, and that no other report holds."""
    WHOLE = "whole"
    """All of the project's uses from its beginning on, earlier reports' included; the rest is held (closing)."""
    LOOK = "look"
    """What became public within the period; nothing is held (campaigns, surplus)."""


def compute(
    *, project: Project, period_start: dt.date, period_end: dt.date, now: dt.datetime, cutoff: dt.datetime,
    report: Report | None = None, basis: Basis = Basis.HOLD,
) -> Books:  # fmt: skip
    """This will compute a project's figures for [period_start, period_end), leaving out what other reports hold.

    The versions of one report count as one: a correction holds what the version it corrects holds.
    """
    marks = list(project_earmarks([project.pk]).values())
    start, end = start_of_day(period_start), start_of_day(period_end)
    others = ReportUse.objects.filter(report__project=project)
    if report is not None:
        others = others.exclude(Q(report=report.first) | Q(report__root=report.first))
    if basis == Basis.LOOK:
        held_r, held_e = _looked_at(marks, period_start, period_end, start, end, cutoff)
        releases, expenses = held_r, held_e
        shown_before = _shown_by(marks, start, period_start, cutoff)
    else:
        held_r = _releases(marks, end, now, others)
        held_e = _expenses(marks, period_end, cutoff, others)
        releases, expenses = held_r, held_e
        shown_before = int(
            others.filter(report__period_end__lte=period_start).aggregate(n=Sum("amount"))["n"] or 0
        )
    if basis == Basis.WHOLE:
        releases = [*Release.objects.filter(pk__in=others.values("release")), *held_r]
        expenses = [*ExpenseUse.objects.filter(pk__in=others.values("expense")), *held_e]
    period = {"start": start, "end": end, "recorded_before": cutoff}
    costs = {part.key: part.amount for part in cost_by_budget_line(marks, **period)}
    fees = costs.pop(None, 0)
    paid = sum(costs.values())
    before = cost_by_budget_line(marks, start=LONG_AGO, end=start, recorded_before=cutoff)
    paid_before = sum(part.amount for part in before if part.key is not None)
    opening = balance_at(marks, moment=start, recorded_before=cutoff) + paid_before - shown_before
    spending = _spending(project, releases, expenses)
    shown = sum(each.amount for each in releases) + sum(each.amount for each in expenses)
    if basis == Basis.WHOLE:
        rest = _rest_of_aid(project, costs, releases)
        spending += rest
        shown += sum(each.amount for each in rest)
    made = [
        *_income(marks, start, end, cutoff),
        *spending,
        Figure(Section.BALANCE, "opening", "期初未使用（含办理中的救助）", "Unspent at the start, aid included",
               opening),
        Figure(Section.BALANCE, "fees", "支付手续费", "Payment fees", fees),
        Figure(Section.PEOPLE, "households", "帮助户次", "Households helped", sum(each.households for each in releases),
               Unit.HOUSEHOLDS),
        Figure(Section.AUDIT, "paid", "本期实际付款（总账）", "Paid in the period (ledger)", paid),
    ]  # fmt: skip
    if basis != Basis.LOOK:
        earlier = _paid_before(releases, expenses, start, period_start)
        last = opening if basis == Basis.WHOLE else _closing_of_last(project, period_start, report, opening)
        made += [
            Figure(Section.AUDIT, "shown_earlier", "本期公布、以前付款", "Shown now, paid earlier", earlier),
            Figure(Section.AUDIT, "not_shown", "已付款、尚未公布", "Paid, not yet shown", paid - (shown - earlier)),
            Figure(Section.AUDIT, "late_recorded", "上期报告后才记账的以前事项",
                   "Of earlier days, recorded since the last report", opening - last),
        ]  # fmt: skip
    made.append(
        Figure(Section.AUDIT, "ledger_closing", "期末总账余额", "Ledger balance at the end",
               balance_at(marks, moment=end, recorded_before=cutoff))
    )  # fmt: skip
    if basis == Basis.LOOK:
        held_r, held_e = [], []
    return Books(made, held_r, held_e, cutoff, _residuals(marks, end, others) if basis == Basis.WHOLE else ())


def _looked_at(
    marks: Sequence[int], first: dt.date, last: dt.date, start: dt.datetime, end: dt.datetime, cutoff: dt.datetime
) -> tuple[list[Release], list[ExpenseUse]]:  # fmt: skip
    """What became public within a period: releases by their moment, expenses by the day they were paid."""
    until = min(end, cutoff)
    releases = Release.objects.filter(earmark__in=marks, released_at__gte=start, released_at__lt=until)
    expenses = ExpenseUse.objects.filter(
        earmark__in=marks, paid_on__gte=first, paid_on__lt=last, recorded_at__lt=cutoff
    )
    return list(releases.order_by("id")), list(expenses.order_by("id"))


def _shown_by(marks: Sequence[int], start: dt.datetime, first: dt.date, cutoff: dt.datetime) -> int:
    """What had become public before a period."""
    aid = Release.objects.filter(earmark__in=marks, released_at__lt=start).aggregate(n=Sum("amount"))["n"]
    rows = ExpenseUse.objects.filter(earmark__in=marks, paid_on__lt=first, recorded_at__lt=cutoff)
    return int(aid or 0) + int(rows.aggregate(n=Sum("amount"))["n"] or 0)


def _rest_of_aid(
    project: Project, costs: dict[str | int | None, int], releases: Sequence[Release]
) -> list[Figure]:
    """What a project's end leaves for fewer than five households: one total, without town, month or count (C4)."""
    line = BudgetLine.objects.filter(project=project, is_aid_line=True).first()
    rest = costs.get(line.pk, 0) - sum(each.amount for each in releases) if line else 0
    if rest == 0:
        return []
    return [
        Figure(Section.SPENDING, "aid:rest", "其余救助（不足5户，只列总数）",
               "Other aid (fewer than five households, one total)", rest)
    ]  # fmt: skip


def _releases(
    marks: Sequence[int], end: dt.datetime, now: dt.datetime, others: QuerySet[ReportUse]
) -> list[Release]:
    held = others.filter(release__isnull=False).values("release")
    free = list(
        Release.objects.filter(earmark__in=marks, released_at__lt=now)
        .exclude(pk__in=held)
        .order_by("starts_on", "id")
    )
    items = AidItem.objects.filter(release__in=free).values_list("release", "entry")
    last: dict[int, dt.datetime] = {}
    when = dict(Entry.objects.filter(pk__in=[entry for _, entry in items]).values_list("pk", "effective_at"))
    for release, entry in items:
        last[release] = max(last.get(release, LONG_AGO), when[entry])
    return [each for each in free if last.get(each.pk, end) < end]


def _residuals(marks: Sequence[int], end: dt.datetime, others: QuerySet[ReportUse]) -> list[Residual]:
    """What remained of the aid when the project was completed: a use of its closing report, once (C4)."""
    held = set(others.filter(residual__isnull=False).values_list("residual", flat=True))
    made = []
    for each in residuals_of(marks):
        entries = AidItem.objects.filter(residual=each).values("entry")
        last = Entry.objects.filter(pk__in=entries).aggregate(n=Max("effective_at"))["n"]
        if each.pk not in held and last < end:
            made.append(each)
    return made


def _expenses(
    marks: Sequence[int], end: dt.date, cutoff: dt.datetime, others: QuerySet[ReportUse]
) -> list[ExpenseUse]:
    held = others.filter(expense__isnull=False).values("expense")
    rows = ExpenseUse.objects.filter(earmark__in=marks, paid_on__lt=end, recorded_at__lt=cutoff).exclude(
        pk__in=held
    )
    return list(rows.order_by("paid_on", "id"))


def _income(marks: Sequence[int], start: dt.datetime, end: dt.datetime, cutoff: dt.datetime) -> list[Figure]:
    names = {code: (zh, en) for code, zh, en in Channel.objects.values_list("code", "name_zh", "name_en")}
    made = []
    for part in income_by_channel(marks, start=start, end=end, recorded_before=cutoff):
        code = str(part.key or "other")
        zh, en = names.get(code, names["other"])
        made.append(Figure(Section.INCOME, f"channel:{code}", zh, en, part.amount))
    moved = moved_in_period(marks, start=start, end=end, recorded_before=cutoff)
    if moved:
        made.append(Figure(Section.INCOME, "moved", "调入减调出", "Transfers in less out", moved))
    return made


def _spending(project: Project, releases: list[Release], expenses: list[ExpenseUse]) -> list[Figure]:
    spent: dict[int, int] = {}
    for each in expenses:
        spent[each.budget_line] = spent.get(each.budget_line, 0) + each.amount
    lines = list(BudgetLine.objects.filter(project=project))
    made = []
    if releases or any(line.is_aid_line for line in lines):
        name = next((line for line in lines if line.is_aid_line), None)
        zh, en = (name.name, name.name_en) if name else ("救助金", "Aid")
        made.append(Figure(Section.SPENDING, "aid", zh, en or "Aid", sum(each.amount for each in releases)))
    for line in lines:
        if line.pk in spent or not (line.is_aid_line or line.is_fee_line):
            made.append(
                Figure(Section.SPENDING, f"line:{line.code}", line.name, line.name_en, spent.get(line.pk, 0))
            )
    return made


def _paid_before(
    releases: list[Release], expenses: list[ExpenseUse], start: dt.datetime, first_day: dt.date
) -> int:
    """The part of what a report holds that was paid before its period."""
    items = list(AidItem.objects.filter(release__in=releases).values_list("entry", "amount"))
    early = set(
        Entry.objects.filter(pk__in=[entry for entry, _ in items], effective_at__lt=start).values_list(
            "pk", flat=True
        )
    )
    aid = sum(amount for entry, amount in items if entry in early)
    return aid + sum(each.amount for each in expenses if each.paid_on < first_day)


def _closing_of_last(project: Project, period_start: dt.date, report: Report | None, opening: int) -> int:
    rows = Report.objects.filter(project=project, kind__code=PROGRESS, period_end__lte=period_start)
    if report is not None:
        rows = rows.exclude(Q(pk=report.first) | Q(root=report.first))
    rows = rows.filter(Q(corrects__isnull=True) | Q(status__in=FINAL))
    last = rows.order_by("-period_end", "-version", "-id").first()
    if last is None:
        return opening
    amounts = {(line.section, line.key): line.computed for line in last.lines.all()}
    return closing(amounts)


def closing(amounts: dict[tuple[str, str], int]) -> int:
    """This will give the unspent rest at the end: opening + income - fees - spending."""
    income = sum(n for (section, _), n in amounts.items() if section == Section.INCOME)
    spending = sum(n for (section, _), n in amounts.items() if section == Section.SPENDING)
    return (
        amounts.get((Section.BALANCE, "opening"), 0)
        + income
        - amounts.get((Section.BALANCE, "fees"), 0)
        - spending
    )


def last_period_end(project: Project, code: str) -> dt.date | None:
    """This will give the day after the last one that a report of a kind already covers."""
    rows = Report.objects.filter(project=project, kind__code=code)
    latest: dt.date | None = rows.aggregate(n=Max("period_end"))["n"]
    return latest
