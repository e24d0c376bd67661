"""What those who meet wishes are told: a claim that ended, the family's own word, its thanks."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from apps.notifications.operations import send_mail_once
from apps.wishes.events import ClaimConfirmed, ClaimEnded, ThanksPublished
from apps.wishes.models import Claim, Thanks
from apps.wishes.queries import left_of_gift
from apps.wishes.states import ClaimStatus


def mail_claim_ended(event: ClaimEnded, *, now: dt.datetime) -> None:
    """This will tell a giver that a claim ended, and that what was paid may meet another wish: one mail a claim.

    Who cancelled themselves knows already; a payment left unpaid is told about once, where an address was given.
    """
    claim = _claim(event.claim_id)
    if event.status == ClaimStatus.CANCELLED:
        return
    left = left_of_gift(claim.gift) if claim.gift and claim.gift.received_at else 0
    _mail(claim, f"claim_ended:{claim.pk}:{left > 0}", event.status, left=left)


def mail_claim_confirmed(event: ClaimConfirmed, *, now: dt.datetime) -> None:
    """This will tell a giver that the family itself confirmed: one mail a gift or promise and wish."""
    claim = _claim(event.claim_id)
    _mail(claim, f"claim_confirmed:{claim.gift_id}:{claim.pledge_id}:{claim.wish_id}", "confirmed")


def mail_thanks(event: ThanksPublished, *, now: dt.datetime) -> None:
    """This will pass a family's published thanks on to everybody who met its wish."""
    thanks = Thanks.objects.select_related("wish").get(wish=event.wish_id)
    if thanks.wish.hidden_at is not None:
        return
    rows = Claim.objects.filter(wish=event.wish_id, confirmed_at__isnull=False)
    for claim in rows.select_related("wish", "gift", "pledge").order_by("id"):
        key = f"thanks:{claim.gift_id}:{claim.pledge_id}:{claim.wish_id}"
        _mail(claim, key, "thanks", words=thanks.words)


def _claim(pk: int) -> Claim:
    return Claim.objects.select_related("wish", "gift", "pledge").get(pk=pk)


def _mail(claim: Claim, key: str, what: str, **more: object) -> None:
    giver = claim.gift or claim.pledge
    if giver is None or not giver.email:
        return
    name = "wishes_of_gift" if claim.gift else "wishes_promise"
    with translation.override(giver.language):
        link = settings.SITE_URL.rstrip("/") + reverse(name, args=[giver.token])
    send_mail_once(
        key=key, to=giver.email, template="notifications/wish.txt", language=giver.language,
        context={"claim": claim, "wish": claim.wish, "what": what, "link": link, **more},
    )  # fmt: skip
