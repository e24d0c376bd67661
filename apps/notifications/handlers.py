from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from apps.donations.events import GiftReceived
from apps.donations.models import Gift
from apps.notifications.operations import send_mail_once


def mail_gift_received(event: GiftReceived, *, now: dt.datetime) -> None:
    """This will mail the donor, if an address was given, the link to the gift's page (G2): one mail a gift."""
    gift = Gift.objects.select_related("project", "fund__organization").get(pk=event.gift_id)
    if not gift.email:
        return
    with translation.override(gift.language):
        link = settings.SITE_URL.rstrip("/") + reverse("tracing_gift", args=[gift.token])
    send_mail_once(
        key=f"gift_received:{gift.pk}", to=gift.email, template="notifications/gift_received.txt",
        context={"gift": gift, "link": link}, language=gift.language,
    )  # fmt: skip
