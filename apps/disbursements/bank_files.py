"""Bank files: a batch out as CSV or XLSX, the bank's result file back in (P4)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import xlsxwriter
from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineError, CalamineWorkbook

from apps.core.errors import BadInput
from apps.core.money import Money
from apps.core.tables.writing import neutral
from apps.disbursements.errors import listed
from apps.disbursements.operations.paying import LineOutcome
from apps.disbursements.states import Layout


@dataclass(frozen=True, slots=True)
class LayoutColumns:
    """How a bank wants a batch and gives its answer: headings out and in, and where each fact stands."""

    out: tuple[str, ...]
    back: tuple[str, ...]
    batch: int
    n: int
    amount: int
    result: int
    note: int


LAYOUTS = {
    Layout.GENERAL: LayoutColumns(
        out=("批次", "行号", "收款户名", "开户行", "收款账号", "金额", "用途"),
        back=("批次", "行号", "金额", "结果", "说明"), batch=0, n=1, amount=2, result=3, note=4,
    ),
    Layout.PAYROLL: LayoutColumns(
        out=("序号", "账号", "户名", "金额", "开户行", "备注", "批次号"),
        back=("序号", "交易金额", "交易状态", "失败原因", "批次号"), batch=4, n=0, amount=1, result=2, note=3,
    ),
}  # fmt: skip
LARGEST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class PayLine:
    """A line of a bank file; the amount as the bank reads it ("1234.50")."""

    batch: str
    n: int
    payee: str
    bank: str
    account: str
    amount: str
    about: str


def cells(layout: str, line: PayLine) -> tuple[str, ...]:
    """This will put a line's facts into the order of a layout's columns."""
    if layout == Layout.PAYROLL:
        return (str(line.n), line.account, line.payee, line.amount, line.bank, line.about, line.batch)
    return (line.batch, str(line.n), line.payee, line.bank, line.account, line.amount, line.about)


PAID_WORDS = {"成功", "交易成功", "已付", "paid", "success"}
RETURNED_WORDS = {"失败", "交易失败", "退回", "退票", "退汇", "returned", "failed"}
LARGEST = 5 * 1024 * 1024
LARGEST_UNPACKED = 50 * 1024 * 1024


class BadResultFile(BadInput):
    """A file nothing could be recorded from; `faults` says what is wrong, line by line."""

    code = "bad_result_file"
    field = "file"

    def __init__(self, message: object, faults: Sequence[str] = ()) -> None:
        self.faults = list(faults)
        super().__init__(listed(str(message), self.faults) if faults else str(message))


def write_csv(layout: str, lines: Iterable[PayLine], made_at: dt.datetime) -> bytes:
    """This will write a bank file as CSV (UTF-8 with BOM, opens right in Excel), text cells forced as text."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(LAYOUTS[Layout(layout)].out)
    writer.writerows([neutral(cell) for cell in cells(layout, line)] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(layout: str, lines: Iterable[PayLine], made_at: dt.datetime) -> bytes:
    """This will write a bank file as XLSX; account numbers stay text, nothing becomes a formula. `made_at` stands in
    it, so that the same batch gives the same bytes."""
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": made_at.astimezone(dt.UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet()
    for y, row in enumerate([LAYOUTS[Layout(layout)].out, *(cells(layout, line) for line in lines)]):
        for x, cell in enumerate(row):
            sheet.write_string(y, x, str(cell))
    book.close()
    return out.getvalue()


def read_results(content: bytes, *, batch_number: str, currency: str, layout: str) -> list[LineOutcome]:
    """This will read a bank's result file (CSV in UTF-8 or GBK, or XLSX) in the batch's layout, lines in any order.

    Raises BadResultFile with every line that is wrong; nothing is recorded then.
    """
    if len(content) > LARGEST:
        raise BadResultFile(_("文件超过5MB。请按批次分开导入。"))
    rows = _rows(content)
    columns = LAYOUTS[Layout(layout)]
    wide = len(columns.back)
    start = next(
        (i for i, row in enumerate(rows) if [c.strip() for c in row[:wide]] == list(columns.back)), None
    )
    if start is None:
        raise BadResultFile(str(_("没有找到表头：%(header)s。")) % {"header": "、".join(columns.back)})
    outcomes: list[LineOutcome] = []
    faults: list[str] = []
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(outcomes) + len(faults) >= LARGEST_LINES:
            raise BadResultFile(_("文件超过2万行。请按批次分开导入。"))
        try:
            outcomes.append(_outcome(columns, row, number, batch_number, currency))
        except BadResultFile as error:
            faults.append(str(error.message))
    if faults:
        raise BadResultFile(_("文件里有读不懂的行，没有记入任何一行："), faults)
    if not outcomes:
        raise BadResultFile(_("文件里没有结果行。"))
    return outcomes


def _outcome(
    columns: LayoutColumns, row: list[str], number: int, batch_number: str, currency: str
) -> LineOutcome:
    found = [cell.strip() for cell in row] + [""] * len(columns.back)
    where = {"row": number}
    if found[columns.batch] != batch_number:
        raise BadResultFile(str(_("第%(row)s行：批次号不是这个批次的。")) % where)
    n = found[columns.n].removesuffix(".0")
    if not (n.isascii() and n.isdecimal()) or len(n) > 9:
        raise BadResultFile(str(_("第%(row)s行：行号不是数字。")) % where)
    word = found[columns.result].casefold()
    if word not in PAID_WORDS | RETURNED_WORDS:
        raise BadResultFile(str(_("第%(row)s行：结果要写“成功”或“失败”。")) % where)
    try:
        amount = Money.parse(found[columns.amount], currency)
    except BadInput as error:
        raise BadResultFile(str(_("第%(row)s行：金额写法不对。")) % where) from error
    return LineOutcome(int(n), amount.minor, word in PAID_WORDS, found[columns.note], number)


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
