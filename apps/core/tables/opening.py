"""Opening a table by its content, whatever its name says. Everything that is no honest table is refused with words."""

from __future__ import annotations

import codecs
import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineError, CalamineWorkbook

from apps.core.errors import BadInput
from apps.core.tables.cells import Cell
from apps.core.tables.faults import place

LARGEST = 256 * 1024 * 1024
LARGEST_BOOK = 32 * 1024 * 1024
LARGEST_UNPACKED = 200 * 1024 * 1024
LARGEST_BOOK_ROWS = 100_200
"""A workbook is held in memory as a whole: beyond this, CSV is the way. Leaves room for titles and totals."""

LONGEST_CELL = 100_000
_STEP = 1 << 20
_FORMULA = re.compile(rb'<c r="([A-Z]{1,3})(\d+)"[^>]*><f')
_VBA = "_VBA_PROJECT".encode("utf-16-le")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE, _ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
BOOKS = (_ZIP, _OLE)
"""How workbooks begin: XLSX, XLS."""


class UnreadableTable(BadInput):
    code = "unreadable_table"
    field = "file"


@dataclass(slots=True)
class Table:
    """An opened table. Iterating gives (row number as a spreadsheet counts, cells), from the start each time."""

    path: Path
    kind: str
    encoding: str = ""
    delimiter: str = ","
    formulas: frozenset[tuple[int, int]] = frozenset()
    other_sheets: int = 0
    _sheet: Any = field(default=None, repr=False)

    def __iter__(self) -> Iterator[tuple[int, list[Cell]]]:
        if self.kind == "csv":
            yield from self._lines()
        else:
            # Row by row, and with the empty columns before the first cell, so that places are those a person sees.
            start = self._sheet.start
            before: list[Cell] = [""] * (start[1] if start else 0)
            for number, row in enumerate(self._sheet.iter_rows(), start=1):
                yield number, [*before, *row] if before else row

    def merged(self) -> list[tuple[int, int, int, int]]:
        """This will list a workbook's merged cells: (first row, last row, first column, last column), rows as a
        spreadsheet counts, columns from 0. A CSV file has none."""
        ranges = getattr(self._sheet, "merged_cell_ranges", None) or []
        return sorted((top + 1, bottom + 1, left, right) for (top, left), (bottom, right) in ranges)

    def head(self, rows: int = 60) -> list[list[Cell]]:
        """This will give the first rows."""
        found = []
        for _number, row in self:
            found.append(row)
            if len(found) == rows:
                break
        return found

    def _lines(self) -> Iterator[tuple[int, list[Cell]]]:
        number = 0
        with self.path.open(encoding=self.encoding, newline="") as lines:
            try:
                for row in csv.reader(lines, delimiter=self.delimiter, strict=True):
                    number += 1
                    yield number, row
            except csv.Error as error:
                text = _("第%(row)s行的引号没有配对，或文件不完整。请重新导出后再试。")
                raise UnreadableTable(str(text) % {"row": number + 1}) from error


