from __future__ import annotations

from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.money import Money
from apps.funds.models import MicroFund, Project
from apps.funds.operations import BudgetDraft
from apps.funds.states import CostKind


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    """The fundraising plan (F2). The target is what its budget lines add up to."""

    cost_rate = forms.DecimalField(
        label=_("募捐成本比例（%）"), min_value=0, max_value=10, decimal_places=2, initial=3
    )

    class Meta:
        model = Project
        fields = ("fund", "slug", "name", "name_en", "summary", "summary_en", "category", "purpose", "purpose_en",
                  "starts_on", "ends_on", "is_emergency", "area", "town", "person_in_charge", "office_address", "phone",
                  "beneficiaries", "surplus_rule", "platform_url")  # fmt: skip
        labels = {
            "fund": _("微基金"), "slug": _("网址名"), "name": _("项目名称"), "name_en": _("英文名称"),
            "summary": _("一句话介绍"), "summary_en": _("一句话介绍（英文）"), "category": _("类别"),
            "purpose": _("用途"), "purpose_en": _("用途（英文）"), "starts_on": _("募捐开始"), "ends_on": _("募捐结束"),
            "is_emergency": _("应急项目（最长1年）"), "area": _("募捐地域"), "town": _("镇街"),
            "person_in_charge": _("负责人"), "office_address": _("办公地址"), "phone": _("电话"),
            "beneficiaries": _("受益人（不能是特定个人）"), "surplus_rule": _("结余处理"),
            "platform_url": _("指定平台上的网址"),
        }  # fmt: skip
        widgets = {
            "starts_on": forms.DateInput(attrs={"type": "date"}), "ends_on": forms.DateInput(attrs={"type": "date"}),
            "purpose": forms.Textarea(attrs={"rows": 4}), "purpose_en": forms.Textarea(attrs={"rows": 3}),
        }  # fmt: skip

    def __init__(self, *args: Any, organizations: set[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fund"].queryset = MicroFund.objects.filter(organization__in=organizations)  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """The operation checks the record; the form only reads it."""

    def plan(self) -> dict[str, Any]:
        """This will give the plan's fields for the operation, without fund and rate."""
        data = {name: self.cleaned_data[name] for name in self.Meta.fields if name != "fund"}
        return data | {"cost_rate_bp": int(self.cleaned_data["cost_rate"] * 100)}


class BudgetLineForm(forms.Form):
    code = forms.SlugField(label=_("代码"), max_length=24)
    name = forms.CharField(label=_("科目"), max_length=60)
    name_en = forms.CharField(label=_("科目（英文）"), max_length=80, required=False)
    cost = forms.ChoiceField(label=_("性质"), choices=[("aid", _("救助金")), *CostKind.choices])
    planned = forms.CharField(
        label=_("预算"), max_length=24, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )

    def clean_planned(self) -> Money:
        try:
            return Money.parse(self.cleaned_data["planned"])
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from error

    def draft(self) -> BudgetDraft:
        data = self.cleaned_data
        aid = data["cost"] == "aid"
        return BudgetDraft(
            code=data["code"], name=data["name"], planned=data["planned"].minor, name_en=data["name_en"],
            cost=CostKind.PROGRAMME if aid else data["cost"], is_aid_line=aid, is_fee_line=data["code"] == "fees",
        )  # fmt: skip


BudgetForms = formset_factory(BudgetLineForm, extra=4, min_num=1, validate_min=True, max_num=12)
