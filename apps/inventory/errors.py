from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, Conflict, NotFound, PermissionRefused


class NotEnoughStock(Conflict):
    code = "not_enough_stock"
    message = _("这个库位没有这么多。请刷新看现在的数量，减少数量或换一个库位。")
    field = "quantity"


class BadQuantity(BadInput):
    code = "bad_quantity"
    message = _("数量写法不对。请写大于零的数字，例如 12 或 2.5。")
    field = "quantity"


class Expired(Conflict):
    code = "lot_expired"
    message = _("这一批已经过期，不能发出。请从拣货单里去掉，并申请核销。")
    field = "lot"


class UnknownUnit(BadInput):
    code = "unknown_unit"
    message = _("单位表里没有这个单位。请选已有的单位，或先添加它。")
    field = "unit"


class SamePerson(PermissionRefused):
    code = "second_person"
    message = _("要由另一个人来批准：不能批准自己提出的。")


class ForeignCode(NotFound):
    code = "foreign_code"
    message = _("这个二维码或编号不是本站的物资。请扫本站打印的标签，或输入标签上的编号。")
    field = "code"


class ValueKnown(Conflict):
    code = "value_known"
    message = _("这一批已有价值，或已经有一部分出库，不能再改。请在备注里说明。")


class NothingWanted(BadInput):
    code = "nothing_chosen"
    message = _("没有填任何数量。请至少填一行。")
