from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.casework.models import (
    Assessment,
    AssessmentForm,
    Attachment,
    Consent,
    Household,
    IncomeTier,
    Member,
    PrivateField,
    Purpose,
    RegistryList,
    Relation,
    Schooling,
)
from apps.casework.operations import Ground
from apps.casework.registry_files import Layout
from apps.core.tables.faults import letter
from apps.places.models import Town

REASONS = (_("核实申请"), _("入户走访"), _("核对证件"), _("联系家庭"), _("审核材料"), _("家庭要求查阅或更正"))
DATE = forms.DateInput(attrs={"type": "date"})
CLOSED = {"autocomplete": "off"}


class HouseholdForm(forms.Form):
    """A family's file. Everything marked private is sealed the moment it is saved."""

    town = forms.ModelChoiceField(Town.objects.none(), label=_("镇街"), to_field_name="code")
    income_tier = forms.ChoiceField(label=_("收入类别"), choices=IncomeTier.choices)
    people = forms.IntegerField(label=_("家庭人数"), min_value=1, max_value=30, initial=1)
    name = forms.CharField(label=PrivateField.NAME.label, max_length=40)
    id_number = forms.CharField(label=PrivateField.ID_NUMBER.label, max_length=24)
    phone = forms.CharField(label=PrivateField.PHONE.label, max_length=20)
    address = forms.CharField(label=PrivateField.ADDRESS.label, max_length=160)
    bank_name = forms.CharField(label=PrivateField.BANK_NAME.label, max_length=80)
    bank_account = forms.CharField(label=PrivateField.BANK_ACCOUNT.label, max_length=40)
    schooling = forms.ChoiceField(
        label=_("户主就学阶段"), choices=Schooling.choices, initial=Schooling.NONE, required=False
    )
    has_disability = forms.BooleanField(label=_("户主有残疾证"), required=False)
    consent_by = forms.ChoiceField(
        label=_("谁同意建档"), required=False, initial=Consent.GivenBy.SELF,
        choices=[
            (Consent.GivenBy.SELF.value, _("户主本人")),
            (Consent.GivenBy.OFFICE.value, Consent.GivenBy.OFFICE.label),
        ],
        help_text=_("户主不满14周岁时，由担任监护人的居（村）委会或民政部门同意"),
    )  # fmt: skip
    consent = forms.BooleanField(
        label=_("家庭已签署同意书，知道这些资料只用于救助"),
        error_messages={"required": _("没有同意书不能建档。")},
    )

    def __init__(self, *args: Any, towns: set[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["town"].queryset = Town.objects.filter(pk__in=towns)  # type: ignore[attr-defined]
        for name in PrivateField.values:
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def private(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in PrivateField.values}


class OpenForm(forms.Form):
    """What to open, and why. Common reasons are offered, others can be typed."""

    what = forms.ChoiceField(label=_("打开什么"))
    reason = forms.CharField(
        label=_("为什么要看"), max_length=200, help_text=_("会和您的名字一起留下记录，不能删除"),
        widget=forms.TextInput(attrs={"list": "reasons", **CLOSED}),
    )  # fmt: skip

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[tuple[str, Any]] = [("file", _("户主姓名、证件、电话、住址、账户"))]
        members = list(household.members.exclude(relation=Relation.HEAD).order_by("id"))
        choices += [(f"member:{one.pk}", member_label(one)) for one in members]
        visits: Iterable[Assessment] = household.assessments.filter(answers__isnull=False).order_by("-id")
        choices += [(f"visit:{one.pk}", f"{_('入户评估')} {one.visited_on:%Y-%m-%d}") for one in visits]
        kept = household.attachments.filter(erased_at__isnull=True).order_by("-id")
        choices += [
            (f"attachment:{one.public_id}", f"{one.get_kind_display()} {one.public_id[:6]}") for one in kept
        ]
        self.fields["what"].choices = choices  # type: ignore[attr-defined]


class BankForm(forms.Form):
    bank_name = forms.CharField(label=PrivateField.BANK_NAME.label, max_length=80)
    bank_account = forms.CharField(
        label=PrivateField.BANK_ACCOUNT.label, max_length=40, widget=forms.TextInput(attrs=CLOSED)
    )


class FindForm(forms.Form):
    """A whole number to look for; sent in the body, so that it stands in no address and no log."""

    kind = forms.ChoiceField(
        label=_("按什么找"),
        choices=[(one, PrivateField(one).label) for one in ("id_number", "phone", "bank_account")],
    )  # fmt: skip
    value = forms.CharField(label=_("完整的号码"), max_length=40, widget=forms.TextInput(attrs=CLOSED))


class MemberForm(forms.Form):
    relation = forms.ChoiceField(
        label=_("与户主的关系"), choices=[one for one in Relation.choices if one[0] != Relation.HEAD]
    )
    name = forms.CharField(label=_("姓名"), max_length=40, widget=forms.TextInput(attrs=CLOSED))
    id_number = forms.CharField(
        label=_("身份证号"), max_length=24, required=False, widget=forms.TextInput(attrs=CLOSED),
        help_text=_("还没有证件的孩子可以不填，改填出生日期"),
    )  # fmt: skip
    birth_date = forms.DateField(label=_("出生日期"), required=False, widget=DATE)
    sex = forms.ChoiceField(
        label=_("性别"), required=False, choices=[("", _("不填")), ("m", _("男")), ("f", _("女"))],
        help_text=_("只用来和证件核对，不保存"),
    )  # fmt: skip
    schooling = forms.ChoiceField(label=_("就学阶段"), choices=Schooling.choices)
    has_disability = forms.BooleanField(label=_("有残疾证"), required=False)


class MemberChangeForm(forms.Form):
    """What may change of a member; names, numbers and dates don't."""

    schooling = forms.ChoiceField(label=_("就学阶段"), choices=Schooling.choices)
    has_disability = forms.BooleanField(
        label=_("有残疾证"), required=False, help_text=_("按看到的证件填。改动会留下记录：谁、什么时候改的")
    )


class VisitForm(forms.Form):
    """The questions of the form in force; the keys of the answers are what is sealed."""

    visited_on = forms.DateField(label=_("入户日期"), widget=DATE)

    def __init__(self, *args: Any, asked: AssessmentForm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = "en" if (get_language() or "").startswith("en") else "zh"
        self.keys = []
        for question in asked.questions:
            self.keys.append(question["key"])
            self.fields[f"q_{question['key']}"] = forms.ChoiceField(
                label=question[language],
                choices=[("", _("请选择")), *((one["key"], one[language]) for one in question["answers"])],
            )

    def answers(self) -> dict[str, str]:
        return {key: self.cleaned_data[f"q_{key}"] for key in self.keys}


class TierForm(forms.Form):
    tier = forms.ChoiceField(label=_("收入类别"), choices=IncomeTier.choices)
    valid_from = forms.DateField(label=_("从哪天起"), widget=DATE)
    valid_until = forms.DateField(
        label=_("到哪天止"), required=False, widget=DATE, help_text=_("没有写明就不填")
    )
    attachment = forms.ModelChoiceField(
        Attachment.objects.none(), label=_("证明材料"), required=False, to_field_name="public_id",
        help_text=_("先在附件里上传，再在这里选"),
    )  # fmt: skip

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_attachments(self.fields["attachment"], household)


class ConsentForm(forms.Form):
    member = forms.ModelChoiceField(Member.objects.none(), label=_("关于谁"))
    purpose = forms.ChoiceField(label=_("同意什么"), choices=Purpose.choices)
    given_by = forms.ChoiceField(
        label=_("谁同意的"), choices=Consent.GivenBy.choices, help_text=_("不满14周岁要由监护人同意")
    )
    guardian = forms.ModelChoiceField(Member.objects.none(), label=_("监护人"), required=False)
    attachment = forms.ModelChoiceField(
        Attachment.objects.none(), label=_("签字的同意书"), required=False, to_field_name="public_id"
    )

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("member", "guardian"):
            field: Any = self.fields[name]
            field.queryset = household.members.filter(left_at__isnull=True).order_by("id")
            field.label_from_instance = member_label
        _offer_attachments(self.fields["attachment"], household)


class AttachmentForm(forms.Form):
    kind = forms.ChoiceField(label=_("是什么材料"), choices=Attachment.Kind.choices)
    member = forms.ModelChoiceField(Member.objects.none(), label=_("关于哪位成员"), required=False)
    file = forms.FileField(
        label=_("文件"), help_text=_("PDF、JPEG、PNG或WebP，最多12 MB。照片里的位置信息会自动去掉"),
        widget=forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png,.webp"}),
    )  # fmt: skip

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["member"]
        field.queryset = household.members.filter(left_at__isnull=True).order_by("id")
        field.label_from_instance = member_label


class ErasureForm(forms.Form):
    ground = forms.ChoiceField(label=_("为什么销毁"), choices=Ground.choices)


class RegistryForm(forms.Form):
    kind = forms.ChoiceField(label=_("名单种类"), choices=RegistryList.Kind.choices)
    source = forms.CharField(label=_("哪个部门的名单"), max_length=120)
    as_of = forms.DateField(label=_("名单日期"), widget=DATE)
    file = forms.FileField(
        label=_("名单文件"), help_text=_("CSV、XLSX或XLS，最多20 MB"),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.xls,.txt"}),
    )  # fmt: skip


class LayoutForm(forms.Form):
    header_row = forms.IntegerField(
        label=_("表头在第几行"), min_value=0, max_value=60, help_text=_("没有表头填0")
    )
    id_number = forms.TypedChoiceField(label=_("身份证号在哪一列"), coerce=int)
    valid_from = forms.TypedChoiceField(label=_("开始日期在哪一列"), coerce=int, initial=-1)
    valid_until = forms.TypedChoiceField(label=_("结束日期在哪一列"), coerce=int, initial=-1)

    def __init__(self, *args: Any, titles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        width = max(len(titles), 12)
        places = [
            (n, f"{letter(n)} {titles[n] if n < len(titles) else ''}".strip()) for n in range(min(width, 60))
        ]
        for name in ("id_number", "valid_from", "valid_until"):
            field: Any = self.fields[name]
            field.choices = places if name == "id_number" else [(-1, _("没有")), *places]

    def layout(self) -> Layout:
        return Layout(**self.cleaned_data)


def member_label(member: Member) -> str:
    """This will name a member in lists without a name: relation and a number of the file."""
    return f"{member.get_relation_display()} {member.pk}"


def _offer_attachments(field: Any, household: Household) -> None:
    field.queryset = household.attachments.filter(erased_at__isnull=True).order_by("-id")
    field.label_from_instance = lambda one: f"{one.get_kind_display()} {one.public_id[:6]}"
