"""States of a wish, and of a claim on one of its units (W2, W3).

draft ──> town_review ──> city_review ──> open <──> claimed ──> in_progress ──> delivered ──> fulfilled
  ^ ^          └──────┬────────┘           │ │         │              │
  │ └── rejected <────┘                    │ └─────────┴──────────────┘   (a claim ended: open again)
  └──── expired <──────────────────────────┘        withdrawn: from any state before goods are under way
                                                      (in_progress: hidden, and what was under way came to nothing)

A wish stands as far as its least advanced unit; `open` while any unit is free.

claim by money:  held ──> secured ──> ordered ──> arrived ──> handed ──> confirmed
claim by goods:  promised ─────────────────────────^
ended:           expired (by the clock) | cancelled (by the donor) | swapped (a like wish is met) | withdrawn
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class WishStatus(models.TextChoices):
    DRAFT = "draft", _("草稿")
    TOWN_REVIEW = "town_review", _("镇街审核中")
    CITY_REVIEW = "city_review", _("市级审核中")
    OPEN = "open", _("等人认领")
    CLAIMED = "claimed", _("已认领")
    IN_PROGRESS = "in_progress", _("采购和配送中")
    DELIVERED = "delivered", _("已交到家")
    FULFILLED = "fulfilled", _("家人已确认")
    REJECTED = "rejected", _("退回修改")
    WITHDRAWN = "withdrawn", _("已撤回")
    EXPIRED = "expired", _("已过期")


_S = WishStatus
FORWARD: Forward = {
    _S.DRAFT: frozenset({_S.TOWN_REVIEW, _S.WITHDRAWN}),
    _S.TOWN_REVIEW: frozenset({_S.CITY_REVIEW, _S.REJECTED, _S.WITHDRAWN}),
    _S.CITY_REVIEW: frozenset({_S.OPEN, _S.REJECTED, _S.WITHDRAWN}),
    _S.REJECTED: frozenset({_S.DRAFT, _S.WITHDRAWN}),
    _S.OPEN: frozenset(
        {_S.CLAIMED, _S.IN_PROGRESS, _S.DELIVERED, _S.FULFILLED, _S.DRAFT, _S.WITHDRAWN, _S.EXPIRED}
    ),
    _S.CLAIMED: frozenset({_S.OPEN, _S.IN_PROGRESS, _S.DELIVERED, _S.FULFILLED, _S.WITHDRAWN}),
    _S.IN_PROGRESS: frozenset({_S.OPEN, _S.CLAIMED, _S.DELIVERED, _S.FULFILLED, _S.WITHDRAWN}),
    _S.DELIVERED: frozenset({_S.IN_PROGRESS, _S.FULFILLED}),
    _S.EXPIRED: frozenset({_S.DRAFT}),
}
IN_REVIEW = (_S.TOWN_REVIEW, _S.CITY_REVIEW)
PUBLIC = (_S.OPEN, _S.CLAIMED, _S.IN_PROGRESS, _S.DELIVERED, _S.FULFILLED)
WITH_CLAIMS = PUBLIC
"""The states in which a claim may live."""


class ClaimStatus(models.TextChoices):
    HELD = "held", _("等付款")
    PROMISED = "promised", _("等实物送到")
    SECURED = "secured", _("款已到，等采购")
    ORDERED = "ordered", _("采购中")
    ARRIVED = "arrived", _("物品已收到")
    HANDED = "handed", _("社工已交到家")
    CONFIRMED = "confirmed", _("家人已确认")
    EXPIRED = "expired", _("到期放回")
    CANCELLED = "cancelled", _("捐赠人取消")
    SWAPPED = "swapped", _("换成同类心愿")
    WITHDRAWN = "withdrawn", _("心愿撤回")


_C = ClaimStatus
ENDED = (_C.EXPIRED, _C.CANCELLED, _C.SWAPPED, _C.WITHDRAWN)
_FREED = frozenset(ENDED)
CLAIM_FORWARD: Forward = {
    _C.HELD: _FREED | {_C.SECURED},
    _C.PROMISED: _FREED | {_C.ARRIVED},
    _C.SECURED: _FREED | {_C.ORDERED},
    _C.ORDERED: frozenset({_C.ARRIVED, _C.SECURED, _C.SWAPPED}),
    _C.ARRIVED: frozenset({_C.HANDED}),
    _C.HANDED: frozenset({_C.CONFIRMED}),
}
WAITING = (_C.HELD, _C.PROMISED, _C.SECURED)
"""A claim that may still end without anything bought or brought."""

UNDER_WAY = (_C.ORDERED, _C.ARRIVED)


class Way(models.TextChoices):
    MONEY = "money", _("出钱")
    GOODS = "goods", _("送实物")


class BringTo(models.TextChoices):
    WAREHOUSE = "warehouse", _("送到仓库")
    CASEWORKER = "caseworker", _("直接交给社工")


class Category(models.TextChoices):
    LEARNING = "learning", _("学习用品")
    MOBILITY = "mobility", _("助行与康复")
    APPLIANCE = "appliance", _("家电家具")
    CLOTHING = "clothing", _("衣被鞋帽")
    FOOD = "food", _("营养食品")
    DAILY = "daily", _("日用品")
    OTHER = "other", _("其他")


class AgeBand(models.TextChoices):
    """Never a birth date or an exact age (C4)."""

    UNDER_7 = "0-6", _("6岁以下")
    UNDER_10 = "7-9", _("7–9岁")
    UNDER_13 = "10-12", _("10–12岁")
    UNDER_16 = "13-15", _("13–15岁")
    UNDER_19 = "16-18", _("16–18岁")
    UNDER_35 = "19-34", _("19–34岁")
    UNDER_60 = "35-59", _("35–59岁")
    SENIOR = "60+", _("60岁以上")


MINORS = (AgeBand.UNDER_7, AgeBand.UNDER_10, AgeBand.UNDER_13, AgeBand.UNDER_16, AgeBand.UNDER_19)
BELOW_14 = (AgeBand.UNDER_7, AgeBand.UNDER_10, AgeBand.UNDER_13, AgeBand.UNDER_16)
"""Bands in which somebody may be below 14: only a guardian consents."""


class ConsentBy(models.TextChoices):
    SELF = "self", _("本人")
    GUARDIAN = "guardian", _("监护人")


class Urgency(models.IntegerChoices):
    USUAL = 0, _("不急")
    SOON = 1, _("一个月内")
    URGENT = 2, _("很急")


class PurchaseStatus(models.TextChoices):
    """ordered ──> arrived;  ordered ──> cancelled (the claims wait again)."""

    ORDERED = "ordered", _("已下单")
    ARRIVED = "arrived", _("已到货")
    CANCELLED = "cancelled", _("已取消")


_P = PurchaseStatus
PURCHASE_FORWARD: Forward = {_P.ORDERED: frozenset({_P.ARRIVED, _P.CANCELLED})}


class ConfirmedHow(models.TextChoices):
    CODE = "code", _("验证码")
    SLIP = "slip", _("签收单")


class ErrandStatus(models.TextChoices):
    """planned ──> recorded ──> confirmed;  recorded ──> planned (hours given back);  planned ──> cancelled."""

    PLANNED = "planned", _("待送")
    RECORDED = "recorded", _("等确认时长")
    CONFIRMED = "confirmed", _("时长已确认")
    CANCELLED = "cancelled", _("已取消")


_R = ErrandStatus
ERRAND_FORWARD: Forward = {
    _R.PLANNED: frozenset({_R.RECORDED, _R.CANCELLED}),
    _R.RECORDED: frozenset({_R.CONFIRMED, _R.PLANNED}),
}
