from __future__ import annotations

import datetime as dt

from apps.casework.events import ConsentWithdrawn
from apps.casework.models import Purpose
from apps.core.actors import system
from apps.donations.events import GiftReceived, RefundPaid
from apps.donations.models import Refund
from apps.payments.events import PaymentEnded
from apps.wishes import operations
from apps.wishes.queries import wishes_on_consent

ACTOR = system("wishes.money")
CONSENT = system("wishes.consent")


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


def take_down_wishes(event: ConsentWithdrawn, *, now: dt.datetime) -> None:
    """This will take down the wishes, photos and thanks that stand on a withdrawn consent. Each wish is an operation of
    its own; safe to repeat."""
    if event.purpose not in (Purpose.WISH, Purpose.WISH_PHOTO):
        return
    photo_only = event.purpose == Purpose.WISH_PHOTO
    for wish in wishes_on_consent(event.consent_id, photo=photo_only):
        operations.take_down_wish(actor=CONSENT, wish=wish, photo_only=photo_only, now=now)
