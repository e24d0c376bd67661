"""Tags and filters of every page: money, dates of Asia/Shanghai, icons, and the few components that take arguments."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from apps.core.clock import SHANGHAI
from apps.core.money import DIGITS, SYMBOLS, Money, format_money

register = template.Library()

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
OPINION_TONES = {"unqualified": "ok", "qualified": "warn", "adverse": "bad", "disclaimer": "", "none": ""}


def _english() -> bool:
    return (get_language() or "").startswith("en")


# Money


@register.filter
def money(value: Money | None) -> str:
    """This will write Money for people: ¥1,234.50; nothing for None."""
    return "" if value is None else format_money(value)


@register.filter
def fen(minor: int | None, currency: str = "CNY") -> str:
    """This will write minor units (fen) of a currency for people."""
    return "" if minor is None else format_money(Money(int(minor), currency))


@register.filter
def short_money(value: Money | None) -> str:
    """This will write a round target in short: 52万元, ¥520,000. Only for targets; amounts go to the fen."""
    if value is None:
        return ""
    if value.currency == "CNY" and not _english() and value.minor and value.minor % 1_000_000 == 0:
        return f"{value.minor // 1_000_000:,}万元"
    text = format_money(value)
    return text[:-3] if DIGITS[value.currency] == 2 and text.endswith(".00") else text


@register.simple_tag
def amount(value: Money, size: str = "") -> SafeString:
    """This will write the figure of a page: `{% amount m "big" %}`; sizes "", "mid", "big"."""
    text = format_money(Money(abs(value.minor), value.currency))
    symbol = SYMBOLS.get(value.currency, value.currency + " ")
    whole, dot, cents = text.removeprefix(symbol).partition(".")
    sign = "\u2212" if value.minor < 0 else ""
    tail = format_html("<small>{}{}</small>", dot, cents) if dot else ""
    return format_html(
        '<span class="money {}">{}<small>{}</small>{}{}</span>', size, sign, symbol, whole, tail
    )


@register.filter
def count(value: int | None) -> str:
    """This will write a whole number with thousands: 156,204."""
    return "" if value is None else f"{int(value):,}"


# Dates: always the civil date in Asia/Shanghai


@register.filter
def civil_date(value: dt.date | dt.datetime | None) -> str:
    """This will write a date: 2026年11月23日, 23 Nov 2026."""
    if value is None:
        return ""
    day = value.astimezone(SHANGHAI) if isinstance(value, dt.datetime) else value
    if _english():
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


@register.filter
def civil_moment(value: dt.datetime | None) -> str:
    """This will write a moment to the minute: 2026年11月23日 14:30."""
    if value is None:
        return ""
    local = value.astimezone(SHANGHAI)
    return f"{civil_date(local)} {local:%H:%M}"


@register.filter
def civil_auto(value: dt.date | dt.datetime | None) -> str:
    """This will write a moment to the minute and a date to the day."""
    return civil_moment(value) if isinstance(value, dt.datetime) else civil_date(value)


@register.filter
def iso_moment(value: dt.date | dt.datetime | None) -> str:
    """This will write a date or moment for the datetime attribute."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.astimezone(SHANGHAI).isoformat(timespec="minutes")
    return value.isoformat()


@register.filter
def month_label(value: dt.date | int | None) -> str:
    """This will write a month: 2026年11月, Nov 2026. Takes a date, or year * 12 + month - 1 as the index stores it."""
    if value is None:
        return ""
    year, month = divmod(value, 12) if isinstance(value, int) else (value.year, value.month - 1)
    return f"{MONTHS[month]} {year}" if _english() else f"{year}年{month + 1}月"


# Components


@register.simple_tag
def icon(name: str) -> SafeString:
    """This will place a sign of the sprite; decoration only, words stand beside it."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def chip(text: str, tone: str = "", sign: str = "") -> SafeString:
    """This will write a state in a chip: tones ok, warn, bad, info, live, line; ok, warn and bad get their sign."""
    sign = sign or {"ok": "check", "warn": "alert", "bad": "alert"}.get(tone, "")
    return format_html('<span class="chip {}">{}{}</span>', tone, icon(sign) if sign else "", text)


@register.simple_tag
def seal(opinion: str, size: str = "") -> SafeString:
    """This will print the auditor's seal of an opinion (unqualified, qualified, adverse, disclaimer), words always."""
    words = {
        "unqualified": gettext("无保留|意见"),
        "qualified": gettext("保留|意见"),
        "adverse": gettext("否定|意见"),
        "disclaimer": gettext("无法表|示意见"),
    }.get(opinion) or gettext("无需|审计")
    first, _, second = words.partition("|")
    return format_html(
        '<span class="seal {} {}">{}<br>{}</span>', OPINION_TONES.get(opinion, ""), size, first, second
    )


@register.simple_tag
def meter(value: int, whole: int, label: str) -> SafeString:
    """This will draw progress towards a target; `label` says it in words."""
    return format_html(
        '<progress class="meter" value="{}" max="{}" aria-label="{}"></progress>',
        max(0, min(value, whole)), max(whole, 1), label,
    )  # fmt: skip


@register.inclusion_tag("components/asof.html")
def asof(moment: dt.datetime, note: str = "") -> dict[str, Any]:
    """This will say as of when a figure is true."""
    return {"moment": moment, "note": note}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, prefix: str = "") -> dict[str, Any]:
    """This will render a form field: label, control, hint and error, tied together for screen readers."""
    widget = bound.field.widget
    described = " ".join(
        part
        for part, wanted in (
            (f"{bound.auto_id}_hint", bound.help_text),
            (f"{bound.auto_id}_error", bound.errors),
        )
        if wanted
    )
    attributes: dict[str, Any] = {"aria-describedby": described} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    kind = "input"
    if bound.is_hidden:
        kind = "hidden"
    elif isinstance(widget, forms.CheckboxInput):
        kind = "check"
    elif isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        kind = "picks"
    else:
        attributes["class"] = f"{widget.attrs.get('class', '')} input".strip()
    optional = "" if bound.field.required or kind in ("check", "picks") else gettext("（可不填）")
    rendered = "" if kind == "picks" else bound.as_widget(attrs=attributes)
    return {
        "bound": bound,
        "widget": rendered,
        "kind": kind,
        "prefix": prefix,
        "described": described,
        "optional": optional,
    }


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: forms.BaseForm, heading: str = "") -> dict[str, Any]:
    """This will list what is wrong with a form, each linked to its field; nothing when nothing is wrong."""
    problems = [{"text": text, "href": ""} for text in form.non_field_errors()]
    for name, errors in form.errors.items():
        if name in form.fields:
            problems += [{"text": f"{form[name].label}：{text}" if not _english() else f"{form[name].label}: {text}",
                          "href": f"#{form[name].id_for_label or form[name].auto_id}"} for text in errors]  # fmt: skip
    said = ngettext("还没有提交，%(n)d处要改", "还没有提交，%(n)d处要改", len(problems)) % {
        "n": len(problems)
    }
    return {"problems": problems, "heading": heading or said}
