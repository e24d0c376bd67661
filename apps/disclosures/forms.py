"""Forms of the workbench. A report's lines are fields named by section and key; what was typed is kept on refusal."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.money import Money, format_money
from apps.disclosures.models import Duty, DutyKind, ReportLine
from apps.disclosures.operations import KindInput, LineInput
from apps.disclosures.queries import duty_title
from apps.disclosures.states import Opinion, Rule, SampleResult, Section, Severity, Unit
from apps.organizations.models import Organization


class StartForm(forms.Form):
    duty = forms.ModelChoiceField(Duty.objects.none(), label=_("报告"), to_field_name="public_id")
    until = forms.DateField(
        label=_("报告期截止"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), required=False,
        help_text=_("定期报告从上一期的次日算起，到这一天为止，最晚今天；年度报告和结项报告不用填"),
    )  # fmt: skip

    def __init__(self, *args: Any, duties: QuerySet[Duty], today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["duty"].queryset = duties  # type: ignore[attr-defined]
        self.fields["duty"].label_from_instance = lambda duty: f"{duty.title}：{duty_title(duty)}"  # type: ignore[attr-defined]
        self.fields["until"].initial = today


class DeclareForm(forms.Form):
    organization = forms.ModelChoiceField(Organization.objects.none(), label=_("机构"), to_field_name="uscc")
    code = forms.ChoiceField(label=_("事项"))
    happened_on = forms.DateField(
        label=_("发生日期"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    title = forms.CharField(label=_("是什么事"), max_length=120, help_text=_("会公开。不要写个人信息"))
    amount = forms.CharField(label=_("涉及金额（元）"), required=False, max_length=24)

    def __init__(
        self,
        *args: Any,
        organizations: QuerySet[Organization],
        kinds: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = organizations  # type: ignore[attr-defined]
        self.fields["code"].choices = kinds  # type: ignore[attr-defined]

    def clean_amount(self) -> int | None:
        text = self.cleaned_data["amount"].strip()
        if not text:
            return None
        try:
            return number(text, Unit.FEN, "CNY")
        except (DomainError, ValueError) as error:
            raise forms.ValidationError(_("写成数字，例如 1234.50")) from error


@dataclass(slots=True)
class Row:
    """One line of the editor: the stored line, its field names, and what is in them."""

    line: ReportLine
    name: str
    reported: str
    explanation: str
    error: str = ""

    @property
    def differs(self) -> bool:
        return self.line.reported != self.line.computed


class ReportForm(forms.Form):
    narrative = forms.CharField(
        label=_("这一期做了什么"), max_length=8000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("会公开。不要写姓名、电话、证件号、学校和住址"),
    )  # fmt: skip
    narrative_en = forms.CharField(
        label=_("英文说明"), required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 4})
    )
    correction_reason = forms.CharField(
        label=_("更正的原因"), required=False, max_length=300,
        help_text=_("会公开：哪里错了，为什么，怎么发现的"),
    )  # fmt: skip
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, lines: Sequence[ReportLine], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["narrative"].required = self.data.get("act") == "submit"
        self.rows: list[Row] = []
        for n, line in enumerate(lines):
            if line.section == Section.AUDIT:
                continue
            name = f"line-{n}"
            typed = self.data.get(f"{name}-reported") if self.is_bound else None
            said = self.data.get(f"{name}-explanation") if self.is_bound else None
            self.rows.append(
                Row(line, name, plain(line.reported, line.unit, currency) if typed is None else str(typed),
                    line.explanation if said is None else str(said))
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for row in self.rows:
            try:
                number(row.reported, row.line.unit, self.currency)
            except (DomainError, ValueError):
                row.error = str(_("写成数字，例如 1234.50"))
                self.add_error(None, f"{row.line.label_zh}：{row.error}")
        return data

    def inputs(self) -> Mapping[tuple[str, str], LineInput]:
        """This will give what was typed by (section, key)."""
        return {
            (row.line.section, row.line.key): LineInput(
                number(row.reported, row.line.unit, self.currency), row.explanation
            )
            for row in self.rows
        }


def plain(value: int, unit: str, currency: str) -> str:
    """This will write a figure as it is typed: 1,234.50 or 12."""
    if unit == Unit.QUANTITY:
        return f"{quantity(value):f}"
    if unit != Unit.FEN:
        return str(value)
    text = format_money(Money(abs(value), currency)).lstrip("¥")
    return f"-{text}" if value < 0 else text


def number(text: str, unit: str, currency: str) -> int:
    """This will read a figure as people type it, a minus allowed. Raises BadAmount or ValueError."""
    text = text.strip().replace("\u2212", "-").replace("－", "-")
    sign = -1 if text.startswith("-") else 1
    rest = text.lstrip("-").strip()
    if unit == Unit.QUANTITY:
        return sign * _thousandths(rest)
    if unit != Unit.FEN:
        return sign * int(rest)
    return sign * Money.parse(rest, currency).minor


def quantity(value: int) -> Decimal:
    """This will give a figure in thousandths as the quantity it stands for, without idle zeros."""
    whole, rest = divmod(abs(value), 1000)
    said = Decimal(f"{whole}.{rest:03d}".rstrip("0").rstrip("."))
    return -said if value < 0 else said


def _thousandths(text: str) -> int:
    """Digits, separators of thousands and up to three decimals. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,12})(?:\.(\d{1,3}))?", text.replace(",", "").replace("，", ""), re.ASCII)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * 1000 + int((found[2] or "0").ljust(3, "0"))


