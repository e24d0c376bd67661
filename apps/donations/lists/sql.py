"""Set-based statements over staged rows: identity, what is known, the project's days, and the gifts themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import NOT_PROVIDED

from apps.core.clock import civil_day
from apps.core.tables.faults import letter
from apps.donations.models import Gift, GiftImport
from apps.funds.models import Project, ProjectStatusChange
from apps.funds.states import ProjectStatus

COPY = "COPY donations_stagedgift (listing_id, row, day, name, amount, note, reference) FROM STDIN"

_KEYS = """
WITH bases AS (
  SELECT id, row,
    CASE WHEN reference <> '' THEN
      concat_ws(chr(31), 'reference', %(account)s::text, to_char(day, 'YYYY-MM-DD'), normalize(reference, NFKC), amount)
    ELSE
      concat_ws(chr(31), %(source)s::text, to_char(day, 'YYYY-MM-DD'), normalize(name, NFKC), amount,
                normalize(note, NFKC))
    END AS base
  FROM donations_stagedgift WHERE listing_id = %(listing)s
), keys AS (
  SELECT id, encode(sha256(convert_to(
    base || chr(31) || row_number() OVER (PARTITION BY base ORDER BY row), 'UTF8')), 'hex') AS key
  FROM bases
)
UPDATE donations_stagedgift s SET key = k.key FROM keys k WHERE s.id = k.id AND s.listing_id = %(listing)s
"""

_KNOWN = """
UPDATE donations_stagedgift s SET known = x.known
FROM (SELECT s.id, g.id IS NOT NULL AS known FROM donations_stagedgift s
      LEFT JOIN donations_gift g ON g.offline_key = s.key WHERE s.listing_id = %(listing)s) x
WHERE x.id = s.id AND x.known <> s.known
"""

_OUTSIDE = """
INSERT INTO donations_listfault (listing_id, row, "column", code, detail)
SELECT s.listing_id, s.row, %(column)s,
       CASE WHEN s.day BETWEEN %(starts)s AND %(ends)s THEN 'not_raising' ELSE 'outside_period' END,
       to_char(s.day, 'YYYY-MM-DD')
FROM donations_stagedgift s
WHERE s.listing_id = %(listing)s AND (s.day NOT BETWEEN %(starts)s AND %(ends)s OR NOT EXISTS (
  SELECT 1 FROM unnest(%(starting)s::date[], %(ending)s::date[]) AS span(a, b) WHERE s.day BETWEEN span.a AND span.b))
ORDER BY s.row
"""


@contextmanager
def without_loops() -> Iterator[None]:
    """This will keep the planner, in the running transaction, from looping over what it takes for a handful of rows:
    freshly copied rows have no statistics, and a loop over thousands of them costs their square."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = on")


def mark_keys(listing: GiftImport) -> None:
    """This will give every staged row its identity: account, date, reference and amount where there is a reference,
    otherwise source, date, name, amount and note; and how many times that same row has occurred so far in its list."""
    account = listing.account or listing.source
    with without_loops():
        _run(_KEYS, listing=listing.pk, account=account, source=listing.source)


def mark_known(listing: GiftImport) -> tuple[int, int, int]:
    """This will mark staged rows that are gifts already; gives (rows, known rows, sum of known rows)."""
    _run(_KNOWN, listing=listing.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE known), coalesce(sum(amount) FILTER (WHERE known), 0)"
            " FROM donations_stagedgift WHERE listing_id = %s",
            [listing.pk],
        )
        rows, known, total = cursor.fetchone()
    return int(rows), int(known), int(total)


def note_outside(listing: GiftImport, project: Project, date_column: int) -> int:
    """This will note every staged row whose date is outside the project's period, or when it wasn't raising."""
    spans = raising_days(project)
    return _run(
        _OUTSIDE, listing=listing.pk, column=letter(date_column), starts=project.starts_on, ends=project.ends_on,
        starting=[a for a, _b in spans], ending=[b for _a, b in spans],
    )  # fmt: skip


def raising_days(project: Project) -> list[tuple[dt.date, dt.date]]:
    """This will give the spans of days on which a project was raising, from its history."""
    spans: list[tuple[dt.date, dt.date]] = []
    start: dt.date | None = None
    for change in ProjectStatusChange.objects.filter(record=project).order_by("id"):
        day = civil_day(change.at)
        if change.to_status == ProjectStatus.RAISING:
            start = day
        elif start is not None:
            spans.append((start, day))
            start = None
    if start is not None:
        spans.append((start, dt.date.max))
    return spans


_CHOSEN: dict[str, str] = {
    "token": "translate(rtrim(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'),"
    " '='), '+/', '-_')",
    "amount": "s.amount",
    "payer": "s.name",
    "note": "s.note",
    "bank_reference": "s.reference",
    "received_at": "(s.day::timestamp AT TIME ZONE 'Asia/Shanghai')",
    # A row that an earlier list has as well, and that a person said is another gift: its own file and row name it.
    "offline_key": "CASE WHEN s.known THEN encode(sha256(convert_to(concat_ws(chr(31), %(salt)s::text, s.row, s.key),"
    " 'UTF8')), 'hex') ELSE s.key END",
}


def insert_gifts(
    listing: GiftImport, *, first: int, last: int, salt: str, **facts: Any
) -> list[tuple[Any, ...]]:
    """This will turn the staged rows of a span into gifts; gives (id, key, amount, received_at) of each.

    `facts` are the columns that all gifts share. Columns that nobody names get the model's own default.
    """
    names, values = [], []
    parameters: dict[str, Any] = {"listing": listing.pk, "first": first, "last": last, "salt": salt}
    for field in Gift._meta.concrete_fields:
        if field.primary_key or (field.name not in facts and field.name not in _CHOSEN and _left_out(field)):
            continue
        names.append(f'"{field.column}"')
        if field.name in _CHOSEN:
            values.append(_CHOSEN[field.name])
        else:
            parameters[field.name] = facts[field.name] if field.name in facts else field.get_default()
            values.append(f"%({field.name})s::{field.db_type(connection)}")
    sql = (
        f"INSERT INTO donations_gift ({', '.join(names)}) SELECT {', '.join(values)} FROM donations_stagedgift s"  # noqa: S608
        " WHERE s.listing_id = %(listing)s AND s.row BETWEEN %(first)s AND %(last)s"
        " AND (NOT s.known OR %(add)s) ORDER BY s.row RETURNING id, offline_key, amount, received_at"
    )
    parameters["add"] = listing.known_as == "add"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def spans(listing: GiftImport, step: int) -> list[tuple[int, int]]:
    """This will cut the staged rows into spans of `step` rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(row), max(row) FROM (SELECT row, (row_number() OVER (ORDER BY row) - 1) / %s AS part"
            " FROM donations_stagedgift WHERE listing_id = %s) x GROUP BY part ORDER BY part",
            [step, listing.pk],
        )
        return list(cursor.fetchall())


def _left_out(field: Any) -> bool:
    return field.db_default is not NOT_PROVIDED and not field.has_default()


def _run(sql: str, **parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
