"""Columns of what donations takes in and gives away, as import-export Resources."""

from __future__ import annotations

from typing import Any

from import_export import fields, resources
from import_export.widgets import Widget

from apps.core.clock import civil_day
from apps.core.money import Money
from apps.core.tables.exporting import resource_rows
from apps.donations.models import Gift, GiftImport, ReceiptRange


class MoneyWidget(Widget):  # type: ignore[misc]
    """Minor units as the decimal of their currency."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        return Money.parse(str(value)).minor

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None or obj is None else str(Money(int(value), obj.currency).major)


class DayWidget(Widget):  # type: ignore[misc]
    """A moment as its civil day."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else civil_day(value).isoformat()


class OfflineGiftResource(resources.ModelResource):  # type: ignore[misc]
    """The columns of a list of offline gifts: what a template offers, and what the importer looks for."""

    received_at = fields.Field("received_at", "捐赠日期", DayWidget())
    payer = fields.Field("payer", "捐赠人")
    amount = fields.Field("amount", "捐赠金额（元）", MoneyWidget())
    note = fields.Field("note", "备注")
    bank_reference = fields.Field("bank_reference", "流水号")

    class Meta:
        model = Gift
        fields = export_order = ("received_at", "payer", "amount", "note", "bank_reference")


class GiftImportResource(resources.ModelResource):  # type: ignore[misc]
    """Lists that were brought, and what became of them."""

    started_at = fields.Field("started_at", "导入日期", DayWidget())
    source = fields.Field("source", "来源")
    file_name = fields.Field("file_name", "文件")
    target = fields.Field(column_name="项目或微基金")
    status = fields.Field("get_status_display", "状态")
    gifts = fields.Field("gifts", "笔数")
    total = fields.Field("total", "合计", MoneyWidget())
    known = fields.Field("known", "已有")
    faults = fields.Field("faults", "要改")
    started_by_label = fields.Field("started_by_label", "谁导入")
    sha256 = fields.Field("sha256", "SHA-256")

    class Meta:
        model = GiftImport
        fields = export_order = (
            "started_at",
            "source",
            "file_name",
            "target",
            "status",
            "gifts",
            "total",
            "known",
            "faults",
            "started_by_label",
            "sha256",
        )

    def dehydrate_target(self, record: GiftImport) -> str:
        return str(record.project or record.fund)


class ReceiptRangeResource(resources.ModelResource):  # type: ignore[misc]
    """Ranges of receipt numbers that the finance bureau assigned."""

    code = fields.Field("code", "票据代码")
    first = fields.Field("first", "起号")
    last = fields.Field("last", "止号")
    next = fields.Field("next", "下一号")
    is_demonstration = fields.Field("is_demonstration", "示范")

    class Meta:
        model = ReceiptRange
        fields = export_order = ("code", "first", "last", "next", "is_demonstration")


def template_rows() -> list[list[Any]]:
    """This will give an empty list of gifts to fill in: the header of the columns."""
    return list(resource_rows(OfflineGiftResource(), Gift.objects.none()))