class FindingForm(forms.Form):
    severity = forms.ChoiceField(label=_("轻重"), choices=Severity.choices)
    title = forms.CharField(label=_("标题"), max_length=80)
    text = forms.CharField(
        label=_("审计发现"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("会公开。不要写姓名、电话、证件号和住址"),
    )


class OpinionForm(forms.Form):
    opinion = forms.ChoiceField(label=_("意见"), choices=Opinion.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("意见全文"), widget=forms.Textarea(attrs={"rows": 5}), help_text=_("签署后不能改")
    )


class ExtensionForm(forms.Form):
    until = forms.DateField(
        label=_("延到"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    reason = forms.CharField(label=_("公开的理由"), max_length=300)


class KindForm(forms.Form):
    """The next row of a kind; what its rule doesn't use is not asked."""

    effective_from = forms.DateField(
        label=_("从哪天起"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("最早明天。这一天以前开始的，仍按现在这一行"),
    )  # fmt: skip
    number = forms.IntegerField(label=_("数"), min_value=1, max_value=999)
    due_month = forms.IntegerField(label=_("次年几月"), min_value=1, max_value=12)
    due_day = forms.IntegerField(label=_("几日"), min_value=1, max_value=31)
    audited = forms.BooleanField(label=_("须经审计"), required=False)
    legal_source = forms.CharField(label=_("依据"), max_length=200, help_text=_("法规和条款，会公开"))
    name_zh = forms.CharField(label=_("中文名称"), max_length=60)
    name_en = forms.CharField(label=_("英文名称"), max_length=80)

    def __init__(self, *args: Any, kind: DutyKind, **kwargs: Any) -> None:
        names = ("number", "due_month", "due_day", "audited", "name_zh", "name_en", "legal_source")
        kwargs["initial"] = {name: getattr(kind, name) for name in names}
        super().__init__(*args, **kwargs)
        for name in ("number",) if kind.rule == Rule.YEARLY_BY else ("due_month", "due_day"):
            del self.fields[name]
        if "number" in self.fields:
            self.fields["number"].label = Rule(kind.rule).label

    def given(self) -> KindInput:
        """This will give what was typed, without the day it counts from."""
        return KindInput(
            **{name: value for name, value in self.cleaned_data.items() if name != "effective_from"}
        )


class KindEndForm(forms.Form):
    effective_until = forms.DateField(
        label=_("最后一天"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("之后发生的事不再产生这种报告；已经排出的期限仍然有效"),
    )  # fmt: skip


class AttachmentForm(forms.Form):
    file = forms.FileField(
        label=_("附件"), help_text=_("PDF或照片（JPEG、PNG），每个不超过15MB；会和报告一起公开，并记下哈希")
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("公开的理由"), max_length=300)


class SampleForm(forms.Form):
    item = forms.IntegerField(widget=forms.HiddenInput)
    result = forms.ChoiceField(label=_("结果"), choices=SampleResult.choices)
    note = forms.CharField(label=_("说明"), required=False, max_length=300)
