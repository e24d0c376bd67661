"""Forms of the workbench's receipts: filters, ranges of numbers, receipts for goods with up to twenty lines."""

from __future__ import annotations

import secrets
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.money import Money, zero
from apps.donations.operations import GoodsLine
from apps.donations.operations.in_kind import MOST_LINES, PLACES
from apps.donations.states import Basis
from apps.organizations.models import check_uscc

KINDS = [("", _("全部")), ("gift", _("货币捐赠")), ("red", _("红字")), ("in_kind", _("实物捐赠"))]
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
MONEY = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})


class ReceiptFilter(forms.Form):
    """Which receipts: by day of issue, number, payer and kind."""

    since = forms.DateField(label=_("从"), required=False, widget=DAY)
    until = forms.DateField(label=_("到"), required=False, widget=DAY)
    q = forms.RegexField(
        r"^(\d{1,10}|\d{18})$", label=_("号码"), required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": _("请填票据号码（最多10位数字），或代码和号码连写的18位。")},
    )  # fmt: skip
    payer = forms.CharField(label=_("交款人"), required=False, max_length=120)
    kind = forms.ChoiceField(label=_("种类"), required=False, choices=KINDS)

    def query(self) -> dict[str, str]:
        """This will give the valid filter as the queries take it, without what is empty."""
        data = self.cleaned_data
        given = {
            "from": data["since"].isoformat() if data["since"] else "", "to": data["until"].isoformat()
            if data["until"] else "", "q": data["q"], "payer": data["payer"], "kind": data["kind"],
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}


class RangeForm(forms.Form):
    """A range of numbers as the finance bureau's sheet has it."""

    code = forms.RegexField(
        r"^\d{8}$", label=_("票据代码"), widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _("票据代码是8位数字。")},
    )  # fmt: skip
    first = forms.IntegerField(label=_("起号"), min_value=1, max_value=9_999_999_999)
    last = forms.IntegerField(label=_("止号"), min_value=1, max_value=9_999_999_999)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            self.add_error("last", _("止号不能小于起号。"))
        return data


class InKindForm(forms.Form):
    """Who gave goods, and when they came."""

    payer = forms.CharField(label=_("捐赠人"), max_length=120)
    payer_code = forms.CharField(
        label=_("统一社会信用代码"), max_length=18, required=False, help_text=_("单位捐赠时填写")
    )
    received_on = forms.DateField(label=_("收到日期"), widget=DAY)
    total = forms.CharField(label=_("合计"), max_length=24, widget=MONEY, help_text=_("要等于各行金额之和"))
    remark = forms.CharField(label=_("备注"), max_length=120, required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = secrets.token_urlsafe(24)

    def clean_payer_code(self) -> str:
        code = str(self.cleaned_data["payer_code"]).strip().upper()
        if code:
            check_uscc(code)
        return code

    def clean_total(self) -> Money:
        return _money(self.cleaned_data["total"])


class GoodsLineForm(forms.Form):
    """A line of goods. One that is wholly empty is left out."""

    item = forms.CharField(label=_("物品"), max_length=80)
    unit = forms.CharField(label=_("单位"), max_length=10)
    quantity = forms.CharField(label=_("数量"), max_length=16, widget=MONEY)
    unit_value = forms.CharField(label=_("单价（元）"), max_length=24, widget=MONEY)
    basis = forms.ChoiceField(label=_("计价依据"), choices=Basis.choices)
    basis_source = forms.CharField(
        label=_("来源"),
        max_length=120,
        required=False,
        help_text=_("按市场价或评估计价时要写，例如网址、评估报告号"),
    )

    def clean_quantity(self) -> Decimal:
        try:
            value = Decimal(str(self.cleaned_data["quantity"]).strip())
        except InvalidOperation as error:
            raise forms.ValidationError(_("请写成数字，例如 12 或 2.5。")) from error
        exponent = value.as_tuple().exponent
        if (
            not value.is_finite()
            or value <= 0
            or not isinstance(exponent, int)
            or not -PLACES <= exponent <= 0
        ):
            raise forms.ValidationError(_("数量要大于零，最多3位小数。"))
        return value

    def clean_unit_value(self) -> Money:
        return _money(self.cleaned_data["unit_value"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("basis") in (Basis.MARKET, Basis.APPRAISAL) and not data.get("basis_source", "").strip():
            self.add_error("basis_source", _("请写明来源。"))
        return data

    def line(self) -> GoodsLine:
        """This will turn a valid line into what the operation takes."""
        data = self.cleaned_data
        return GoodsLine(
            item=data["item"].strip(), unit=data["unit"].strip(), quantity=data["quantity"],
            unit_value=data["unit_value"], basis=data["basis"], basis_source=data["basis_source"].strip(),
        )  # fmt: skip


def _money(text: str) -> Money:
    try:
        return Money.parse(text)
    except DomainError as error:
        raise forms.ValidationError(str(error.message)) from error


class GoodsLines:
    """The lines of one form: as many as the page showed, one more when asked, never more than twenty. Everything typed
    stays, on any button and any error."""

    def __init__(self, data: QueryDict | None, *, more: bool = False, judge: bool = False) -> None:
        shown = 1
        if data is not None:
            text = data.get("rows", "1")
            shown = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 1
            shown = max(1, min(shown + more, MOST_LINES))
        self.count = shown
        self.may_grow = shown < MOST_LINES
        self.forms = [self._form(data, n, judge) for n in range(shown)]

    def _form(self, data: QueryDict | None, n: int, judge: bool) -> GoodsLineForm:
        prefix = f"line{n + 1}"
        if data is None or f"{prefix}-item" not in data:
            return GoodsLineForm(prefix=prefix)
        typed = {name: data.get(f"{prefix}-{name}", "") for name in GoodsLineForm.base_fields}
        empty = n and not any(value.strip() for name, value in typed.items() if name != "basis")
        return GoodsLineForm(data, prefix=prefix) if judge and not empty else GoodsLineForm(
            prefix=prefix, initial=typed
        )  # fmt: skip

    def is_valid(self) -> bool:
        """This will judge every line that has something typed in it."""
        judged = [form.is_valid() for form in self.forms if form.is_bound]
        return bool(judged) and all(judged)

    def lines(self) -> list[GoodsLine]:
        """This will give the valid lines."""
        return [form.line() for form in self.forms if form.is_bound]

    def sum(self) -> Money | None:
        """This will add up the lines that make sense so far."""
        found = [GoodsLineForm(dict(self._typed(form)), prefix=form.prefix) for form in self.forms]
        values = [form.line().value for form in found if form.is_valid()]
        return sum(values, zero()) if values else None

    def _typed(self, form: GoodsLineForm) -> list[tuple[str, Any]]:
        return [(form.add_prefix(name), form[name].value() or "") for name in form.fields]
