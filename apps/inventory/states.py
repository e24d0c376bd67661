"""States of goods (I1).

A lot's quantity moves between locations; every movement's kind says from where to where:

donor ──receive──> intake ──pass──> shelf ──send──> transit ──deliver──> recipient
                      └──fail──> quarantine          ├──bring_back──> shelf   └──take_back──> shelf
                                                     └──arrive──> shelf of another warehouse
shelf | quarantine | intake ──give_back──> returned (to the giver);  shelf ──sell──> sold
shelf | quarantine | transit ──write_off──> written_off;  shelf ──short──> written_off;  found ──over──> shelf
shelf ──convert_out──> converted;  made ──convert_in──> shelf

dispatch:  picking ──> on_road ──> closed           removal, count:  asked ──> done | refused
              └──> cancelled
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class Category(models.TextChoices):
    MEDICAL = "medical", _("医疗防护")
    FOOD = "food", _("粮油食品")
    CLOTHING = "clothing", _("衣被鞋帽")
    DAILY = "daily", _("日用品")
    EDUCATION = "education", _("学习用品")
    APPLIANCE = "appliance", _("家电家具")
    AID = "aid", _("辅助器具")
    OTHER = "other", _("其他")


class Place(models.TextChoices):
    """What a location is."""

    DONOR = "donor", _("捐赠人")
    MADE = "made", _("组装或换算")
    FOUND = "found", _("盘盈")
    INTAKE = "intake", _("待检区")
    SHELF = "shelf", _("库位")
    QUARANTINE = "quarantine", _("不合格区")
    TRANSIT = "transit", _("在途")
    RECIPIENT = "recipient", _("受助方")
    RETURNED = "returned", _("已退还")
    SOLD = "sold", _("已变卖")
    WRITTEN_OFF = "written_off", _("已核销")
    CONVERTED = "converted", _("已转成别的批次")


SOURCES = (Place.DONOR, Place.MADE, Place.FOUND)
"""Where goods come from: nothing is kept there, so nothing can be below zero there."""

IN_STOCK = (Place.INTAKE, Place.SHELF, Place.QUARANTINE)
BUCKET = {
    Place.DONOR: "received", Place.MADE: "made", Place.FOUND: "found", Place.INTAKE: "in_stock",
    Place.SHELF: "in_stock", Place.QUARANTINE: "in_stock", Place.TRANSIT: "in_transit",
    Place.RECIPIENT: "delivered", Place.RETURNED: "returned", Place.SOLD: "sold",
    Place.WRITTEN_OFF: "written_off", Place.CONVERTED: "converted",
}  # fmt: skip
"""Which column of a lot's sum (I2) each location counts in."""

COMING = ("received", "made", "found")
STANDING = ("in_stock", "in_transit", "delivered", "returned", "sold", "written_off", "converted")


class Kind(models.TextChoices):
    RECEIVE = "receive", _("收到")
    PASS = "pass", _("检验合格入库")
    FAIL = "fail", _("检验不合格")
    STORE = "store", _("移库")
    SEND = "send", _("出库上路")
    BRING_BACK = "bring_back", _("未发出，带回")
    ARRIVE = "arrive", _("到达另一仓库")
    DELIVER = "deliver", _("交到受助方")
    TAKE_BACK = "take_back", _("受助方退回")
    GIVE_BACK = "give_back", _("退还捐赠人")
    SELL = "sell", _("变卖")
    WRITE_OFF = "write_off", _("核销")
    SHORT = "short", _("盘亏")
    OVER = "over", _("盘盈")
    CONVERT_OUT = "convert_out", _("转成别的批次")
    CONVERT_IN = "convert_in", _("由别的批次转来")


