"""How a report's frozen values are written for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.money import Money, format_money
from apps.disclosures.models import ReportLine
from apps.disclosures.states import Opinion, Status, Unit
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
    return format_money(Money(value, currency)) if unit == Unit.FEN else f"{value:,}"


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
