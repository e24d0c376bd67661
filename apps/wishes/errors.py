from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, Conflict, NotFound, PermissionRefused


class UnknownWish(NotFound):
    code = "unknown_wish"
    message = _("没有这个心愿，或它已经撤下。请到博爱商城看现在等人认领的心愿。")


class UnknownClaim(NotFound):
    code = "unknown_claim"
    message = _("没有这个认领。请检查网址；网址就是凭据，可以在邮件里找到。")


class AlreadyClaimed(Conflict):
    """Somebody else was first; `title` names the wish, `left` how many units are still free."""

    code = "already_claimed"

    def __init__(self, title: str, left: int = 0) -> None:
        self.left = left
        words = {"title": title, "left": left}
        if left:
            text = str(_("“%(title)s”只剩%(left)s件没人认领。没有扣款。请改成不超过它的件数。")) % words
        else:
            text = str(_("“%(title)s”刚被别人认领了。没有扣款。请另选一个心愿。")) % words
        super().__init__(text)


class OwnWish(PermissionRefused):
    code = "own_wish"
    message = _("这个心愿是您登记或审核的，不能由您自己认领。")


class BadUnits(BadInput):
    code = "bad_units"
    message = _("件数要是1或更大的整数。")
    field = "quantity"


class BasketEmpty(BadInput):
    code = "basket_empty"
    message = _("篮子里没有可以认领的心愿。请先到博爱商城选一个。")


class NoShop(Conflict):
    code = "no_shop"
    message = _("博爱商城还没有对应的备案项目，现在不能出钱认领。请改送实物，或过几天再来。")


class OverCap(BadInput):
    code = "over_cap"
    message = _("比认领的最高价还高，不能这样下单。请换一家，或改买同类便宜些的，或把认领换到同类心愿。")
    field = "item_price"


class TooFewQuotes(BadInput):
    code = "too_few_quotes"
    message = _("要两家以上的报价；只有一家时，请写明原因。")
    field = "single_reason"


class NothingToBuy(Conflict):
    code = "nothing_to_buy"
    message = _("这个心愿现在没有等采购的认领：可能已下单，或认领已放回。请刷新。")


class FourEyesBuying(PermissionRefused):
    code = "four_eyes_buying"
    message = _("采购的人不能自己申请这笔款。请另一位项目专员来申请。")


class TwoReviewers(PermissionRefused):
    code = "two_reviewers"
    message = _("登记、镇街审核、市级审核必须是三个不同的人。请同事来办。")


class GoodsUnderWay(Conflict):
    code = "goods_under_way"
    message = _("已经下单或送出，不能再取消。有问题请联系慈善总会，页脚有电话。")


class NotLike(BadInput):
    code = "not_like"
    message = _("只能换成同类别、最高价不高于原认领、还有人等的心愿。")
    field = "wish"


class NothingLeftToClaim(Conflict):
    code = "nothing_left_to_claim"
    message = _("这笔捐赠已经都用来认领心愿，或已退回，没有余下的部分了。")


class NothingToConfirm(Conflict):
    code = "nothing_to_confirm"
    message = _("没有等家人确认的物品：请先记下已经交到家。")


class ConsentMissing(BadInput):
    code = "consent_missing"
    message = _(
        "家庭档案里没有对“公布微心愿”的有效同意，不能提交。请先在档案里登记；未满14岁的，由监护人同意。"
    )
    field = "consent"


class PhotoNotLookedAt(BadInput):
    code = "photo_not_looked_at"
    message = _("请看照片，确认没有脸、校服和门牌，并勾选。不合格就退回。")
    field = "photo_ok"
