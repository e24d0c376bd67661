"""How quantities are written on pages."""

from __future__ import annotations

from decimal import Decimal

from django import template

register = template.Library()


@register.filter
def qty(value: Decimal | int | None) -> str:
    """This will write a quantity with thousands and without idle zeros: 1,200 or 2.5; the minus as U+2212."""
    if value is None:
        return ""
    plain = f"{Decimal(value):,f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return plain.replace("-", "\u2212") or "0"
