from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class ExportStatus(models.TextChoices):
    """A file of matches being made: making ──> done ──> expired; making ──> cancelled, failed."""

    MAKING = "making", _("正在生成")
    DONE = "done", _("可以下载")
    EXPIRED = "expired", _("已删除")
    CANCELLED = "cancelled", _("已取消")
    FAILED = "failed", _("没有做成")


_S = ExportStatus
EXPORT_FORWARD: Forward = {
    _S.MAKING: frozenset({_S.DONE, _S.CANCELLED, _S.FAILED}),
    _S.DONE: frozenset({_S.EXPIRED}),
}
