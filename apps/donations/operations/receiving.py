"""Money that arrived becomes a gift: exactly one gift, one ledger entry, whatever the events do (G5, G6)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.bulk import set_columns
from apps.core.crash import crash_point
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import move
from apps.donations import policies
from apps.donations.events import GiftReceived
from apps.donations.models import Gift, GiftStatusChange
from apps.donations.operations.limiting import give_places_back
from apps.donations.operations.months import gift_of_month
from apps.donations.queries import counted_to_target
from apps.donations.states import FORWARD, GiftStatus, LateReason
from apps.funds.operations import close_raising, lock_project
from apps.funds.states import ProjectStatus
from apps.ledger.models import Earmark
from apps.ledger.operations import Credit, post_credits, post_fee
from apps.ledger.states import EarmarkKind
from apps.payments.models import Payment, PaymentStatusChange, ProviderFact
from apps.payments.states import FactKind, PaymentStatus


class FeeInOtherCurrency(Conflict):
    code = "fee_in_other_currency"
    message = _("支付机构用另一种币种收了手续费，不能直接入账。请出纳核对结算币种。")


@transaction.atomic(savepoint=False)
def record_donations(*, actor: Actor, fact_ids: Iterable[int], now: dt.datetime) -> int:
    """This will make the gifts of settled payments received and post them, set-based, in one transaction.

    On time, the money goes to the gift's project; late (after expiry, close or suspension) to the micro-fund's general
    money, marked so that the donor is told (F5). Safe to repeat: a received gift is left alone. Returns
    how many were new.
    """
    authorize(policies.can_record_donation, actor)
    gifts = list(
        Gift.objects.select_for_update(of=("self",))
        .select_related("project")
        .filter(payment__facts__in=list(fact_ids), payment__facts__kind=FactKind.SETTLED)
        .exclude(status=GiftStatus.RECEIVED)
        .annotate(
            fact=F("payment__facts__id"),
            settled_at=F("payment__facts__occurred_at"),
            ended=Exists(_ends(OuterRef("payment"))),
        )
        .order_by("id")
    )  # fmt: skip
    if not gifts:
        return 0
    marks = _earmarks(gifts)
    credits: list[Credit] = []
    changes: list[GiftStatusChange] = []
    for gift in gifts:
        gift.late = _lateness(gift)
        kind, owner = (
            (EarmarkKind.PROJECT, gift.project_id) if gift.project_id and not gift.late
            else (EarmarkKind.GENERAL, gift.fund_id)
        )  # fmt: skip
        changes.append(
            GiftStatusChange(record=gift, from_status=gift.status, to_status=GiftStatus.RECEIVED, at=now,
                             actor_label=actor.label, reason=str(gift.late))
        )  # fmt: skip
        gift.status, gift.received_at = GiftStatus.RECEIVED, gift.settled_at
        gift.earmark_id = marks[str(kind), owner, gift.currency]
        credits.append(
            Credit(key=f"fact:{gift.fact}:gift", earmark=gift.earmark_id, amount=gift.amount,
                   settled_at=gift.settled_at, origin=gift.pk, channel=gift.channel)
        )  # fmt: skip
    set_columns(gifts, ["status", "received_at", "earmark", "late"])
    GiftStatusChange.objects.bulk_create(changes)
    crash_point("donations.gifts_marked")
    post_credits(actor=actor, credits=credits)
    publish(*(GiftReceived(gift_id=gift.pk) for gift in gifts))
    paid = [gift.pk for gift in gifts]
    transaction.on_commit(lambda: give_places_back(paid), robust=True)
    crash_point("donations.gifts_posted")
    return len(gifts)


def post_gift_fee(*, actor: Actor, fact_id: int, now: dt.datetime) -> None:
    """This will post a payment's fee as its balance transaction states it (G7), after its gift. Safe to repeat.

    Raises FeeInOtherCurrency: cents of another currency are never booked as fen, the fact waits where it is seen.
    """
    authorize(policies.can_record_donation, actor)
    fact = ProviderFact.objects.select_related("payment").get(pk=fact_id)
    if (
        fact.kind != FactKind.FEE
        or not fact.payment.purpose.startswith(("gift:", "monthly:"))
        or not fact.amount
    ):
        return
    gift_of_month(actor=actor, payment=fact.payment, now=now)
    settled = ProviderFact.objects.filter(payment=fact.payment, kind=FactKind.SETTLED).values_list(
        "pk", flat=True
    )
    record_donations(actor=actor, fact_ids=settled, now=now)
    gift = Gift.objects.get(payment=fact.payment)
    assert gift.earmark_id is not None
    if fact.currency != gift.currency:
        raise FeeInOtherCurrency()
    post_fee(
        actor=actor, earmark=gift.earmark_id, origin=gift.pk, amount=fact.amount, key=f"fact:{fact.pk}:fee",
        effective_at=fact.occurred_at, channel=gift.channel, own_money=not gift.fee_on_federation,
    )  # fmt: skip


@transaction.atomic
def end_unpaid_gift(*, actor: Actor, payment_id: int, now: dt.datetime) -> None:
    """This will mark an opened gift as expired or failed, freeing what it held of the target. Safe to repeat."""
    authorize(policies.can_record_donation, actor)
    payment = Payment.objects.get(pk=payment_id)
    if not payment.purpose.startswith("gift:"):
        return
    gift = Gift.objects.select_for_update(of=("self",)).get(pk=int(payment.purpose.removeprefix("gift:")))
    if gift.status != GiftStatus.OPENED or payment.status not in (
        PaymentStatus.EXPIRED,
        PaymentStatus.FAILED,
    ):
        return
    move(gift, str(payment.status), forward=FORWARD, history=GiftStatusChange, actor=actor, now=now)


@transaction.atomic
def close_full_campaign(*, actor: Actor, gift_id: int, now: dt.datetime) -> None:
    """This will end the campaign of a gift's project once its net raised money has reached the target (F5)."""
    authorize(policies.can_record_donation, actor)
    gift = Gift.objects.select_related("project").get(pk=gift_id)
    if gift.project is not None and gift.project.status == ProjectStatus.RAISING:
        close_full_project(actor=actor, project_id=gift.project.pk, now=now)


