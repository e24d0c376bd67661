from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.casework.models import IncomeTier, PrivateField
from apps.places.models import Town


class HouseholdForm(forms.Form):
    """A family's file. Everything marked private is sealed the moment it is saved."""

    town = forms.ModelChoiceField(Town.objects.none(), label=_("镇街"), to_field_name="code")
    income_tier = forms.ChoiceField(label=_("收入类别"), choices=IncomeTier.choices)
    people = forms.IntegerField(label=_("家庭人数"), min_value=1, max_value=30, initial=1)
    name = forms.CharField(label=PrivateField.NAME.label, max_length=40)
    id_number = forms.CharField(label=PrivateField.ID_NUMBER.label, max_length=18)
    phone = forms.CharField(label=PrivateField.PHONE.label, max_length=20)
    address = forms.CharField(label=PrivateField.ADDRESS.label, max_length=160)
    bank_name = forms.CharField(label=PrivateField.BANK_NAME.label, max_length=80)
    bank_account = forms.CharField(label=PrivateField.BANK_ACCOUNT.label, max_length=40)
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


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("为什么要看"), max_length=200, help_text=_("会和您的名字一起留下记录，不能删除")
    )


class BankForm(forms.Form):
    bank_name = forms.CharField(label=PrivateField.BANK_NAME.label, max_length=80)
    bank_account = forms.CharField(label=PrivateField.BANK_ACCOUNT.label, max_length=40)