_P = Place
WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Kind.RECEIVE: ((_P.DONOR,), (_P.INTAKE,)),
    Kind.PASS: ((_P.INTAKE,), (_P.SHELF,)),
    Kind.FAIL: ((_P.INTAKE,), (_P.QUARANTINE,)),
    Kind.STORE: ((_P.SHELF,), (_P.SHELF,)),
    Kind.SEND: ((_P.SHELF,), (_P.TRANSIT,)),
    Kind.BRING_BACK: ((_P.TRANSIT,), (_P.SHELF,)),
    Kind.ARRIVE: ((_P.TRANSIT,), (_P.SHELF,)),
    Kind.DELIVER: ((_P.TRANSIT,), (_P.RECIPIENT,)),
    Kind.TAKE_BACK: ((_P.RECIPIENT,), (_P.SHELF,)),
    Kind.GIVE_BACK: ((_P.SHELF, _P.QUARANTINE, _P.INTAKE), (_P.RETURNED,)),
    Kind.SELL: ((_P.SHELF,), (_P.SOLD,)),
    Kind.WRITE_OFF: ((_P.SHELF, _P.QUARANTINE, _P.TRANSIT), (_P.WRITTEN_OFF,)),
    Kind.SHORT: ((_P.SHELF,), (_P.WRITTEN_OFF,)),
    Kind.OVER: ((_P.FOUND,), (_P.SHELF,)),
    Kind.CONVERT_OUT: ((_P.SHELF,), (_P.CONVERTED,)),
    Kind.CONVERT_IN: ((_P.MADE,), (_P.SHELF,)),
}
"""From where to where each kind moves goods; the database holds it as well (movement_fits)."""

TWO_PEOPLE = (Kind.SELL, Kind.WRITE_OFF, Kind.SHORT, Kind.OVER)
"""These need a reason and a second person (I1, I4)."""


class Basis(models.TextChoices):
    """How the value of one unit was found; two of the three name their source."""

    INVOICE = "invoice", _("发票")
    MARKET = "market", _("市场价")
    APPRAISAL = "appraisal", _("评估")


class Grade(models.TextChoices):
    NEW = "new", _("全新")
    GOOD = "good", _("良好")
    USABLE = "usable", _("可用")


class Shown(models.TextChoices):
    """How a giver is shown in public (G1)."""

    NAME = "name", _("显示名称")
    ALIAS = "alias", _("显示化名")
    ANONYMOUS = "anonymous", _("不显示")


class Receiver(models.TextChoices):
    FAMILIES = "families", _("家庭（经社工）")
    INSTITUTION = "institution", _("单位")
    WAREHOUSE = "warehouse", _("本机构另一仓库")


class DispatchStatus(models.TextChoices):
    PICKING = "picking", _("拣货中")
    ON_ROAD = "on_road", _("在途")
    CLOSED = "closed", _("已办完")
    CANCELLED = "cancelled", _("已取消")


DISPATCH_FORWARD: Forward = {
    DispatchStatus.PICKING: frozenset({DispatchStatus.ON_ROAD, DispatchStatus.CANCELLED}),
    DispatchStatus.ON_ROAD: frozenset({DispatchStatus.CLOSED}),
    DispatchStatus.CLOSED: frozenset({DispatchStatus.ON_ROAD}),
}


class Confirmed(models.TextChoices):
    """How a family said itself that it has the goods (W5)."""

    NOT_YET = "", _("还没有确认")
    SLIP = "slip", _("签收单")
    CODE = "code", _("一次性验证码")


class Asked(models.TextChoices):
    ASKED = "asked", _("待审批")
    DONE = "done", _("已执行")
    REFUSED = "refused", _("未批准")


class CountStatus(models.TextChoices):
    COUNTING = "counting", _("盘点中")
    ASKED = "asked", _("待审批")
    DONE = "done", _("已调整")
    REFUSED = "refused", _("退回重盘")


COUNT_FORWARD: Forward = {
    CountStatus.COUNTING: frozenset({CountStatus.ASKED}),
    CountStatus.ASKED: frozenset({CountStatus.DONE, CountStatus.REFUSED}),
}


class Making(models.TextChoices):
    KIT = "kit", _("组装")
    UNKIT = "unkit", _("拆装")
    UNIT = "unit", _("换单位")


class ListKind(models.TextChoices):
    RECEIVED = "received", _("接收名单")
    GIVEN = "given", _("发放名单")


class ListStatus(models.TextChoices):
    ASKING = "asking", _("有问题要回答")
    READY = "ready", _("可以记入")
    RECORDED = "recorded", _("已记入")
    DROPPED = "dropped", _("已放弃")


class Known(models.TextChoices):
    SKIP = "skip", _("已有的不再记")
    ADD = "add", _("都是新的，全记")
