from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.money import DIGITS
from apps.core.tables import columns as tables
from apps.core.tables.cells import text
from apps.core.tables.columns import Columns
from apps.core.tables.faults import letter
from apps.payments.models import BankAccount
from apps.payments.statements.reading import WANTED

NAMES = {
    "date": _("日期"),
    "credit": _("收入"),
    "debit": _("支出"),
    "amount": _("金额（收支同一列）"),
    "balance": _("余额"),
    "name": _("对方户名"),
    "note": _("摘要"),
    "reference": _("流水号"),
    "account": _("本方账号"),
}
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class BankAccountForm(forms.Form):
    bank = forms.CharField(label=_("开户行"), max_length=60)
    number = forms.CharField(label=_("账号"), max_length=40, help_text=_("对账单上印的完整账号"))
    currency = forms.ChoiceField(label=_("币种"), choices=[(code, code) for code in DIGITS], initial="CNY")
    starts_on = forms.DateField(label=_("从哪一天开始对账"), widget=DATE)


class StatementForm(forms.Form):
    account = forms.ModelChoiceField(BankAccount.objects.none(), label=_("银行账户"), empty_label=None)
    file = forms.FileField(label=_("对账单文件"), help_text=_("CSV、XLSX或XLS，从网银下载后原样上传"))

    def __init__(self, *args: Any, accounts: QuerySet[BankAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]


class StatementColumnsForm(forms.Form):
    """Which column of a statement is what, as guessed and as a cashier mends it."""

    header_row = forms.IntegerField(
        label=_("表头在第几行"), min_value=0, max_value=60, help_text=_("没有表头填0")
    )
    date_order = forms.ChoiceField(
        label=_("日期顺序"), choices=[("ymd", _("年-月-日")), ("dmy", _("日/月/年")), ("mdy", _("月/日/年"))]
    )
    decimal = forms.ChoiceField(
        label=_("小数点"), choices=[(".", _("点：1,234.50")), (",", _("逗号：1.234,50"))]
    )

    def __init__(self, *args: Any, head: list[list[Any]], at: Columns | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.head, at = head, at or Columns()
        titles = head[at.header_row - 1] if 0 < at.header_row <= len(head) else []
        choices: list[tuple[str, Any]] = [("", _("没有"))]
        for n in range(min(max((len(row) for row in head), default=0), 60)):
            title = text(titles[n])[:20] if n < len(titles) else ""
            choices.append((str(n), f"{letter(n)} {title}".strip()))
        places = {
            what: forms.ChoiceField(label=NAMES[what], choices=choices, required=what == "date",
                                    initial=str(at.at[what]) if what in at.at else "")
            for what in WANTED
        }  # fmt: skip
        self.fields = {**places, **self.fields}
        for name, value in (
            ("header_row", at.header_row),
            ("date_order", at.date_order),
            ("decimal", at.decimal),
        ):
            self.fields[name].initial = value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("credit") and not data.get("amount"):
            self.add_error("credit", _("请选收入列；收支在同一列就选“金额”。"))
        return data

    def columns(self) -> Columns:
        """This will give what was chosen."""
        data = self.cleaned_data
        at = {what: int(data[what]) for what in WANTED if data.get(what)}
        if "credit" in at:
            at.pop("amount", None)
        return tables.with_titles(
            Columns(data["header_row"], at, {}, data["date_order"], data["decimal"], 1), self.head
        )
