"""Form fields that every room reads alike."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.core.errors import DomainError
from apps.core.money import Money


class AmountField(forms.CharField):
    """An amount as people type it, read as Money of the field's currency."""

    def __init__(self, *, currency: str = "CNY", **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(max_length=24, **kwargs)
        self.currency = currency

    def clean(self, value: Any) -> Any:
        """This will give the Money, or None where the field may stay empty and does."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return Money.parse(text, self.currency)
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from error


def in_currency(form: forms.Form, name: str, currency: str) -> None:
    """This will set the currency that an amount of a form is read in."""
    field = form.fields[name]
    assert isinstance(field, AmountField)
    field.currency = currency
