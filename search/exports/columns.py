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

DANGEROUS_CODES = "{" + ",".join(str(ord(sign)) for sign in DANGEROUS if sign != "\0") + "}"


def _neutral(sql: str) -> str:
    """An apostrophe before a text that a spreadsheet would take for a formula; `ascii` gives a text's first code."""
    return f"CASE WHEN ascii({sql}) = ANY('{DANGEROUS_CODES}'::int[]) THEN '''' || {sql} ELSE {sql} END"


def joins(*, neutral: bool) -> str:
    """This will give the joins of an export: `x` is the row, `t` its words, the others what its codes mean. OFFSET 0
    keeps labels from being made anew for each row."""

    def label(sql: str) -> str:
        return _neutral(sql) if neutral else sql

    def simple(name: str, alias: str) -> str:
        return (
            f" LEFT JOIN (SELECT code, {label('label_zh')} AS label FROM publication_facetvalue"  # noqa: S608
            f" WHERE facet = '{name}' OFFSET 0) {alias} ON {alias}.code = x.{name}"
        )

    own = f"CASE WHEN left(v.key, 1) <> '{NO_PROJECT}' THEN {label('v.label_zh')} END"
    project = (
        f"SELECT v.code, {own} AS label, {label('f.label_zh')} AS fund, {label('o.label_zh')} AS organization,"  # noqa: S608
        " o.key AS uscc FROM publication_facetvalue v"
        " LEFT JOIN publication_facetvalue f ON f.facet = 'fund' AND f.code = v.fund"
        " LEFT JOIN publication_facetvalue o ON o.facet = 'organization' AND o.code = v.organization"
        " WHERE v.facet = 'project' OFFSET 0"
    )
    return (
        " JOIN publication_publicrowtext t ON t.row_id = x.id"
        f" LEFT JOIN ({project}) p ON p.code = x.project"
        f"{simple('category', 'c')}{simple('town', 'w')}{simple('kind', 'k')}"
    )


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
    units = {0: "1", 2: "0.01", 3: "0.001"}
    cases = " ".join(
        f"WHEN {code} THEN x.amount * {units[DIGITS[name]]}::numeric"
        for code, name in enumerate(CURRENCIES)
        if DIGITS[name] != 2
    )
    return f"CASE x.currency {cases} ELSE x.amount * {units[2]}::numeric END"


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
    Column("organization", _("机构"), "text", _("慈善组织的名称"), "p.organization"),
    Column("organization_uscc", _("统一社会信用代码"), "text", _("慈善组织的统一社会信用代码"), "p.uscc"),
    Column("fund", _("微基金"), "text", _("微基金的名称"), "p.fund"),
    Column("project", _("项目"), "text", _("项目的名称"), "p.label"),
    Column("category", _("用途"), "text", _("用途的类别"), "c.label"),
    Column("town", _("镇街"), "text", _("镇街；空白是全市"), "w.label"),
    Column("kind", _("报告类型"), "text", _("所在报告的类型"), "k.label"),
    Column("opinion", _("审计意见"), "text", _("none、unqualified、qualified、adverse或disclaimer"),
           _words(OPINIONS, "x.opinion")),
    Column("published_at", _("公布时间"), "text", _("ISO 8601，世界协调时"), MOMENT),
    Column("link", _("网址"), "text", _("公开页面的网址"), "%s || t.link"),
)  # fmt: skip
WRITTEN = ("heading", "text")
"""Columns somebody wrote, row by row; labels are neutralised in the joins, all else is of our own making."""


def select(*, neutral: bool) -> tuple[str, list[Any]]:
    """This will give the columns as SQL and their values. With `neutral`, an apostrophe stands before a text that a
    spreadsheet would take for a formula."""
    parts = [
        f"{_neutral(column.sql) if neutral and column.name in WRITTEN else column.sql} AS {column.name}"
        for column in COLUMNS
    ]
    return ", ".join(parts), [settings.SITE_URL]


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
