"""Tables to take away. No cell of ours ever becomes a formula on somebody's machine."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import xlsxwriter

from apps.core.tables.cells import Cell

DANGEROUS = "=+-@\t\r\n\0＝＋－＠"
MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
XLSX_ROWS = 1_048_575


def neutral(words: str) -> str:
    """This will put an apostrophe before a text that a spreadsheet would take for a formula."""
    return "'" + words if words[:1] in DANGEROUS and words else words


class _Echo:
    def write(self, words: str) -> str:
        return words


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """This will write rows as CSV, piece by piece: UTF-8 with BOM, text cells neutralised, numbers as they are."""
    writer = csv.writer(_Echo())  # type: ignore[arg-type]  # writer.writerow gives what `write` gives back
    first = b"\xef\xbb\xbf"
    for row in rows:
        yield first + writer.writerow([_plain(cell) for cell in row]).encode()  # type: ignore[attr-defined]
        first = b""


def _plain(cell: Cell) -> Any:
    if isinstance(cell, str):
        return neutral(cell)
    return "" if cell is None else cell


def write_xlsx(rows: Iterable[Sequence[Cell]], out: IO[bytes]) -> None:
    """This will write rows as XLSX into a file, with little memory: text stays text, numbers numbers, dates dates."""
    book = xlsxwriter.Workbook(out, {**OPTIONS, "constant_memory": True})
    sheet = book.add_worksheet()
    dates = book.add_format({"num_format": "yyyy-mm-dd"})
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if isinstance(cell, dt.date):
                when = cell if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time.min)
                sheet.write_datetime(y, x, when.replace(tzinfo=None), dates)
            elif isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < 10**15:
                sheet.write_number(y, x, cell)
            elif cell not in (None, ""):
                sheet.write_string(y, x, str(cell)[:32_767])
    book.close()


def xlsx_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """This will give rows as the bytes of an XLSX file."""
    out = io.BytesIO()
    write_xlsx(rows, out)
    return out.getvalue()
