"""The places of a flow, for a gift and for a micro-fund: fees, each use, what went back, what is unspent."""

from __future__ import annotations

from django.db.models import Sum
from django.utils.translation import gettext as _

from apps.funds.queries import fund_earmarks
from apps.funds.states import Category
from apps.publication.models import ExpenseUse, Release
from apps.publication.queries import public_money, residuals_of
from apps.tracing.flow import Place
from apps.tracing.queries import Trace


def gift_places(trace: Trace) -> list[Place]:
    """This will list where a gift's money is, in fen; they sum to the gift. Goods have a trace of their own (T4)."""
    uses = [Place(_use_words(use.kind, use.category, use.label), use.amount, "f-a") for use in trace.uses]
    return [
        Place(_("支付手续费"), trace.fee, "f-fee"), *uses,
        Place(_("退款和拒付"), trace.refunded + trace.disputed, "f-b"),
        Place(_("未使用（含办理中的救助）"), trace.unspent, "f-rest"),
    ]  # fmt: skip


def _use_words(kind: str, category: str, label: str) -> str:
    if kind == "aid":
        return _("%(what)s救助") % {"what": category}
    return _("项目结束时余下的救助") if kind == "residual" else label


def fund_places(fund_id: int) -> list[Place]:
    """This will list where the money that came into a micro-fund is, over all its earmarks, in five statements."""
    marks = list(fund_earmarks(fund_id))
    money = public_money(marks)
    places = [Place(_("支付手续费"), money.fees, "f-fee")]
    aid, paid = (
        dict(
            model.objects.filter(earmark__in=marks)
            .values_list("category")
            .annotate(n=Sum("amount"))
            .order_by()
        )
        for model in (Release, ExpenseUse)
    )
    for category, amount in sorted(aid.items(), key=lambda pair: -pair[1]):
        places.append(Place(_("%(what)s救助") % {"what": Category(category).label}, amount, "f-a"))
    rest = sum(each.amount for each in residuals_of(marks))
    places.append(Place(_("项目结束时余下的救助"), rest, "f-a"))
    for category, amount in sorted(paid.items(), key=lambda pair: -pair[1]):
        places.append(Place(_("%(what)s项目支出") % {"what": Category(category).label}, amount, "f-b"))
    places.append(Place(_("退款和拒付"), money.refunded + money.disputed, "f-c"))
    places.append(Place(_("未使用（含办理中的救助）"), money.unspent, "f-rest"))
    return places
