"""Refusals of the ledger that rooms above pass on to people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError


class NotEnoughMoney(DomainError):
    code = "not_enough_money"
    message = _("这笔资金的可用余额不够。请减少金额，或等新的捐赠到账、占用释放后再试。")
    field = "amount"


class NotRefundable(DomainError):
    code = "not_refundable"
    message = _("这笔捐赠没用的部分不够退。已经使用的钱不能退，请改成不超过未使用的金额。")
    field = "amount"


class ReservationClosed(Conflict):
    code = "reservation_closed"
    message = _("这笔占用已经结清或释放。请刷新页面看最新状态。")


class AlreadyReversed(Conflict):
    code = "already_reversed"
    message = _("这笔分录已经冲正过，不能再冲一次。")


class MoreThanPaid(DomainError):
    code = "more_than_paid"
    message = _("追回的金额不能超过这笔付款还没追回的部分。请改小金额。")
    field = "amount"
