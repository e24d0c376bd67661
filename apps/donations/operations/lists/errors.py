from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core.errors import BadInput, Conflict


class ListHasErrors(BadInput):
    """Nothing was imported; the import's faults say what to mend, by row and column."""

    code = "list_has_errors"

    def __init__(self, count: int) -> None:
        text = ngettext(
            "没有记入：%(n)d处要改。请改好文件再导入。", "没有记入：%(n)d处要改。请改好文件再导入。", count
        )
        super().__init__(text % {"n": count})


class PartlyKnown(Conflict):
    """Some rows are known from an earlier list; a person says what they are."""

    code = "partly_known"

    def __init__(self, rows: list[int], count: int) -> None:
        self.rows = rows
        text = ngettext(
            "没有记入：有%(n)d行与以前的名单相同。相同的是同一笔就用“跳过”（skip），是另外的捐赠就用“加入”（add）。",
            "没有记入：有%(n)d行与以前的名单相同。相同的是同一笔就用“跳过”（skip），是另外的捐赠就用“加入”（add）。",
            count,
        )
        super().__init__(text % {"n": count})


class DateWanted(BadInput):
    code = "date_wanted"
    field = "day"
    message = _("名单里没有日期列。请说这些捐赠是哪一天收到的。")


class ColumnsWanted(BadInput):
    code = "columns_wanted"
    field = "amount"
    message = _("没有认出表头。请说哪一行是表头、哪一列是金额。")


class WrongCurrency(BadInput):
    code = "wrong_currency"
    field = "currency"
    message = _("名单的币种与微基金不同。")


class ImportCancelled(Conflict):
    code = "import_cancelled"
    message = _("导入已取消，没有记入任何一笔。")
