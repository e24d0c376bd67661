"""Which figures a kind of report has, and who computes them (D3). A kind's `fields` are names of COMPUTERS.

A kind whose field nobody computes has no lines for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from apps.core.clock import start_of_day
from apps.disclosures.figures import Basis, Books, Figure, compute, database_clock
from apps.disclosures.goods import goods_figures
from apps.disclosures.models import Occurrence, Report
from apps.disclosures.statements import book_of, statement_figures
from apps.disclosures.states import Section, Unit
from apps.funds.models import BudgetLine
from apps.funds.states import PUBLIC
from apps.ledger.models import Channel, Earmark
from apps.ledger.queries import cost_by_role, income_by_channel
from apps.publication.models import ExpenseUse, Release, Residual


@dataclass(frozen=True, slots=True)
class Asked:
    """What a computer is asked: a report's figures at a cut-off."""

    report: Report
    now: dt.datetime
    cutoff: dt.datetime

    @property
    def start(self) -> dt.datetime:
        return start_of_day(self.report.period_start)

    @property
    def end(self) -> dt.datetime:
        return start_of_day(self.report.period_end)


Computer = Callable[[Asked], Books]
COMPUTERS: dict[str, Computer] = {}


def register_computer(field: str, computer: Computer) -> None:
    """This will say who computes the lines of a field."""
    COMPUTERS[field] = computer


def books_of(report: Report, now: dt.datetime) -> Books:
    """This will compute all lines of a report as of now, each once, and the public uses it would hold."""
    asked = Asked(report, now, database_clock())
    figures: list[Figure] = []
    releases: list[Release] = []
    expenses: list[ExpenseUse] = []
    residuals: list[Residual] = []
    for field in report.kind.fields:
        computer = COMPUTERS.get(field)
        if computer is None:
            continue
        books = computer(asked)
        known = {(each.section, each.key) for each in figures}
        figures += [each for each in books.figures if (each.section, each.key) not in known]
        releases += books.releases
        expenses += books.expenses
        residuals += books.residuals
    return Books(figures, releases, expenses, asked.cutoff, residuals)


def _project(basis: Basis) -> Computer:
    def computer(asked: Asked) -> Books:
        report = asked.report
        assert report.project is not None
        return compute(
            project=report.project, period_start=report.period_start, period_end=report.period_end, now=asked.now,
            cutoff=asked.cutoff, report=report, basis=basis,
        )  # fmt: skip

    return computer


def _plan(asked: Asked) -> Books:
    """The plan as it was filed: the target and the budget, line by line."""
    project = asked.report.project
    assert project is not None
    made = [Figure(Section.PLAN, "target", "募捐目标", "Target", project.target)]
    made += [
        Figure(
            Section.PLAN,
            f"line:{line.code}",
            f"预算：{line.name}",
            f"Budget: {line.name_en or line.name}",
            line.planned,
        )
        for line in BudgetLine.objects.filter(project=project)
    ]
    return Books(made, [], [], asked.cutoff)


def _year(asked: Asked) -> Books:
    """An organization's year: gifts by channel, costs by kind, projects at work, households helped."""
    organization = asked.report.organization
    book = book_of(organization)
    made: list[Figure] = []
    if book is not None:
        marks = list(Earmark.objects.filter(book=book).values_list("pk", flat=True))
        period = {"start": asked.start, "end": asked.end, "recorded_before": asked.cutoff}
        names = {code: (zh, en) for code, zh, en in Channel.objects.values_list("code", "name_zh", "name_en")}
        for part in income_by_channel(marks, **period):
            code = str(part.key or "other")
            zh, en = names.get(code, names["other"])
            made.append(Figure(Section.INCOME, f"channel:{code}", zh, en, part.amount))
        words = {"programme": ("业务活动成本", "Programme cost"), "management": ("管理费用", "Management cost"),
                 "fundraising": ("筹资费用", "Fundraising cost")}  # fmt: skip
        costs = {str(part.key): part.amount for part in cost_by_role(marks, **period)}
        made += [
            Figure(Section.SPENDING, f"cost:{role}", zh, en, costs.get(role, 0))
            for role, (zh, en) in words.items()
        ]
        helped = Release.objects.filter(
            earmark__in=marks, released_at__gte=asked.start, released_at__lt=min(asked.end, asked.cutoff)
        )
        made.append(
            Figure(Section.PEOPLE, "households", "帮助户次", "Households helped",
                   sum(helped.values_list("households", flat=True)), Unit.HOUSEHOLDS)
        )  # fmt: skip
    return Books(made, [], [], asked.cutoff)


def _projects(asked: Asked) -> Books:
    """How many projects an organization ran, its own and those it carries out as a partner."""
    from django.db.models import Q

    from apps.funds.models import Project

    rows = Project.objects.filter(
        Q(fund__organization=asked.report.organization) | Q(partner=asked.report.organization),
        status__in=PUBLIC, filed_at__lt=asked.end,
    ).filter(Q(completed_at__isnull=True) | Q(completed_at__gte=asked.start))  # fmt: skip
    made = [Figure(Section.FACTS, "projects", "开展的项目", "Projects", rows.count(), Unit.COUNT)]
    return Books(made, [], [], asked.cutoff)


def _declared(asked: Asked) -> Books:
    """The amount of what an organization declared."""
    row = Occurrence.objects.filter(public_id=asked.report.duty.subject).first()
    amount = row.amount if row else None
    made = [Figure(Section.FACTS, "amount", "涉及金额", "Amount", amount)] if amount is not None else []
    return Books(made, [], [], asked.cutoff)


def _statements(asked: Asked) -> Books:
    report = asked.report
    return Books(
        statement_figures(report.organization, report.period_start.year, asked.cutoff), [], [], asked.cutoff
    )


def _goods(asked: Asked) -> Books:
    """Goods lines of an organization. The stock books know no project, so a project's report has none."""
    report = asked.report
    if report.project is not None:
        return Books([], [], [], asked.cutoff)
    made = goods_figures(report.organization_id, report.period_start, report.period_end, asked.cutoff)
    return Books(made, [], [], asked.cutoff)


register_computer("uses", _project(Basis.HOLD))
register_computer("whole", _project(Basis.WHOLE))
register_computer("campaign", _project(Basis.LOOK))
register_computer("plan", _plan)
register_computer("year", _year)
register_computer("projects", _projects)
register_computer("declared", _declared)
register_computer("statements", _statements)
register_computer("goods", _goods)
