"""States of a gift.

opened ──> received          (the provider's event or an authenticated fetch says so, G5)
   ├─────> expired ──> received   (money came late: it goes to the micro-fund's general money, F5)
   └─────> failed  ──> received
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class GiftStatus(models.TextChoices):
    OPENED = "opened", _("等待付款")
    RECEIVED = "received", _("已到账")
    EXPIRED = "expired", _("已过期")
    FAILED = "failed", _("未成功")


class ShownAs(models.TextChoices):
    ANONYMOUS = "anonymous", _("匿名")
    ALIAS = "alias", _("化名")
    NAME = "name", _("真实姓名")


class Source(models.TextChoices):
    ONLINE = "online", _("网上")
    OFFLINE = "offline", _("线下")


class LateReason(models.TextChoices):
    EXPIRED = "expired", _("付款已过期")
    NOT_RAISING = "not_raising", _("项目已不在募捐")


_G = GiftStatus
FORWARD: Forward = {
    _G.OPENED: frozenset({_G.RECEIVED, _G.EXPIRED, _G.FAILED}),
    _G.EXPIRED: frozenset({_G.RECEIVED}),
    _G.FAILED: frozenset({_G.RECEIVED}),
}