def open_table(path: Path) -> Table:
    """This will open a CSV (UTF-8, UTF-16, GB18030), XLSX or XLS file.

    Raises UnreadableTable: empty, too large, broken, locked, with macros, a web page, or no table at all.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8192)
    if not start.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise UnreadableTable(_("文件是空的。"))
    if size > LARGEST:
        raise UnreadableTable(_("文件超过256MB。请分成几个文件导入。"))
    if start.startswith(BOOKS):
        if size > LARGEST_BOOK:
            raise UnreadableTable(_("表格文件超过32MB。请另存为CSV再导入，CSV没有行数限制。"))
        return _book(path, "xlsx" if start.startswith(_ZIP) else "xls")
    words = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if words.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise UnreadableTable(
            _("这是网页，不是表格（有的网银导出的.xls就是这样）。请用Excel打开后另存为XLSX。")
        )
    if words.startswith(
        (b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")
    ):
        raise UnreadableTable(_("不是CSV、XLSX或XLS文件。请从表格软件里导出。"))
    encoding = _encoding(path, start)
    table = Table(path, "csv", encoding)
    with path.open(encoding=encoding, newline="") as lines:
        first = "".join(lines.readline() for _n in range(20))
    table.delimiter = max(",\t;", key=first.count)
    return table


def _encoding(path: Path, start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif start.count(0) * 4 > len(start):
        candidates = ["utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            controls = total = 0
            with path.open("rb") as file:
                while piece := file.read(_STEP):
                    words = decoder.decode(piece)
                    if not total:
                        controls = sum(sign < " " and sign not in "\t\r\n" for sign in words[:20_000])
                    total += len(words)
                decoder.decode(b"", final=True)
            if controls * 50 > min(total, 20_000):
                break
            return encoding
        except UnicodeDecodeError:
            continue
    raise UnreadableTable(_("不是CSV、XLSX或XLS文件，或文字编码认不出来。请另存为UTF-8的CSV，或XLSX。"))


def _book(path: Path, kind: str) -> Table:
    formulas = _check_zip(path) if kind == "xlsx" else _check_ole(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        if not book.sheet_names:
            raise UnreadableTable(_("这个工作簿里没有工作表。"))
        sheet = book.get_sheet_by_index(0)
        if sheet.total_height > LARGEST_BOOK_ROWS:
            raise UnreadableTable(_("表格超过10万行。请另存为CSV再导入，CSV没有行数限制。"))
        others = sum(book.get_sheet_by_index(n).height > 0 for n in range(1, min(len(book.sheet_names), 20)))
    except (CalamineError, IndexError, OSError, ValueError) as error:
        raise UnreadableTable(_("打不开这个表格文件。请确认它没有损坏，也没有加密。")) from error
    return Table(path, kind, formulas=formulas, other_sheets=others, _sheet=sheet)


def _check_zip(path: Path) -> frozenset[tuple[int, int]]:
    """Unpacks once to nowhere: what lies about its size or is cut off is found here. Gives the first sheet's
    formulas."""
    broken = _("打不开这个表格文件。请确认它没有损坏，也没有加密。")
    try:
        with zipfile.ZipFile(path) as parts:
            names = {part.filename for part in parts.infolist()}
            if sum(part.file_size for part in parts.infolist()) > LARGEST_UNPACKED:
                raise UnreadableTable(_("文件展开后超过200MB。请另存为CSV再导入。"))
            if "xl/workbook.xml" not in names:
                raise UnreadableTable(_("不是CSV、XLSX或XLS文件。请从表格软件里导出。"))
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise UnreadableTable(_("文件里有宏，不能导入。请另存为不带宏的XLSX或CSV。"))
            first = _first_sheet(parts)
            found: set[tuple[int, int]] = set()
            for name in names:
                rest = b""
                with parts.open(name) as file:
                    while piece := file.read(_STEP):
                        if name == first:
                            rest += piece
                            cut = rest.rfind(b"<c ")
                            found |= {
                                (int(row), place(column.decode()))
                                for column, row in _FORMULA.findall(rest[:cut])
                            }
                            rest = rest[max(cut, 0) :]
                found |= {(int(row), place(column.decode())) for column, row in _FORMULA.findall(rest)}
            return frozenset(found)
    except UnreadableTable:
        raise
    except Exception as error:
        # A zip that lies or is cut off fails in many ways: BadZipFile, zlib.error, struct.error, EOFError.
        raise UnreadableTable(broken) from error


def _first_sheet(parts: zipfile.ZipFile) -> str:
    found = re.search(rb'<sheet\b[^>]*?r:id="([^"]+)"', parts.read("xl/workbook.xml"))
    try:
        links = parts.read("xl/_rels/workbook.xml.rels")
    except KeyError:
        links = b""
    for link in re.findall(rb"<Relationship\b[^>]*>", links):
        if found and b'Id="' + found.group(1) + b'"' in link:
            target = re.search(rb'Target="/?(?:xl/)?([^"]+)"', link)
            return f"xl/{target.group(1).decode()}" if target else ""
    return "xl/worksheets/sheet1.xml"


def _check_ole(path: Path) -> frozenset[tuple[int, int]]:
    content = path.read_bytes()
    if _ENCRYPTED in content:
        raise UnreadableTable(_("文件有密码。请去掉密码后再导入。"))
    if _VBA in content:
        raise UnreadableTable(_("文件里有宏，不能导入。请另存为不带宏的XLSX或CSV。"))
    return frozenset()
