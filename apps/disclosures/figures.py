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

from django.db import connection
from django.db.models import Max, QuerySet, Sum

from apps.core.clock import start_of_day
from apps.disclosures.models import Report, ReportUse
from apps.disclosures.states import Section, Unit
from apps.funds.models import BudgetLine, Project
from apps.funds.queries import project_earmarks
from apps.ledger.models import Channel, Entry
from apps.ledger.queries import balance_at, cost_by_budget_line, income_by_channel, moved_in_period
from apps.publication.models import AidItem, ExpenseUse, Release

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
    """All computed lines in their order, and the public uses behind the spending."""

    figures: list[Figure]
    releases: list[Release]
    expenses: list[ExpenseUse]
    cutoff: dt.datetime

    @property
    def spending(self) -> int:
        return sum(each.amount for each in self.releases) + sum(each.amount for each in self.expenses)


def database_clock() -> dt.datetime:
    """This will give the database's own time, by which entries are recorded: the cut-off of a report."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: dt.datetime = cursor.fetchone()[0]
        return moment


def compute(
    *, project: Project, period_start: dt.date, period_end: dt.date, now: dt.datetime, cutoff: dt.datetime,
    report: Report | None = None,
) -> Books:  # fmt: skip
    """This will compute a report's figures for [period_start, period_end), leaving out what other reports hold."""
    marks = list(project_earmarks([project.pk]).values())
    start, end = start_of_day(period_start), start_of_day(period_end)
    others = ReportUse.objects.filter(report__project=project).exclude(report=report)
    releases = _releases(marks, end, now, others)
    expenses = _expenses(marks, period_end, cutoff, others)
    period = {"start": start, "end": end, "recorded_before": cutoff}
    fees = sum(part.amount for part in cost_by_budget_line(marks, **period) if part.key is None)
    paid = sum(part.amount for part in cost_by_budget_line(marks, **period) if part.key is not None)
    before = cost_by_budget_line(marks, start=LONG_AGO, end=start, recorded_before=cutoff)
    paid_before = sum(part.amount for part in before if part.key is not None)
    shown_before = int(
        others.filter(report__period_end__lte=period_start).aggregate(n=Sum("amount"))["n"] or 0
    )
    opening = balance_at(marks, moment=start, recorded_before=cutoff) + paid_before - shown_before
    spending = _spending(project, releases, expenses)
    shown = sum(each.amount for each in releases) + sum(each.amount for each in expenses)
    earlier = _paid_before(releases, expenses, start, period_start)
    made = [
        *_income(marks, start, end, cutoff),
        *spending,
        Figure(Section.BALANCE, "opening", "期初未使用（含办理中的救助）", "Unspent at the start, aid included",
               opening),
        Figure(Section.BALANCE, "fees", "支付手续费", "Payment fees", fees),
        Figure(Section.PEOPLE, "households", "帮助户次", "Households helped", sum(each.households for each in releases),
               Unit.HOUSEHOLDS),
        Figure(Section.AUDIT, "paid", "本期实际付款（总账）", "Paid in the period (ledger)", paid),
        Figure(Section.AUDIT, "shown_earlier", "本期公布、以前付款", "Shown now, paid earlier", earlier),
        Figure(Section.AUDIT, "not_shown", "已付款、尚未公布", "Paid, not yet shown", paid - (shown - earlier)),
        Figure(Section.AUDIT, "late_recorded", "上期报告后才记账的以前事项",
               "Of earlier days, recorded since the last report",
               opening - _closing_of_last(project, period_start, report, opening)),
        Figure(Section.AUDIT, "ledger_closing", "期末总账余额", "Ledger balance at the end",
               balance_at(marks, moment=end, recorded_before=cutoff)),
    ]  # fmt: skip
    return Books(made, releases, expenses, cutoff)


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
    rows = Report.objects.filter(project=project, period_end__lte=period_start)
    last = rows.exclude(pk=report.pk if report else 0).order_by("-period_end", "-id").first()
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


def last_period_end(project: Project, kind_id: int) -> dt.date | None:
    """This will give the day after the last one that a report of a kind already covers."""
    rows = Report.objects.filter(project=project, kind=kind_id)
    latest: dt.date | None = rows.aggregate(n=Max("period_end"))["n"]
    return latest
