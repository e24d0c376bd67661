"""How hours of volunteers are written."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def hours(minutes: int | None) -> str:
    """This will write minutes as hours with at most two places: 90 as 1.5, nothing for nothing."""
    if minutes is None:
        return "0"
    said = (Decimal(minutes) / 60).quantize(Decimal("0.01")).normalize()
    return number_format(f"{said:f}")
