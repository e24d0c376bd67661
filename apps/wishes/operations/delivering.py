"""Goods accepted, then handed over by the caseworker: two facts, and neither of them is the family's word (W5)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.core.transitions import move
from apps.inventory.models import Consignment
from apps.wishes import policies
from apps.wishes.errors import NothingToConfirm
from apps.wishes.models import Claim, Pledge, Purchase, PurchaseStatusChange, Wish
from apps.wishes.operations.freeing import forget_contact, lock_claims
from apps.wishes.operations.settling import move_claim, settle_wishes
from apps.wishes.states import PURCHASE_FORWARD, BringTo, ClaimStatus, PurchaseStatus


@transaction.atomic
def note_sent(*, actor: Actor, pledge: Pledge, note: str, now: dt.datetime) -> Pledge:
    """This will let a donor say that goods are on their way, with the parcel's number. Safe to repeat."""
    authorize(policies.can_change_own_claim, actor)
    if not note.strip():
        raise BadInput(_("请写快递单号，或约好的时间。"), field="note")
    pledge = Pledge.objects.select_for_update(of=("self",)).get(pk=pledge.pk)
    pledge.sent_note, pledge.sent_at = note.strip()[:80], now
    pledge.save(update_fields=["sent_note", "sent_at"])
    return pledge


@transaction.atomic
def accept_purchase(*, actor: Actor, purchase: Purchase, now: dt.datetime) -> Purchase:
    """This will record that ordered goods arrived and are what was ordered. Raises WrongState."""
    authorize(policies.can_accept_goods, actor, purchase.wish)
    claims = lock_claims(Claim.objects.filter(purchase=purchase, status=ClaimStatus.ORDERED))
    purchase = Purchase.objects.select_for_update(of=("self",)).get(pk=purchase.pk)
    move(purchase, PurchaseStatus.ARRIVED, forward=PURCHASE_FORWARD, history=PurchaseStatusChange, actor=actor,
         now=now, arrived_at=now)  # fmt: skip
    _arrive(claims, actor, now, purchase.number)
    return purchase


@transaction.atomic
def accept_pledge(
    *, actor: Actor, pledge: Pledge, wish: Wish, consignment: str = "", now: dt.datetime
) -> Pledge:
    """This will record that promised goods were brought and fit the wish: at a warehouse with the number of their
    consignment, so that they are followed as any goods are (I1), or straight by the caseworker.

    Who promised is forgotten. Raises BadInput for an unknown consignment, NothingToConfirm when nothing is promised.
    """
    authorize(policies.can_accept_goods, actor, wish)
    claims = lock_claims(Claim.objects.filter(pledge=pledge, wish=wish, status=ClaimStatus.PROMISED))
    if not claims:
        raise NothingToConfirm(_("没有等送到的实物：可能已经收下，或约定已到期放回。"))
    pledge = Pledge.objects.select_for_update(of=("self",)).get(pk=pledge.pk)
    if pledge.bring_to == BringTo.WAREHOUSE:
        found = Consignment.objects.filter(
            number=consignment.strip(), warehouse=pledge.warehouse_id or 0
        ).first()
        if found is None:
            raise BadInput(_("这个仓库没有这张收货单。请先收货，再填收货单编号。"), field="consignment")
        pledge.consignment = found
        pledge.save(update_fields=["consignment"])
    _arrive(claims, actor, now, consignment.strip())
    forget_contact(pledge)
    return pledge


@transaction.atomic
def hand_over(*, actor: Actor, wish: Wish, now: dt.datetime) -> int:
    """This will record that a caseworker brought everything that arrived for a wish to the family. The family's own
    confirmation is another fact (W5). Raises NothingToConfirm when nothing has arrived.
    """
    authorize(policies.can_change_wish, actor, wish)
    claims = lock_claims(Claim.objects.filter(wish=wish, status=ClaimStatus.ARRIVED))
    if not claims:
        raise NothingToConfirm(_("没有到货、等着送去的物品。"))
    for claim in claims:
        move_claim(
            claim, ClaimStatus.HANDED, actor=actor, now=now, handed_at=now, handed_by_id=actor.person_id
        )
    settle_wishes([wish.pk], actor=actor, now=now)
    return len(claims)


def _arrive(claims: list[Claim], actor: Actor, now: dt.datetime, reason: str) -> None:
    for claim in claims:
        move_claim(
            claim, ClaimStatus.ARRIVED, actor=actor, now=now, reason=reason, arrived_at=now, due_at=None
        )
    settle_wishes({claim.wish_id for claim in claims}, actor=actor, now=now)
    bump_epoch()
