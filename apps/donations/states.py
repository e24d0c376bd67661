"""States of a gift.

opened ──> received          (the provider's event or an authenticated fetch says so, G5)
   ├─────> expired ──> received   (money came late: it goes to the micro-fund's general money, F5)
   └─────> failed  ──> received

A refund (G8):

requested ──> approved ──> paid ──> failed   (it came back: posted in reverse)
   ├──> refused    └──> failed               (the provider or the bank could not)
   └──> withdrawn
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


class ImportStatus(models.TextChoices):
    """A list on its way in: asking ──> reading ──> preview ──> recording ──> done; cancelled or failed on the way."""

    ASKING = "asking", _("等您补充")
    READING = "reading", _("正在读")
    PREVIEW = "preview", _("等您确认")
    RECORDING = "recording", _("正在记入")
    DONE = "done", _("已记入")
    CANCELLED = "cancelled", _("已取消")
    FAILED = "failed", _("读不了")


class PaidBy(models.TextChoices):
    BANK = "bank", _("银行转账")
    CASH = "cash", _("现金")


class Known(models.TextChoices):
    """What rows are that an earlier list has as well: a person says it for the set."""

    SKIP = "skip", _("跳过：是同一笔捐赠，不再记")
    ADD = "add", _("加入：是另外的捐赠，照记")


class ReceiptKind(models.TextChoices):
    MONEY = "money", _("货币")
    IN_KIND = "in_kind", _("实物")


class Basis(models.TextChoices):
    """How the value of goods was found; two of the three name their source."""

    INVOICE = "invoice", _("发票")
    MARKET = "market", _("市场价")
    APPRAISAL = "appraisal", _("评估")


class BundleStatus(models.TextChoices):
    """Receipts being put into one file: making ──> done ──> expired; making ──> cancelled."""

    MAKING = "making", _("正在打包")
    DONE = "done", _("可以下载")
    EXPIRED = "expired", _("已删除")
    CANCELLED = "cancelled", _("已取消")


_B = BundleStatus
BUNDLE_FORWARD: Forward = {
    _B.MAKING: frozenset({_B.DONE, _B.CANCELLED}),
    _B.DONE: frozenset({_B.EXPIRED}),
}


class LateReason(models.TextChoices):
    EXPIRED = "expired", _("付款已过期")
    NOT_RAISING = "not_raising", _("项目已不在募捐")


class RefundStatus(models.TextChoices):
    REQUESTED = "requested", _("等待批准")
    APPROVED = "approved", _("已批准，办理中")
    PAID = "paid", _("已退款")
    FAILED = "failed", _("未退成")
    REFUSED = "refused", _("未批准")
    WITHDRAWN = "withdrawn", _("已撤回")


class RefundSource(models.TextChoices):
    DONOR = "donor", _("捐赠人申请")
    STAFF = "staff", _("本会发起")
    PROVIDER = "provider", _("在支付渠道后台发起")


class RefundWay(models.TextChoices):
    PROVIDER = "provider", _("原路退回")
    BANK = "bank", _("银行转账")


_R = RefundStatus
REFUND_FORWARD: Forward = {
    _R.REQUESTED: frozenset({_R.APPROVED, _R.REFUSED, _R.WITHDRAWN}),
    _R.APPROVED: frozenset({_R.PAID, _R.FAILED}),
    _R.PAID: frozenset({_R.FAILED}),
}
REFUND_LIVE = frozenset({_R.REQUESTED, _R.APPROVED, _R.PAID})

_G = GiftStatus
FORWARD: Forward = {
    _G.OPENED: frozenset({_G.RECEIVED, _G.EXPIRED, _G.FAILED}),
    _G.EXPIRED: frozenset({_G.RECEIVED}),
    _G.FAILED: frozenset({_G.RECEIVED}),
}

_I = ImportStatus
IMPORT_FORWARD: Forward = {
    _I.ASKING: frozenset({_I.READING, _I.CANCELLED}),
    _I.READING: frozenset({_I.PREVIEW, _I.ASKING, _I.FAILED, _I.CANCELLED}),
    _I.PREVIEW: frozenset({_I.READING, _I.ASKING, _I.RECORDING, _I.CANCELLED}),
    _I.RECORDING: frozenset({_I.DONE, _I.PREVIEW, _I.READING, _I.CANCELLED}),
    _I.FAILED: frozenset({_I.CANCELLED}),
}
IN_WORK = frozenset({_I.READING, _I.RECORDING})


class MonthlyStatus(models.TextChoices):
    """A monthly gift follows its standing order (apps.payments.states): opened -> active <-> past_due, paused ->
    ended; opened -> failed when its page was left."""

    OPENED = "opened", _("等待办理")
    ACTIVE = "active", _("每月捐赠中")
    PAST_DUE = "past_due", _("上次扣款未成功")
    PAUSED = "paused", _("已暂停")
    ENDED = "ended", _("已停止")
    FAILED = "failed", _("未办成")


_M = MonthlyStatus
_GIVING = frozenset({_M.ACTIVE, _M.PAST_DUE, _M.PAUSED, _M.ENDED})
MONTHLY_FORWARD: Forward = {
    _M.OPENED: _GIVING | {_M.FAILED},
    _M.FAILED: _GIVING,
    _M.ACTIVE: _GIVING - {_M.ACTIVE},
    _M.PAST_DUE: _GIVING - {_M.PAST_DUE},
    _M.PAUSED: _GIVING - {_M.PAUSED},
}


class Limit(models.TextChoices):
    """What stopped an attempt to give (operations/limiting.py)."""

    ADDRESS = "address", _("同一网络未付的太多")
    DEVICE = "device", _("同一设备未付的太多")
    SESSION = "session", _("同一登录未付的太多")
    PROJECT = "project", _("项目未付的太多")
    HELD = "held", _("同一网络占住目标")
    DECLINES = "declines", _("项目大多付不成，暂停")
    SITE = "site", _("全站大多付不成，暂停")
