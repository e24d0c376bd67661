"""What can be wrong with a cell, as data: a code that is stored, and words that are made when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Text

WORDS: dict[str, Text] = {
    "amount_missing": _("没有金额。如果是合并单元格，请先拆开再填。"),
    "amount_unreadable": _("金额“%(detail)s”读不出来。请写成数字，例如 200 或 200.50。"),
    "amount_too_fine": _("金额“%(detail)s”的小数位数多于币种的最小单位。"),
    "amount_negative": _("金额“%(detail)s”是负数。请只列收到的捐赠，退回的另办。"),
    "amount_zero": _("金额是零。没有收到的请删掉这一行。"),
    "amount_too_large": _("金额“%(detail)s”过大，请检查是否多写了零。"),
    "formula": _("这一格是公式，不是数字。请复制后“只粘贴值”再导入。"),
    "date_missing": _("没有日期。如果是合并单元格，请先拆开再填。"),
    "date_unreadable": _("日期“%(detail)s”读不出来。请写成 2020-01-23 这样。"),
    "date_serial": _("日期被Excel变成了数字（%(detail)s）。请把这一列设成日期格式再导入。"),
    "date_future": _("日期%(detail)s还没到。请检查年份。"),
    "number_mangled": _("号码被Excel改成了科学计数（%(detail)s），后几位已经丢失。请从原始文件重新复制成文本。"),
    "too_long": _("这一格太长（超过%(detail)s个字）。请缩短。"),
    "after_total": _("合计行之后还有数据行。请把它移到合计行之前，或删掉。"),
    "total_unreadable": _("合计行没有可读的金额。"),
    "total_differs": _("合计行与各行之和相差%(detail)s。"),
    "outside_period": _("日期%(detail)s不在项目的募捐期限内。"),
    "not_raising": _("%(detail)s那一天项目不在募捐。"),
    "balance_unreadable": _("余额“%(detail)s”读不出来。"),
    "balance_breaks": _("余额接不上：%(detail)s。这里少了、多了或改了一行。"),
    "line_doubled": _("这一行与第%(detail)s行完全相同，连余额也相同：同一行出现了两次。"),
    "both_sides": _("同一行既有收入又有支出。"),
    "other_account": _("这一行是另一个账户（%(detail)s）的。"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell: row and column (a letter) as a spreadsheet counts them; row 0 is the whole file."""

    row: int
    column: str
    code: str
    detail: str = ""

    @property
    def message(self) -> str:
        """This will say it in the reader's language."""
        return str(WORDS[self.code]) % {"detail": self.detail}


class CellFault(Exception):
    """A cell that can't be read; the reader knows where it stands."""

    def __init__(self, code: str, detail: object = "") -> None:
        self.code, self.detail = code, str(detail)[:60]
        super().__init__(code)


def letter(place: int) -> str:
    """This will give a column's letters: 0 is A, 26 is AA; nothing for a column that isn't there."""
    name = ""
    place += 1
    while place > 0:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def place(name: str) -> int:
    """This will give a column's place by its letters: A is 0; -1 for what is none."""
    name = name.strip().upper()
    if not name or len(name) > 3 or not (name.isascii() and name.isalpha()):
        return -1
    number = 0
    for sign in name:
        number = number * 26 + ord(sign) - ord("A") + 1
    return number - 1
