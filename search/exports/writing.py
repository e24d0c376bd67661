"""Matches as CSV, JSON and XLSX, streamed: one statement, one snapshot, memory that doesn't grow with the rows."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

from django.db import connection, transaction

from apps.core.tables.writing import MIME as TABLE_MIME
from apps.core.tables.writing import write_xlsx
from search.catalog import catalog
from search.contract import SearchAnswer, SearchRequest
from search.engines.statement import Statement
from search.exports.columns import COLUMNS, dictionary, joins, select, titles
from search.reading import reading

KINDS = ("csv", "xlsx", "json")
MIME = {**TABLE_MIME, "json": "application/json; charset=utf-8"}
BOM = b"\xef\xbb\xbf"
PIECE = 1 << 16
STEP = 2_000
SETTINGS = (
    "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true),"
    " set_config('statement_timeout', %s, true)"
)
SECONDS = 300
Values = Sequence[Any]


def header() -> bytes:
    """This will give the first bytes of a CSV that Excel opens right: the mark of UTF-8 and the titles."""
    out = io.StringIO()
    csv.writer(out).writerow(titles())
    return BOM + out.getvalue().encode()


def csv_pieces(request: SearchRequest) -> Iterator[bytes]:
    """This will write all matches as CSV. The header goes out before the database is asked."""
    yield header()
    sql, values = _statement(request, neutral=True)
    yield from _gathered(copied(sql, values))


def _statement(request: SearchRequest, *, neutral: bool) -> tuple[str, list[Any]]:
    columns, values = select(neutral=neutral)
    return Statement(request, request.tree(), catalog()).ordered(columns, joins(neutral=neutral), values)


def copied(sql: str, values: list[Any]) -> Iterator[bytes]:
    """This will have PostgreSQL write a statement's rows as CSV."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SETTINGS, [str(SECONDS * 1000)])
        with cursor.copy(f"COPY ({sql}) TO STDOUT WITH (FORMAT csv)", values) as copy:
            for block in copy:
                yield bytes(block)


def _gathered(blocks: Iterable[bytes]) -> Iterator[bytes]:
    kept: list[bytes] = []
    size = 0
    for block in blocks:
        kept.append(block)
        size += len(block)
        if size >= PIECE:
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)


def records(request: SearchRequest, *, neutral: bool = False) -> Iterator[Values]:
    """This will give all matches as rows of values, in one snapshot, some at a time."""
    sql, values = _statement(request, neutral=neutral)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS, [str(SECONDS * 1000)])
        with connection.chunked_cursor() as cursor:
            cursor.execute(sql, values)
            while rows := cursor.fetchmany(STEP):
                yield from rows


def json_pieces(rows: Iterable[Values], manifest: dict[str, Any]) -> Iterator[bytes]:
    """This will write rows as one JSON document: the manifest first, then the rows."""
    told = json.dumps(manifest, ensure_ascii=False)
    yield f'{{"manifest":{told},\n"rows":['.encode()
    names = [column.name for column in COLUMNS]
    kept: list[str] = []
    before = "\n"
    for row in rows:
        record = {name: _plain(value, name) for name, value in zip(names, row, strict=True)}
        kept.append(before + json.dumps(record, ensure_ascii=False))
        before = ",\n"
        if len(kept) >= 500:
            yield "".join(kept).encode()
            kept = []
    yield ("".join(kept) + "\n]}\n").encode()


def _plain(value: Any, name: str) -> Any:
    """Amounts as text: a JSON number would become a binary float in most readers."""
    if name == "amount":
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if value == "" else value


def xlsx_file(rows: Iterable[Values], out: IO[bytes]) -> None:
    """This will write rows as XLSX: amounts as numbers, dates as dates, text never a formula."""

    def cells() -> Iterator[list[Any]]:
        yield titles()
        for row in rows:
            yield [float(value) if isinstance(value, Decimal) else value for value in row]

    write_xlsx(cells(), out)


def pieces(request: SearchRequest, kind: str, manifest: dict[str, Any]) -> Iterator[bytes]:
    """This will give the bytes of an export, whatever its kind."""
    if kind == "csv":
        yield from csv_pieces(request)
    elif kind == "json":
        yield from json_pieces(records(request), manifest)
    else:
        with tempfile.TemporaryFile(prefix="export-") as file:
            xlsx_file(records(request, neutral=True), file)
            file.seek(0)
            while piece := file.read(PIECE):
                yield piece


def manifest_of(
    request: SearchRequest, query: str, answer: SearchAnswer, as_of: dt.datetime
) -> dict[str, Any]:
    """This will describe an export: question, moment, rows, totals, and what each field means."""
    return {
        "query": query,
        "reading": reading(request.tree()),
        "as_of": as_of.isoformat(timespec="seconds"),
        "rows": answer.count,
        "totals": [total.as_json() for total in answer.totals],
        "household_times": answer.household_times,
        "fields": dictionary(),
    }


def hashed(parts: Iterable[bytes]) -> tuple[str, int]:
    """This will give SHA-256 and size of what is written, keeping none of it."""
    digest, size = hashlib.sha256(), 0
    for part in parts:
        digest.update(part)
        size += len(part)
    return digest.hexdigest(), size
