from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Household
from apps.core.errors import DomainError
from apps.core.money import Money
from apps.funds.models import BudgetLine, MicroFund, Project
from apps.funds.states import SPENDABLE


class MoneyForm(forms.Form):
    """A form with an amount as people type it."""

    amount = forms.CharField(
        label=_("金额"),
        max_length=24,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def clean_amount(self) -> Money:
        try:
            return Money.parse(self.cleaned_data["amount"])
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from error


class _ProjectForm(MoneyForm):
    project = forms.ModelChoiceField(Project.objects.none(), label=_("项目"), to_field_name="slug")
    purpose = forms.CharField(label=_("用途"), max_length=120, help_text=_("会公开，不要写姓名、学校、住址"))


class AidForm(_ProjectForm):
    household = forms.ModelChoiceField(
        Household.objects.none(), label=_("家庭档案"), to_field_name="file_number"
    )
    need = forms.CharField(
        label=_("困难和核实情况"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("不公开，只给审核和批准的人看"),
    )
    field_order = ("household", "project", "amount", "purpose", "need")

    def __init__(self, *args: Any, households: QuerySet[Household], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["household"].queryset = households.filter(erased_at=None)  # type: ignore[attr-defined]
        self.fields["household"].label_from_instance = lambda item: f"{item.file_number} · {item.town}"  # type: ignore[attr-defined]
        self.fields["project"].queryset = Project.objects.filter(  # type: ignore[attr-defined]
            status__in=SPENDABLE, budget_lines__is_aid_line=True
        ).order_by("name")

    def budget_line(self) -> BudgetLine:
        return BudgetLine.objects.get(project=self.cleaned_data["project"], is_aid_line=True)


class ExpenseForm(_ProjectForm):
    budget_line = forms.ModelChoiceField(BudgetLine.objects.none(), label=_("预算科目"))
    payee_name = forms.CharField(label=_("收款单位"), max_length=120)
    payee_bank = forms.CharField(label=_("开户行"), max_length=120)
    payee_account = forms.CharField(label=_("收款账号"), max_length=40)
    invoice_number = forms.CharField(label=_("发票号码"), max_length=40)
    field_order = ("project", "budget_line", "amount", "purpose", "payee_name", "payee_bank", "payee_account",
                   "invoice_number")  # fmt: skip

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = BudgetLine.objects.filter(project__in=projects, is_aid_line=False).select_related("project")
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]
        self.fields["budget_line"].queryset = lines  # type: ignore[attr-defined]
        self.fields["budget_line"].label_from_instance = lambda line: f"{line.project} · {line}"  # type: ignore[attr-defined]


class TransferForm(MoneyForm):
    source = forms.ChoiceField(label=_("从"))
    target = forms.ChoiceField(label=_("到"))
    reason = forms.CharField(label=_("理由"), max_length=200, help_text=_("会公开"))
    field_order = ("source", "target", "amount", "reason")

    def __init__(self, *args: Any, fund: MicroFund, marks: dict[int, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {project.pk: str(project) for project in Project.objects.filter(fund=fund)}
        choices = [
            (str(mark), names[owner] if owner else str(_("微基金一般资金")))
            for mark, owner in sorted(marks.items())
        ]
        self.fields["source"].choices = self.fields["target"].choices = choices  # type: ignore[attr-defined]


class ResultFileForm(forms.Form):
    file = forms.FileField(
        label=_("银行结果文件"), help_text=_("CSV或XLSX，列：批次、行号、金额、结果、说明")
    )
