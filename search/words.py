"""Words for the fixed values of the contract, in the reader's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.money import Money
from apps.core.templatetags.core import short_money
from apps.publication.models.rows import BANDS

FACET_NAMES: dict[str, Promise] = {
    "organization": _("机构"), "fund": _("微基金"), "project": _("项目"), "category": _("用途"), "town": _("镇街"),
    "kind": _("报告类型"), "opinion": _("审计意见"), "band": _("金额"),
}  # fmt: skip
OPINION_WORDS: dict[str, Promise] = {
    "unqualified": _("无保留意见"), "qualified": _("保留意见"), "adverse": _("否定意见"),
    "disclaimer": _("无法表示意见"), "none": _("无需审计"),
}  # fmt: skip
OPINION_TONES = {"unqualified": "ok", "qualified": "warn", "adverse": "bad", "disclaimer": "", "none": "line"}
SORT_WORDS: dict[str, Promise] = {"relevance": _("相关"), "date": _("日期"), "amount": _("金额")}
PERIOD_WORDS: dict[str, Promise] = {
    "month": _("当月"),
    "quarter": _("一个季度"),
    "half_year": _("半年"),
    "year": _("一年"),
}


def band_words(band: int) -> str:
    """This will say an amount band: ¥1,000–¥5,000."""
    low = short_money(Money(BANDS[band]))
    if band + 1 == len(BANDS):
        return f"≥ {low}"
    return f"{low}–{short_money(Money(BANDS[band + 1]))}"


def band_range(band: int) -> tuple[str, str]:
    """This will give a band as the parameters amount_min and amount_max, in yuan."""
    high = f"{(BANDS[band + 1] - 1) / 100:.2f}" if band + 1 < len(BANDS) else ""
    return str(BANDS[band] // 100), high
