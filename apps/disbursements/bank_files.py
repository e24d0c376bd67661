"""Bank files: a batch out as CSV or XLSX, the bank's result file back in (P4)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineError, CalamineWorkbook

from apps.core.errors import BadInput
from apps.core.money import Money
from apps.disbursements.operations.paying import LineOutcome

HEADER = ("批次", "行号", "收款户名", "开户行", "收款账号", "金额", "用途")
RESULT_HEADER = ("批次", "行号", "金额", "结果", "说明")
PAID_WORDS = {"成功", "已付", "paid", "success"}
RETURNED_WORDS = {"失败", "退回", "退票", "returned", "failed"}
LARGEST = 5 * 1024 * 1024
LARGEST_UNPACKED = 50 * 1024 * 1024


class BadResultFile(BadInput):
    code = "bad_result_file"
    field = "file"


def write_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """This will write a bank file as CSV (UTF-8 with BOM, opens right in Excel), text cells forced as text."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER)
    writer.writerows([_safe(str(cell)) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(rows: Iterable[Sequence[Any]]) -> bytes:
    """This will write a bank file as XLSX; account numbers stay text, nothing becomes a formula."""
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet()
    for y, row in enumerate([HEADER, *rows]):
        for x, cell in enumerate(row):
            sheet.write_string(y, x, str(cell))
    book.close()
    return out.getvalue()


def read_results(content: bytes, *, batch_number: str, currency: str) -> list[LineOutcome]:
    """This will read a bank's result file (CSV in UTF-8 or GBK, or XLSX): batch, line, amount, result, note.

    Raises BadResultFile with the row that is wrong; nothing is recorded then.
    """
    if len(content) > LARGEST:
        raise BadResultFile(_("文件超过5MB。请按批次分开导入。"))
    rows = _rows(content)
    start = next(
        (i for i, row in enumerate(rows) if [c.strip() for c in row[:5]] == list(RESULT_HEADER)), None
    )
    if start is None:
        raise BadResultFile(str(_("没有找到表头：%(header)s。")) % {"header": "、".join(RESULT_HEADER)})
    outcomes = []
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if any(cell.strip() for cell in row):
            outcomes.append(_outcome(row, number, batch_number, currency))
    if not outcomes:
        raise BadResultFile(_("文件里没有结果行。"))
    return outcomes


def _outcome(row: list[str], number: int, batch_number: str, currency: str) -> LineOutcome:
    cells = [cell.strip() for cell in row] + [""] * 5
    where = {"row": number}
    if cells[0] != batch_number:
        raise BadResultFile(str(_("第%(row)s行：批次号不是这个批次的。")) % where)
    if not cells[1].removesuffix(".0").isdecimal() or len(cells[1]) > 9:
        raise BadResultFile(str(_("第%(row)s行：行号不是数字。")) % where)
    word = cells[3].casefold()
    if word not in PAID_WORDS | RETURNED_WORDS:
        raise BadResultFile(str(_("第%(row)s行：结果要写“成功”或“失败”。")) % where)
    try:
        amount = Money.parse(cells[2], currency)
    except BadInput as error:
        raise BadResultFile(str(_("第%(row)s行：金额写法不对。")) % where) from error
    return LineOutcome(int(cells[1].removesuffix(".0")), amount.minor, word in PAID_WORDS, cells[4])


def _rows(content: bytes) -> list[list[str]]:
    if content[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as parts:
                unpacked = sum(part.file_size for part in parts.infolist())
            if unpacked > LARGEST_UNPACKED:
                raise BadResultFile(_("文件展开后超过50MB。请按批次分开导入。"))
            sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
            return [[str(cell) for cell in row] for row in sheet.to_python()]
        except (CalamineError, IndexError, zipfile.BadZipFile) as error:
            raise BadResultFile(_("打不开这个表格文件。请从网银重新下载。")) from error
    for encoding in ("utf-8-sig", "gbk"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding))))
        except (UnicodeDecodeError, csv.Error):
            continue
    raise BadResultFile(_("不是CSV或XLSX文件。请从网银重新下载。"))


def _safe(text: str) -> str:
    return "'" + text if text[:1] in "=+-@\t\r\0＝＋－＠" and text else text