@transaction.atomic
def close_full_project(*, actor: Actor, project_id: int, now: dt.datetime) -> None:
    """This will end a project's campaign once what counts to its target has reached it (F5). Safe to repeat."""
    authorize(policies.can_record_donation, actor)
    project = lock_project(project_id)
    if project.status == ProjectStatus.RAISING and counted_to_target(project) >= project.target:
        close_raising(actor=actor, project=project, now=now, reason=str(_("已达到募捐目标")))


def count_gifts(counts: Counter[int]) -> None:
    """This will add to the counters of gifts per earmark, rows touched in id order."""
    with connection.cursor() as cursor:
        for earmark in sorted(counts):
            cursor.execute(
                "INSERT INTO donations_giftcount (earmark_id, gifts) VALUES (%s, %s)"
                " ON CONFLICT (earmark_id) DO UPDATE SET gifts = donations_giftcount.gifts + EXCLUDED.gifts",
                [earmark, counts[earmark]],
            )


def _ends(payment: OuterRef) -> QuerySet[PaymentStatusChange]:
    """How a payment expired or failed before it was paid, though the gift may not have heard of it yet."""
    return PaymentStatusChange.objects.filter(
        record=payment, to_status__in=[PaymentStatus.EXPIRED, PaymentStatus.FAILED]
    )


def _lateness(gift: Gift) -> str:
    if gift.status != GiftStatus.OPENED or gift.ended:  # type: ignore[attr-defined]
        return LateReason.EXPIRED
    if gift.project is not None and gift.project.status != ProjectStatus.RAISING:
        return LateReason.NOT_RAISING
    return ""


def _earmarks(gifts: Sequence[Gift]) -> dict[tuple[str, int, str], int]:
    owners = {gift.project_id for gift in gifts if gift.project_id} | {gift.fund_id for gift in gifts}
    rows = Earmark.objects.filter(kind__in=[EarmarkKind.PROJECT, EarmarkKind.GENERAL], owner__in=owners)
    return {(kind, owner, currency): pk for pk, kind, owner, currency in
            rows.values_list("pk", "kind", "owner", "currency")}  # fmt: skip
