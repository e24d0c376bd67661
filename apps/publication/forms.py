from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class OverrideForm(forms.Form):
    """A text to look at, or to ask a second person about."""

    text = forms.CharField(
        label=_("要公布的文字"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=_("为什么可以公布"), max_length=300, required=False, help_text=_("只核对不申请的话不用填")
    )
