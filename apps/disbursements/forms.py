from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Attachment, Household, Member
from apps.core.clock import civil_day
from apps.core.errors import DomainError
from apps.core.forms import AmountField
from apps.core.money import Money
from apps.disbursements.models import RuleVersion
from apps.disbursements.states import AidKind, Layout, RowKind
from apps.funds.models import BudgetLine, MicroFund, Project


class MoneyForm(forms.Form):
    """A form with an amount as people type it."""

    amount = AmountField(label=_("金额"))


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
    staff_relation = forms.CharField(
        label=_("与工作人员的关系"), max_length=120, required=False,
        help_text=_("家庭或申请人与本会、镇街工作人员有亲属等关系的，请写明；没有就留空"),
    )  # fmt: skip
    field_order = ("household", "project", "amount", "purpose", "need", "staff_relation")

    def __init__(
        self, *args: Any, households: QuerySet[Household], projects: QuerySet[Project], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        _offer_households(self, households)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]

    def budget_line(self) -> BudgetLine:
        return BudgetLine.objects.get(project=self.cleaned_data["project"], is_aid_line=True)


class ChooseForm(forms.Form):
    """Which family, and which project whose centre's table decides."""

    household = forms.ModelChoiceField(
        Household.objects.none(), label=_("家庭档案"), to_field_name="file_number"
    )
    project = forms.ModelChoiceField(Project.objects.none(), label=_("项目"), to_field_name="slug")

    def __init__(
        self, *args: Any, households: QuerySet[Household], projects: QuerySet[Project], **kwargs: Any
    ) -> None:
        kwargs.setdefault("auto_id", "rule_%s")
        super().__init__(*args, **kwargs)
        _offer_households(self, households)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]


def _offer_households(form: forms.Form, households: QuerySet[Household]) -> None:
    field: Any = form.fields["household"]
    field.queryset = households.filter(erased_at=None)
    field.label_from_instance = lambda item: f"{item.file_number} · {item.town}"


class RuleForm(forms.Form):
    """The facts a centre's table asks for, the period, the evidence of the family's own file (C6)."""

    member = forms.ModelChoiceField(Member.objects.none(), label=_("在读成员"))
    total = forms.CharField(label=_("医疗总费用"), max_length=24)
    insured = forms.CharField(label=_("医保和商业保险报销"), max_length=24)
    other_aid = forms.CharField(label=_("其他救助"), max_length=24, initial="0")
    grade = forms.ChoiceField(label=_("危房等级"))
    repair_cost = forms.CharField(label=_("修缮费用"), max_length=24)
    needed = forms.CharField(label=_("需要的金额"), max_length=24)
    starts_on = forms.DateField(
        label=_("从"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("这次救助对应的日子，同类救助不能重叠"),
    )
    ends_on = forms.DateField(label=_("到（不含）"), widget=forms.DateInput(attrs={"type": "date"}))
    attachments = forms.ModelMultipleChoiceField(
        Attachment.objects.none(), label=_("材料"), to_field_name="public_id", required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    purpose = forms.CharField(label=_("用途"), max_length=120, help_text=_("会公开，不要写姓名、学校、住址"))
    need = AidForm.base_fields["need"]
    staff_relation = AidForm.base_fields["staff_relation"]

    MONEY = ("total", "insured", "other_aid", "repair_cost", "needed")
    OF_KIND = {
        AidKind.EDUCATION: ("member",),
        AidKind.ILLNESS: ("total", "insured", "other_aid"),
        AidKind.HOUSING: ("grade", "repair_cost"),
        AidKind.TEMPORARY: ("needed",),
    }

    def __init__(self, *args: Any, rule: RuleVersion, household: Household, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = AidKind(rule.kind)
        self.household = household
        asked = {name for names in self.OF_KIND.values() for name in names} - set(self.OF_KIND[self.kind])
        for name in asked:
            del self.fields[name]
        for name in self.fields.keys() & set(self.MONEY):
            self.fields[name].widget.attrs["inputmode"] = "decimal"
            self.fields[name].help_text = _("元")
        english = (get_language() or "").startswith("en")
        if "member" in self.fields:
            self._offer(
                "member",
                Member.objects.filter(household=household, left_at=None).exclude(schooling="none"),
                lambda one: f"{one.get_relation_display()} · {one.get_schooling_display()}",
                _("档案里没有在读成员。请先在家庭档案里登记学段。"),
            )
        if "grade" in self.fields:
            self.fields["grade"].choices = [  # type: ignore[attr-defined]
                (row.key, row.label_en if english else row.label_zh)
                for row in rule.rows.filter(what=RowKind.GRADE)
            ]
        self._offer(
            "attachments",
            Attachment.objects.filter(household=household, erased_at=None).order_by("-id"),
            lambda one: (
                f"{one.get_kind_display()} · {civil_day(one.uploaded_at):%Y-%m-%d} · {one.public_id[:6]}"
            ),
            _("档案里还没有材料。请先到家庭档案里上传，再回来勾选。"),
        )

    def _offer(self, name: str, rows: QuerySet[Any], label: Any, where_none: Any) -> None:
        """Rows to choose from; where there are none, what to do."""
        field: Any = self.fields[name]
        field.queryset, field.label_from_instance = rows, label
        if not rows.exists():
            field.help_text = where_none

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in self.MONEY:
            if data.get(name):
                try:
                    data[name] = Money.parse(data[name]).minor if data[name].strip() != "0" else 0
                except DomainError as error:
                    self.add_error(name, str(error.message))
        return data

    def facts(self) -> dict[str, Any]:
        """This will give the facts as the rules take them, amounts in fen."""
        data = self.cleaned_data
        if self.kind == AidKind.EDUCATION:
            return {"level": data["member"].schooling}
        if self.kind == AidKind.TEMPORARY:
            return {"tier": self.household.income_tier, "need": data["needed"]}
        return {name: data[name] for name in self.OF_KIND[self.kind]}


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
    file = forms.FileField(label=_("银行结果文件"), help_text=_("CSV或XLSX，行的顺序不限，可以分几个文件"))


class CodeForm(forms.Form):
    """The six digits a family types."""

    code = forms.CharField(
        label=_("短信里的6位数字"), max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )  # fmt: skip


class LayoutForm(forms.Form):
    layout = forms.ChoiceField(label=_("银行文件格式"), choices=Layout.choices)
