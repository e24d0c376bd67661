"""A published report as the search finds it: one row for the report, one for each use it holds."""

from __future__ import annotations

from typing import Any, Literal, cast

from django.utils.translation import override

from apps.core.clock import civil_day
from apps.core.money import Money
from apps.disclosures.content import chain_uses, section_total
from apps.disclosures.models import Audit, Report, ReportUse
from apps.disclosures.states import Rule, Section
from apps.funds.models import BudgetLine
from apps.funds.states import Category
from apps.places.models import Town
from apps.publication.drafts import Facet, RowDraft
from apps.publication.models import Residual

Period = Literal["month", "quarter", "half_year", "year"]


def row_drafts(report: Report, audit: Audit | None) -> list[RowDraft]:
    """This will write the public rows of a report. Amounts are the books': what is searched sums to the ledger."""
    assert report.published_at is not None
    project = report.project
    owner = project.fund.organization if project else report.organization
    common: dict[str, Any] = {
        "batch": report.public_id, "link": f"/disclosures/{report.public_id}/",
        "organization": Facet(owner.uscc, owner.name, owner.name_en),
        "fund": Facet(project.fund.slug, project.fund.name, project.fund.name_en) if project else None,
        "project": Facet(project.slug, project.name, project.name_en) if project else None,
        "kind": Facet(report.kind.code, report.kind.name_zh, report.kind.name_en),
        "opinion": audit.opinion if audit else "none",
    }  # fmt: skip
    households = sum(line.computed for line in report.lines.all() if line.key == "households")
    texts = [report.narrative, *(line.explanation for line in report.lines.all())]
    texts += [audit.opinion_text if audit else "", report.correction_reason]
    texts += [
        part for finding in report.findings.all() for part in (finding.title, finding.text, finding.reply)
    ]
    drafts = [
        RowDraft(
            view="report", source=f"report/{report.public_id}", public_id=report.public_id,
            amount=Money(section_total(report, Section.SPENDING, "computed"), report.currency),
            household_times=households, day=civil_day(report.published_at),
            period="year" if report.kind.rule == Rule.YEARLY_BY else "quarter",
            category=category_facet(project.category) if project else None, heading=_heading(report),
            text="\n".join([text for text in texts if text] + [report.narrative_en] * bool(report.narrative_en)),
            more={"sha256": report.sha256, "n": report.duty.n, "from": report.period_start.isoformat(),
                  "until": report.period_end.isoformat(), "version": report.version,
                  "corrects": report.corrects.public_id if report.corrects else "",
                  "income": section_total(report, Section.INCOME, "computed")},
            **common,
        )
    ]  # fmt: skip
    held = list(chain_uses(report))
    towns = Town.objects.in_bulk([use.release.town for use in held if use.release and use.release.town])
    lines = BudgetLine.objects.in_bulk([use.expense.budget_line for use in held if use.expense])
    for use in held:
        if use.release:
            drafts.append(_release_row(report, use, towns, common))
        elif use.residual:
            drafts.append(_residual_row(report, use.residual, common))
        else:
            drafts.append(_expense_row(report, use, lines, common))
    return drafts


def _heading(report: Report) -> str:
    """A report's heading in Chinese: what, which kind, which of them, and whether it corrects another."""
    what = report.project.name if report.project else report.organization.name
    which = report.duty.which
    if report.kind.rule == Rule.YEARLY_BY:
        kind = f"{which}年{report.kind.name_zh}"
    else:
        kind = report.kind.name_zh + (f"（第{which}期）" if which else "")
    return f"{what}：{kind}" + ("（更正）" if report.corrects_id else "")


def category_facet(category: str) -> Facet:
    """This will give a category with its names in both languages."""
    return Facet(category, _in("zh-hans", category), _in("en", category))


def _in(language: str, category: str) -> str:
    with override(language):
        return str(Category(category).label)


def _release_row(report: Report, use: ReportUse, towns: dict[int, Town], common: dict[str, Any]) -> RowDraft:
    release = use.release
    assert release is not None
    town = towns.get(release.town or 0)
    what = category_facet(release.category).zh
    return RowDraft(
        view="use", source=f"use/{release.public_id}", public_id=release.public_id,
        amount=Money(release.amount, release.currency), household_times=release.households, day=release.starts_on,
        period=cast(Period, release.period), category=category_facet(release.category),
        town=Facet(town.code, town.name_zh, town.name_en) if town else None,
        heading=f"{what}救助：{town.name_zh if town else '全市'}，{release.households}户",
        text=report.project.summary if report.project else "",
        more={"kind": "aid", "confirmed": release.confirmed}, **common,
    )  # fmt: skip


def _residual_row(report: Report, rest: Residual, common: dict[str, Any]) -> RowDraft:
    """One total at the project's end: neither town nor month of payment nor number of families (C4)."""
    project = report.project
    return RowDraft(
        view="use", source=f"use/{rest.public_id}", public_id=rest.public_id, amount=Money(rest.amount, rest.currency),
        day=rest.closed_on, category=category_facet(project.category) if project else None,
        heading="项目结束时余下的救助（不足5户，只列总数）", text=project.summary if project else "",
        more={"kind": "residual"}, **common,
    )  # fmt: skip


def _expense_row(
    report: Report, use: ReportUse, lines: dict[int, BudgetLine], common: dict[str, Any]
) -> RowDraft:
    expense = use.expense
    assert expense is not None
    line = lines[expense.budget_line]
    return RowDraft(
        view="use", source=f"use/{expense.public_id}", public_id=expense.public_id,
        amount=Money(expense.amount, expense.currency), day=expense.paid_on, category=category_facet(expense.category),
        heading=f"{line.name}：{expense.purpose}", text=report.project.summary if report.project else "",
        more={"kind": "expense", "line": line.code, "line_zh": line.name, "line_en": line.name_en}, **common,
    )  # fmt: skip
