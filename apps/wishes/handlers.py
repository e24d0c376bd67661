from __future__ import annotations

import datetime as dt

from apps.core.actors import system
from apps.donations.events import GiftReceived, RefundPaid
from apps.donations.models import Refund
from apps.payments.events import PaymentEnded
from apps.wishes import operations

ACTOR = system("wishes.money")


def secure_claims(event: GiftReceived, *, now: dt.datetime) -> None:
    """This will note that a gift's money is there for its claims, or offer another wish where it came too late (W3)."""
    operations.secure_claims(actor=ACTOR, gift_id=event.gift_id, now=now)


def free_unpaid(event: PaymentEnded, *, now: dt.datetime) -> None:
    """This will open wishes again whose payment came to nothing."""
    operations.free_unpaid(actor=ACTOR, payment_id=event.payment_id, now=now)


def free_refunded(event: RefundPaid, *, now: dt.datetime) -> None:
    """This will open wishes again whose gift went back."""
    gift = Refund.objects.values_list("gift", flat=True).get(pk=event.refund_id)
    operations.free_refunded(actor=ACTOR, gift_id=gift, now=now)
