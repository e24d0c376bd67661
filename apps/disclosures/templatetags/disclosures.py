"""How a report's frozen values are written for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from apps.core.money import Money, format_money
from apps.disclosures.forms import quantity
from apps.disclosures.models import Duty, DutyKind, Report, ReportLine
from apps.disclosures.queries import duty_title, report_title
from apps.disclosures.states import Opinion, Rule, Scope, Status, Unit
from apps.funds.states import Category

register = template.Library()


@register.filter
def iso_day(text: str) -> dt.date:
    """This will read a frozen date."""
    return dt.date.fromisoformat(text)


@register.filter
def iso_time(text: str) -> dt.datetime:
    """This will read a frozen moment."""
    return dt.datetime.fromisoformat(text)


@register.simple_tag
def bilingual(value: Mapping[str, Any], english: bool) -> str:
    """This will give the English of a pair where there is one and it is wanted, else the Chinese."""
    return str((value.get("en") if english else "") or value["zh"])


@register.filter
def opinion_words(opinion: str) -> str:
    return str(Opinion(opinion).label)


@register.filter
def status_words(status: str) -> str:
    return str(Status(status).label)


@register.filter
def reason_words(reason: str) -> str:
    """This will show a history row's reason; where it is an audit opinion, in the opinion's words."""
    return str(Opinion(reason).label) if reason in Opinion.values else reason


@register.filter
def category_words(category: str) -> str:
    return str(Category(category).label)


@register.filter
def period_words(period: str) -> str:
    """This will say how long a release's period is, for those longer than its month."""
    words = {"quarter": _("起一个季度"), "half_year": _("起半年"), "year": _("起一年")}
    return words.get(period, "")


@register.simple_tag
def figure_cells(reported: int, computed: int, unit: str, currency: str) -> SafeString:
    """This will write the three cells of a line: reported, computed, difference with its sign."""
    values = ((_("机构填报"), _write(reported, unit, currency)), (_("系统重算"), _write(computed, unit, currency)),
              (_("差额"), signed(reported - computed, unit, currency)))  # fmt: skip
    return format_html_join("", '<td class="n" data-label="{}">{}</td>', values)


def _write(value: int, unit: str, currency: str) -> str:
    if unit == Unit.FEN:
        return format_money(Money(value, currency))
    return f"{quantity(value):,f}" if unit == Unit.QUANTITY else f"{value:,}"


@register.simple_tag
def signed(value: int, unit: str, currency: str) -> str:
    """This will write a difference: +¥480.00, −¥480.00, or 0."""
    text = _write(value, unit, currency)
    return str(format_html("+{}", text)) if value > 0 else text


@register.simple_tag
def figure(value: int, unit: str, currency: str) -> str:
    """This will write one figure of a line."""
    return _write(value, unit, currency)


@register.simple_tag
def line_label(line: ReportLine) -> str:
    """This will name a line in the reader's language."""
    english = (get_language() or "").startswith("en")
    return (line.label_en if english else "") or line.label_zh


@register.simple_tag
def report_name(report: Report) -> str:
    """This will name a report: what it is about, its kind, which of them."""
    return report_title(report)


@register.simple_tag
def duty_name(duty: Duty) -> str:
    """This will name a duty without what it is about."""
    return duty_title(duty)


@register.simple_tag
def due_rule(kind: DutyKind) -> str:
    """This will say in words when a kind of report is due."""
    n = kind.number or 0
    words = {
        Rule.EVERY_MONTHS: ngettext("每满%(n)d个月", "每满%(n)d个月", n),
        Rule.EVERY_DAYS: ngettext("每满%(n)d天", "每满%(n)d天", n),
        Rule.MONTHS_AFTER: ngettext("之后%(n)d个月内", "之后%(n)d个月内", n),
        Rule.DAYS_AFTER: ngettext("之后%(n)d天内", "之后%(n)d天内", n),
        Rule.WORKING_DAYS_AFTER: ngettext("之后%(n)d个工作日内", "之后%(n)d个工作日内", n),
        Rule.YEARLY_BY: _("次年%(month)s月%(day)s日之前"),
    }
    return words[Rule(kind.rule)] % {"n": n, "month": kind.due_month, "day": kind.due_day}


FIELD_WORDS = {
    "uses": gettext_lazy("收入、支出、结余、受益，逐笔使用"),
    "whole": gettext_lazy("项目全程的收入、支出、结余、受益，逐笔使用"),
    "campaign": gettext_lazy("募得、手续费、公布的使用、未使用"),
    "goods": gettext_lazy("物资收发"),
    "plan": gettext_lazy("目标和预算"),
    "year": gettext_lazy("全年收入、支出、受益"),
    "projects": gettext_lazy("开展的项目"),
    "declared": gettext_lazy("事项和金额"),
    "statements": gettext_lazy("资产负债表、业务活动表、现金流量表"),
}


@register.simple_tag
def kind_fields(kind: DutyKind) -> str:
    """This will name what a kind of report holds, besides its words."""
    known = [field for field in kind.fields if field in FIELD_WORDS]
    if kind.scope == Scope.PROJECT and "goods" in known:
        known.remove("goods")  # the stock books know no project: goods stand in the organization's reports
    said = [str(FIELD_WORDS[field]) for field in known]
    return _("；").join([*said, _("文字说明")])


@register.simple_tag
def ratio_name(name: str) -> str:
    """This will name a yearly ratio."""
    words = {"spending": _("公益支出"), "management": _("管理费用"), "fundraising": _("筹资费用")}
    return words[name]


@register.simple_tag
def percent(basis_points: int | None) -> str:
    """This will write basis points as a percentage; a dash where there is nothing to measure against."""
    if basis_points is None:
        return "—"
    return f"{basis_points // 100}.{basis_points % 100:02d}%".replace(".00%", "%")


@register.simple_tag
def change_label(change: Mapping[str, Any]) -> str:
    """This will name what a correction changes."""
    if change["field"] == "narrative":
        return _("英文说明") if change["language"] == "en" else _("机构的说明")
    if change["field"] == "attachment":
        return _("附件")
    english = (get_language() or "").startswith("en")
    label = (change["en"] if english else "") or change["zh"]
    words = {"reported": _("机构填报"), "computed": _("系统重算"), "explanation": _("说明")}
    return f"{label} · {words[change['field']]}"


@register.simple_tag
def change_value(change: Mapping[str, Any], which: str, currency: str) -> str:
    """This will write the old or the new of a change."""
    value = change[which]
    if value is None or value == "":
        return _("（无）")
    return _write(value, change["unit"], currency) if isinstance(value, int) else str(value)
