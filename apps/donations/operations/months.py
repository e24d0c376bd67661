"""A month of a standing order becomes a gift, opened once under its payment's lock."""

from __future__ import annotations

import datetime as dt

from apps.core.actors import Actor
from apps.core.transitions import note_status
from apps.donations.models import Gift, GiftStatusChange, MonthlyGift
from apps.donations.queries import target_room
from apps.funds.operations import lock_project
from apps.funds.queries import accepts_gifts
from apps.payments.models import Payment


def gift_of_month(*, actor: Actor, payment: Payment, now: dt.datetime) -> Gift | None:
    """This will give the gift of a month's payment, opening it under the payment's lock where it isn't there yet; None
    for a payment of anything else."""
    if not payment.purpose.startswith("monthly:"):
        return None
    Payment.objects.select_for_update().get(pk=payment.pk)
    known = Gift.objects.filter(payment=payment).first()
    if known:
        return known
    promise = MonthlyGift.objects.select_related("project", "fund").get(
        pk=int(payment.purpose.removeprefix("monthly:"))
    )
    project = promise.project
    if project is not None:
        project = lock_project(project.pk)
        # Judged at the moment the money was taken, not when we heard of it.
        if not accepts_gifts(project, payment.paid_at or now) or target_room(project) < payment.amount:
            project = None
    gift = Gift.objects.create(
        fund=promise.fund, project=project, amount=payment.amount, currency=payment.currency, channel=payment.method,
        shown_as=promise.shown_as, shown_name=promise.shown_name, payer=promise.payer, payer_code=promise.payer_code,
        email=promise.email, dedication=promise.dedication, message=promise.message, language=promise.language,
        payment=payment, monthly=promise, opened_at=now,
    )  # fmt: skip
    note_status(gift, "", history=GiftStatusChange, actor=actor, now=now)
    return gift
