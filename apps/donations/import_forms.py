from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.tables import columns as tables
from apps.core.tables.cells import text
from apps.core.tables.columns import Columns
from apps.core.tables.faults import letter
from apps.donations.lists.reading import WANTED
from apps.donations.states import PaidBy
from apps.funds.models import MicroFund, Project
from apps.funds.states import PUBLIC

NAMES = {"amount": _("金额"), "date": _("日期"), "name": _("捐赠人"), "note": _("备注"), "reference": _("流水号"),
         "debit": _("支出（不是捐赠）")}  # fmt: skip
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class NewImportForm(forms.Form):
    """A list and what it is for."""

    file = forms.FileField(label=_("名单文件"), help_text=_("CSV、XLSX或XLS，按原样上传，不用先改格式"))
    target = forms.ChoiceField(label=_("捐给"))
    source = forms.CharField(
        label=_("名单来源"),
        max_length=80,
        help_text=_("谁给的名单，例如“农业银行对账单”。同一来源下次自动认列"),
    )
    account = forms.CharField(
        label=_("收款账号"), max_length=40, required=False, help_text=_("有流水号的名单请填，用来认出同一笔")
    )
    paid_by = forms.ChoiceField(label=_("收款方式"), choices=PaidBy.choices, initial=PaidBy.BANK)
    day = forms.DateField(
        label=_("收到日期"), required=False, widget=DATE, help_text=_("名单里没有日期列时才填")
    )

    def __init__(self, *args: Any, funds: QuerySet[MicroFund], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.projects = {
            project.slug: project
            for project in Project.objects.filter(fund__in=funds, status__in=PUBLIC)
            .select_related("fund")
            .order_by("name")
        }
        self.funds = {fund.slug: fund for fund in funds}
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            (_("项目"), [(f"project:{slug}", str(project)) for slug, project in self.projects.items()]),
            (_("微基金一般资金"), [(f"fund:{slug}", str(fund)) for slug, fund in self.funds.items()]),
        ]

    def chosen(self) -> tuple[MicroFund, Project | None]:
        """This will give the micro-fund and, where one was chosen, the project."""
        kind, _sign, slug = self.cleaned_data["target"].partition(":")
        if kind == "project":
            project = self.projects[slug]
            return project.fund, project
        return self.funds[slug], None


class ColumnsForm(forms.Form):
    """Which column is what, as guessed and as a person mends it."""

    header_row = forms.IntegerField(
        label=_("表头在第几行"), min_value=0, max_value=60, help_text=_("没有表头填0")
    )
    date_order = forms.ChoiceField(
        label=_("日期顺序"), choices=[("ymd", _("年-月-日")), ("dmy", _("日/月/年")), ("mdy", _("月/日/年"))]
    )
    decimal = forms.ChoiceField(
        label=_("小数点"), choices=[(".", _("点：1,234.50")), (",", _("逗号：1.234,50"))]
    )
    unit = forms.TypedChoiceField(
        label=_("金额单位"), coerce=int, choices=[(1, _("元")), (10_000, _("万元"))]
    )
    day = forms.DateField(label=_("收到日期"), required=False, widget=DATE, help_text=_("没有日期列时填"))

    def __init__(self, *args: Any, head: list[list[Any]], at: Columns | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.head, at = head, at or Columns()
        width = max((len(row) for row in head), default=0)
        titles = head[at.header_row - 1] if 0 < at.header_row <= len(head) else []
        choices: list[tuple[str, Any]] = [("", _("没有"))]
        for n in range(min(width, 60)):
            title = text(titles[n])[:20] if n < len(titles) else ""
            choices.append((str(n), f"{letter(n)} {title}".strip()))
        places = {}
        for what in WANTED:
            places[what] = forms.ChoiceField(
                label=NAMES[what], choices=choices, required=what == "amount",
                initial=str(at.at[what]) if what in at.at else "",
            )  # fmt: skip
        self.fields = {**places, **self.fields}
        for name, value in (
            ("header_row", at.header_row),
            ("date_order", at.date_order),
            ("decimal", at.decimal),
            ("unit", at.unit),
        ):
            self.fields[name].initial = value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = [data[what] for what in WANTED if data.get(what)]
        if len(chosen) != len(set(chosen)):
            self.add_error(None, _("同一列选了两次。请每样选一列。"))
        return data

    def columns(self) -> Columns:
        """This will give what was chosen."""
        data = self.cleaned_data
        at = {what: int(data[what]) for what in WANTED if data.get(what)}
        chosen = Columns(data["header_row"], at, {}, data["date_order"], data["decimal"], data["unit"])
        return tables.with_titles(chosen, self.head)
