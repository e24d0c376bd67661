"""The federation buys what was claimed with money: quotes, an order within the claims, and the expense's four steps."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.transitions import check_move, move, note_status
from apps.disbursements.operations import apply_for_expense
from apps.funds.models import BudgetLine, Project
from apps.publication.privacy import check_publishable
from apps.wishes import policies
from apps.wishes.errors import FourEyesBuying, NothingToBuy, NotLike, OverCap, TooFewQuotes
from apps.wishes.events import ClaimEnded
from apps.wishes.models import Claim, Purchase, PurchaseStatusChange, Quote, Wish
from apps.wishes.operations.claiming import UNDELIVERED, take
from apps.wishes.operations.freeing import lock_claims
from apps.wishes.operations.settling import lock_wishes, move_claim, settle_wishes
from apps.wishes.states import PURCHASE_FORWARD, ClaimStatus, PurchaseStatus, Way, WishStatus


@dataclass(frozen=True, slots=True)
class QuoteDraft:
    """A supplier's price for all pieces of the order, delivery included; fen."""

    supplier: str
    price: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What was ordered: one of the quotes' suppliers; prices in fen for all pieces."""

    supplier: str
    item_price: int
    delivery_price: int
    quotes: Sequence[QuoteDraft]
    single_reason: str = ""


@transaction.atomic
def order_purchase(*, actor: Actor, wish: Wish, order: OrderDraft, now: dt.datetime) -> Purchase:
    """This will order what a wish's paid claims wait for, all of them at once (W4). Less than two quotes need a reason;
    the order never costs more than was claimed, and what it costs less stays in the shop's project for the next wish.

    Raises NothingToBuy, TooFewQuotes, OverCap, BadInput.
    """
    project = _project_of(wish)
    authorize(policies.can_buy, actor, project.fund.organization_id)
    claims = lock_claims(Claim.objects.filter(wish=wish, ended_at=None, status=ClaimStatus.SECURED))
    if not claims:
        raise NothingToBuy()
    claimed = sum(claim.amount for claim in claims)
    _check(order, claimed)
    assert actor.person_id is not None
    purchase = Purchase.objects.create(
        number=f"W-{civil_day(now):%y%m}-{secrets.token_hex(3)}", wish=wish, supplier=order.supplier.strip()[:80],
        item_price=order.item_price, delivery_price=order.delivery_price, claimed=claimed,
        single_reason=order.single_reason.strip()[:200], purchaser_id=actor.person_id, ordered_at=now,
    )  # fmt: skip
    note_status(purchase, "", history=PurchaseStatusChange, actor=actor, now=now)
    Quote.objects.bulk_create(
        Quote(
            purchase=purchase,
            supplier=each.supplier.strip()[:80],
            price=each.price,
            note=each.note.strip()[:120],
        )
        for each in order.quotes
    )
    for claim in claims:
        move_claim(claim, ClaimStatus.ORDERED, actor=actor, now=now, reason=purchase.number, purchase_id=purchase.pk,
                   due_at=None)  # fmt: skip
    settle_wishes([wish.pk], actor=actor, now=now)
    return purchase


@transaction.atomic
def cancel_purchase(*, actor: Actor, purchase: Purchase, reason: str, now: dt.datetime) -> Purchase:
    """This will cancel an order that hasn't arrived and was not applied for; its claims wait to be bought again."""
    project = _project_of(purchase.wish)
    authorize(policies.can_buy, actor, project.fund.organization_id)
    claims = lock_claims(Claim.objects.filter(purchase=purchase, ended_at=None))
    purchase = Purchase.objects.select_for_update(of=("self",)).get(pk=purchase.pk)
    check_move(purchase, PurchaseStatus.CANCELLED, PURCHASE_FORWARD)
    if purchase.disbursement_id is not None:
        raise BadInput(_("已经申请付款，不能取消订单。请先让审核的人退回这笔申请。"))
    if not reason.strip():
        raise BadInput(_("请写明取消的原因。"), field="reason")
    for claim in claims:
        move_claim(claim, ClaimStatus.SECURED, actor=actor, now=now, reason=reason.strip(), purchase_id=None,
                   due_at=now + UNDELIVERED)  # fmt: skip
    purchase.reason = reason.strip()[:200]
    purchase.save(update_fields=["reason"])
    move(purchase, PurchaseStatus.CANCELLED, forward=PURCHASE_FORWARD, history=PurchaseStatusChange, actor=actor,
         now=now, reason=purchase.reason)  # fmt: skip
    settle_wishes([purchase.wish_id], actor=actor, now=now)
    return purchase


