"""Kinds and states of the ledger.

reservation:  open ──> consumed        (payment or refund went out)
                └────> void            (rejected, refund failed)
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

FEDERATION_BOOK = "federation"
"""The code of the one book that all gifts enter (F1)."""


class Nature(models.TextChoices):
    ASSET = "asset", _("资产")
    LIABILITY = "liability", _("负债")
    NET_ASSET = "net_asset", _("净资产")
    INCOME = "income", _("收入")
    EXPENSE = "expense", _("费用")


EARMARKED_NATURES = frozenset({Nature.NET_ASSET, Nature.INCOME, Nature.EXPENSE})
"""Only these lines bear an earmark, so that an earmark's balance is minus the sum of its lines."""


class AccountRole(models.TextChoices):
    """What an account is for; the official code of each role is data with dates (AccountCode)."""

    CASH = "cash", _("库存现金")
    BANK = "bank", _("银行存款")
    CLEARING = "clearing", _("支付机构往来")
    RECEIVABLE = "receivable", _("应收本会款")
    INVENTORY = "inventory", _("存货")
    NET_ASSETS = "net_assets", _("限定性净资产")
    GIFT_INCOME = "gift_income", _("捐赠收入")
    GIFT_IN_KIND = "gift_in_kind", _("捐赠收入（实物）")
    OTHER_INCOME = "other_income", _("其他收入")
    PROGRAMME = "programme", _("业务活动成本")
    MANAGEMENT = "management", _("管理费用")
    FUNDRAISING = "fundraising", _("筹资费用")


NATURE_OF = {
    AccountRole.CASH: Nature.ASSET,
    AccountRole.BANK: Nature.ASSET,
    AccountRole.CLEARING: Nature.ASSET,
    AccountRole.RECEIVABLE: Nature.ASSET,
    AccountRole.INVENTORY: Nature.ASSET,
    AccountRole.NET_ASSETS: Nature.NET_ASSET,
    AccountRole.GIFT_INCOME: Nature.INCOME,
    AccountRole.GIFT_IN_KIND: Nature.INCOME,
    AccountRole.OTHER_INCOME: Nature.INCOME,
    AccountRole.PROGRAMME: Nature.EXPENSE,
    AccountRole.MANAGEMENT: Nature.EXPENSE,
    AccountRole.FUNDRAISING: Nature.EXPENSE,
}


class EarmarkKind(models.TextChoices):
    GENERAL = "general", _("微基金一般资金")
    PROJECT = "project", _("项目资金")
    WISH = "wish", _("微心愿资金")
    OPERATIONS = "operations", _("本会运营资金")
    RESERVE = "reserve", _("拒付准备金")
    GOODS = "goods", _("实物价值")


class EntryKind(models.TextChoices):
    GIFT = "gift", _("捐赠")
    INCOME = "income", _("其他收入")
    FEE = "fee", _("支付手续费")
    PAYOUT = "payout", _("结算到银行")
    REFUND = "refund", _("退款")
    DISPUTE = "dispute", _("拒付")
    PAYMENT = "payment", _("付款")
    TRANSFER = "transfer", _("调拨")
    REVERSAL = "reversal", _("冲正")
    GOODS = "goods", _("实物")
    GIVE_BACK = "giveback", _("部分追回")


class AllocationKind(models.TextChoices):
    SPENT = "spent", _("使用")
    FEE = "fee", _("手续费")
    REFUND = "refund", _("退款")
    DISPUTE = "dispute", _("拒付")
    MOVED = "moved", _("调拨转出")


class ReservationKind(models.TextChoices):
    SPENDING = "spending", _("付款占用")
    REFUND = "refund", _("退款占用")


class ReservationStatus(models.TextChoices):
    OPEN = "open", _("占用中")
    CONSUMED = "consumed", _("已用")
    VOID = "void", _("已释放")
