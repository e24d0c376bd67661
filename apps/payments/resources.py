"""Columns of what reconciliation gives away, as import-export Resources."""

from __future__ import annotations

from typing import Any

from import_export import fields, resources

from apps.core.money import Money
from apps.payments.models import Difference


class DifferenceResource(resources.ModelResource):  # type: ignore[misc]
    """Differences between bank or provider and ledger."""

    day = fields.Field("day", "日期")
    side = fields.Field("get_side_display", "哪一边")
    kind = fields.Field("get_kind_display", "差异")
    theirs = fields.Field(column_name="对方金额")
    ours = fields.Field(column_name="我们金额")
    currency = fields.Field("currency", "币种")
    about = fields.Field(column_name="说明")

    class Meta:
        model = Difference
        fields = export_order = ("day", "side", "kind", "theirs", "ours", "currency", "about")

    def dehydrate_theirs(self, record: Difference) -> str:
        return _money(record.theirs, record.currency)

    def dehydrate_ours(self, record: Difference) -> str:
        return _money(record.ours, record.currency)

    def dehydrate_about(self, record: Difference) -> str:
        return record.about


def _money(minor: Any, currency: str) -> str:
    return "" if minor is None else str(Money(int(minor), currency).major)