@transaction.atomic
def apply_for_purchase(
    *, actor: Actor, purchase: Purchase, budget_line: BudgetLine, payee_bank: str, payee_account: str,
    invoice_number: str, now: dt.datetime,
) -> Purchase:  # fmt: skip
    """This will begin the four steps of an order's expense with its invoice (P8): applied by a project officer who
    isn't the purchaser; then verified, approved and paid by three more. Raises FourEyesBuying, InvoiceKnown.
    """
    project = _project_of(purchase.wish)
    authorize(policies.can_apply_for_purchase, actor, project.fund.organization_id)
    purchase = Purchase.objects.select_for_update(of=("self",)).select_related("wish").get(pk=purchase.pk)
    if actor.person_id == purchase.purchaser_id:
        raise FourEyesBuying()
    if purchase.disbursement_id is not None or purchase.status == PurchaseStatus.CANCELLED:
        raise NothingToBuy(_("这张订单已经申请过付款，或已取消。"))
    expense = apply_for_expense(
        actor=actor, project=project, budget_line=budget_line, money=Money(purchase.cost, purchase.wish.currency),
        purpose=str(_("心愿采购：%(item)s")) % {"item": purchase.wish.item}, payee_name=purchase.supplier,
        payee_bank=payee_bank, payee_account=payee_account, invoice_number=invoice_number, now=now,
    )  # fmt: skip
    purchase.disbursement_id, purchase.applicant_id = expense.pk, actor.person_id
    purchase.save(update_fields=["disbursement", "applicant"])
    return purchase


@transaction.atomic
def swap_claim(*, actor: Actor, claim: Claim, to: Wish, reason: str, now: dt.datetime) -> Claim:
    """This will meet a like wish instead of one that can't be met: same category, a cap no higher (W4, Order 74). The
    first wish opens again; the donor is told why. What the second costs less stays in the shop's project.

    Raises NotLike, AlreadyClaimed, BadInput without a public reason.
    """
    project = _project_of(claim.wish)
    authorize(policies.can_buy, actor, project.fund.organization_id)
    if not reason.strip():
        raise BadInput(_("请写明为什么换，捐赠人会看到。"), field="reason")
    check_publishable(reason, field="reason")
    lock_wishes([claim.wish_id, to.pk])
    claim = Claim.objects.select_for_update(of=("self",)).select_related("wish", "gift").get(pk=claim.pk)
    if (
        claim.way != Way.MONEY
        or claim.status not in (ClaimStatus.SECURED, ClaimStatus.ORDERED)
        or to.category != claim.wish.category
        or to.cap > claim.amount
        or to.status != WishStatus.OPEN
        or to.pk == claim.wish_id
    ):
        raise NotLike()
    if claim.status == ClaimStatus.ORDERED:
        raise NothingToBuy(_("已经下单。请先取消订单，再换心愿。"))
    move_claim(
        claim, ClaimStatus.SWAPPED, actor=actor, now=now, reason=reason.strip(), ended_at=now, due_at=None
    )
    Claim.objects.filter(pk=claim.pk).update(reason=reason.strip()[:200])
    made = take(
        actor=actor, lines={to: 1}, gift=claim.gift, status=ClaimStatus.SECURED, due=now + UNDELIVERED, now=now,
        follows=claim,
    )  # fmt: skip
    settle_wishes([claim.wish_id], actor=actor, now=now)
    publish(ClaimEnded(claim_id=claim.pk, status=ClaimStatus.SWAPPED))
    return Claim.objects.get(pk=made[0])


def _project_of(wish: Wish) -> Project:
    """The project whose gifts pay for this wish: that of its claims, so that a change of the shop's project splits
    nothing that is under way."""
    row = (
        Claim.objects.filter(wish=wish, gift__isnull=False)
        .select_related("gift__project__fund")
        .order_by("-id")
        .first()
    )
    if row is None or row.gift is None or row.gift.project is None:
        raise NothingToBuy()
    return row.gift.project


def _check(order: OrderDraft, claimed: int) -> None:
    if not order.supplier.strip():
        raise BadInput(_("请填写供应商。"), field="supplier")
    if order.item_price <= 0 or order.delivery_price < 0:
        raise BadInput(_("价格要大于零；配送可以是零。"), field="item_price")
    suppliers = [each.supplier.strip() for each in order.quotes]
    if any(not name for name in suppliers) or any(each.price <= 0 for each in order.quotes):
        raise BadInput(_("每个报价都要有供应商和大于零的价格。"), field="quotes")
    if len(set(suppliers)) != len(suppliers):
        raise BadInput(_("同一家只写一个报价。"), field="quotes")
    if len(suppliers) < 2 and not order.single_reason.strip():
        raise TooFewQuotes()
    if suppliers and order.supplier.strip() not in suppliers:
        raise BadInput(_("下单的供应商要在报价里。"), field="supplier")
    if order.item_price + order.delivery_price > claimed:
        raise OverCap()
