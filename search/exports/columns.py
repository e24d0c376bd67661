"""The columns of an exported row: their names, what they mean, and the SQL that gives them. PostgreSQL writes the CSV
itself (COPY): nothing is faster, and it needs no memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.money import DIGITS
from apps.core.tables.writing import DANGEROUS
from apps.publication.models.rows import CURRENCIES, OPINIONS, PERIODS
from apps.publication.rows import NO_PROJECT

JOINS = """
JOIN publication_publicrowtext t ON t.row_id = x.id
LEFT JOIN publication_facetvalue p ON p.facet = 'project' AND p.code = x.project
LEFT JOIN publication_facetvalue f ON f.facet = 'fund' AND f.code = p.fund
LEFT JOIN publication_facetvalue o ON o.facet = 'organization' AND o.code = p.organization
LEFT JOIN publication_facetvalue c ON c.facet = 'category' AND c.code = x.category
LEFT JOIN publication_facetvalue w ON w.facet = 'town' AND w.code = x.town
LEFT JOIN publication_facetvalue k ON k.facet = 'kind' AND k.code = x.kind
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` is text, number or date; `told` says what it means, for the manifest's dictionary."""

    name: str
    title: Promise
    kind: str
    told: Promise
    sql: str


def _words(codes: tuple[str, ...], column: str) -> str:
    listed = ", ".join(f"'{code}'" for code in codes)
    return f"(ARRAY[{listed}])[{column} + 1]"


def _major() -> str:
    """Minor units as the decimal number people write, with the digits of its currency."""
    cases = " ".join(
        f"WHEN {code} THEN round(x.amount / {10 ** DIGITS[name]}::numeric, {DIGITS[name]})"
        for code, name in enumerate(CURRENCIES)
        if DIGITS[name] != 2
    )
    return f"CASE x.currency {cases} ELSE round(x.amount / 100::numeric, 2) END"


OWN_PROJECT = f"CASE WHEN left(p.key, 1) <> '{NO_PROJECT}' THEN p.label_zh END"
MOMENT = "to_char(t.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
COLUMNS = (
    Column("id", _("编号"), "text", _("这条记录的公开编号，不会变"), "t.public_id"),
    Column("report", _("报告编号"), "text", _("所在报告的编号"), "t.batch"),
    Column("heading", _("标题"), "text", _("记录的标题"), "t.heading"),
    Column("text", _("内容"), "text", _("用途的说明"), "t.text"),
    Column("amount", _("金额"), "number", _("以币种的主单位（元）写的金额，精确到分"), _major()),
    Column("currency", _("币种"), "text", _("ISO 4217代码"), _words(CURRENCIES, "x.currency")),
    Column("household_times", _("户次"), "number", _("受助户次，相加就是总户次"), "x.people"),
    Column("day", _("日期"), "date", _("时段的第一天，或报告的日期；北京时间"), "(date '0001-01-01' + (x.day - 1))"),
    Column("period", _("时段"), "text", _("month、quarter、half_year或year"), _words(PERIODS, "x.period")),
    Column("organization", _("机构"), "text", _("慈善组织的名称"), "o.label_zh"),
    Column("organization_uscc", _("统一社会信用代码"), "text", _("慈善组织的统一社会信用代码"), "o.key"),
    Column("fund", _("微基金"), "text", _("微基金的名称"), "f.label_zh"),
    Column("project", _("项目"), "text", _("项目的名称"), OWN_PROJECT),
    Column("category", _("用途"), "text", _("用途的类别"), "c.label_zh"),
    Column("town", _("镇街"), "text", _("镇街；空白是全市"), "w.label_zh"),
    Column("kind", _("报告类型"), "text", _("所在报告的类型"), "k.label_zh"),
    Column("opinion", _("审计意见"), "text", _("none、unqualified、qualified、adverse或disclaimer"),
           _words(OPINIONS, "x.opinion")),
    Column("published_at", _("公布时间"), "text", _("ISO 8601，世界协调时"), MOMENT),
    Column("link", _("网址"), "text", _("公开页面的网址"), "%s || t.link"),
)  # fmt: skip
BY_KEY = {"id", "report", "currency", "period", "opinion", "published_at", "link", "organization_uscc"}
"""Columns of our own making: no formula can stand in them."""


def select(*, neutral: bool) -> tuple[str, list[Any]]:
    """This will give the columns as SQL and their values. With `neutral`, an apostrophe stands before a text that a
    spreadsheet would take for a formula."""
    values: list[Any] = []
    parts = []
    for column in COLUMNS:
        sql = column.sql
        if column.kind == "text" and neutral and column.name not in BY_KEY:
            sql = f"CASE WHEN left({sql}, 1) = ANY(%s) THEN '''' || {sql} ELSE {sql} END"
            values.append([sign for sign in DANGEROUS if sign != "\0"])
        if column.name == "link":
            values.append(settings.SITE_URL)
        parts.append(f"{sql} AS {column.name}")
    return ", ".join(parts), values


def titles() -> list[str]:
    """This will give the header in the reader's language."""
    return [str(column.title) for column in COLUMNS]


def dictionary() -> list[dict[str, str]]:
    """This will give the field dictionary of a manifest."""
    return [
        {
            "name": column.name,
            "title": str(column.title),
            "type": column.kind,
            "description": str(column.told),
        }
        for column in COLUMNS
    ]
