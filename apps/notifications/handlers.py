from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from apps.donations.events import (
    GiftReceived,
    LinkAsked,
    MonthlyGiftChanged,
    RefundDecided,
    RefundFailed,
    RefundPaid,
    RefundRequested,
    TeamOpened,
)
from apps.donations.models import Gift, MonthlyGift, Refund, Team
from apps.notifications.operations import send_mail_once
from apps.payments.events import ChargeFailed
from apps.payments.models import FailedCharge


def mail_gift_received(event: GiftReceived, *, now: dt.datetime) -> None:
    """This will mail the donor, if an address was given, the link to the gift's page (G2): one mail a gift."""
    gift = Gift.objects.select_related("project", "fund__organization").get(pk=event.gift_id)
    if not gift.email:
        return
    link = _link("tracing_gift", gift.token, language=gift.language)
    send_mail_once(
        key=f"gift_received:{gift.pk}", to=gift.email, template="notifications/gift_received.txt",
        context={"gift": gift, "link": link}, language=gift.language,
    )  # fmt: skip


def mail_lost_link(event: LinkAsked, *, now: dt.datetime) -> None:
    """This will mail the link of a gift to the address given with it, once a day (G2)."""
    gift = Gift.objects.select_related("project", "fund__organization").get(pk=event.gift_id)
    send_mail_once(
        key=f"lost_link:{gift.pk}:{event.day}", to=gift.email, template="notifications/lost_link.txt",
        context={"gift": gift, "link": _link("tracing_gift", gift.token, language=gift.language)},
        language=gift.language,
    )  # fmt: skip


def _link(name: str, *parts: str, language: str) -> str:
    """The whole address of a page, in the reader's language."""
    with translation.override(language):
        return settings.SITE_URL.rstrip("/") + reverse(name, args=parts)


def mail_refund_requested(event: RefundRequested, *, now: dt.datetime) -> None:
    """This will tell the donor that a refund was asked for: also a warning, if somebody else did."""
    _mail_refund(event.refund_id, "requested")


def mail_refund_decided(event: RefundDecided, *, now: dt.datetime) -> None:
    """This will tell the donor that a refund was approved, or why not."""
    _mail_refund(event.refund_id, event.status)


def mail_refund_paid(event: RefundPaid, *, now: dt.datetime) -> None:
    """This will tell the donor that the money went back."""
    _mail_refund(event.refund_id, "paid")


def mail_refund_failed(event: RefundFailed, *, now: dt.datetime) -> None:
    """This will tell the donor that a refund failed and that a bank transfer is offered."""
    _mail_refund(event.refund_id, "failed")


def _mail_refund(refund_id: int, what: str) -> None:
    refund = Refund.objects.select_related("gift__project", "gift__fund__organization").get(pk=refund_id)
    gift = refund.gift
    if not gift.email:
        return
    link = _link("donations_refund", gift.token, language=gift.language)
    send_mail_once(
        key=f"refund_{what}:{refund.pk}", to=gift.email, template="notifications/refund.txt",
        context={"gift": gift, "refund": refund, "link": link, "what": what}, language=gift.language,
    )  # fmt: skip


def mail_team_opened(event: TeamOpened, *, now: dt.datetime) -> None:
    """This will mail a team's organizer, if an address was given, the secret link to run it."""
    team = Team.objects.get(pk=event.team_id)
    if not team.email:
        return
    page = _link("donations_team", team.public_id, language=team.language)
    link = _link("donations_team_run", team.public_id, team.token, language=team.language)
    send_mail_once(
        key=f"team_opened:{team.pk}", to=team.email, template="notifications/team_opened.txt",
        context={"team": team, "page": page, "link": link}, language=team.language,
    )  # fmt: skip


def mail_charge_failed(event: ChargeFailed, *, now: dt.datetime) -> None:
    """This will tell a monthly donor that a month could not be collected, which try it was, and what to do."""
    failed = FailedCharge.objects.select_related("subscription").get(pk=event.failed_charge_id)
    rows = MonthlyGift.objects.select_related("project", "fund__organization")
    gift = rows.filter(subscription=failed.subscription).first()
    if gift is not None:
        _mail_monthly(gift, f"charge_failed:{failed.pk}", "failed", failed=failed)


def mail_monthly_changed(event: MonthlyGiftChanged, *, now: dt.datetime) -> None:
    """This will tell a monthly donor that it began, was changed, paused, resumed or stopped: also a warning, if
    somebody else did. A failed month has a mail of its own."""
    gift = MonthlyGift.objects.select_related("project", "fund__organization").get(pk=event.monthly_id)
    what = "changed" if event.status == event.was else event.status
    if what in ("active", "paused", "ended", "changed"):
        began = "begun" if what == "active" and event.was in ("opened", "failed") else what
        _mail_monthly(gift, f"monthly:{gift.pk}:{event.change_id}", began)


def _mail_monthly(gift: MonthlyGift, key: str, what: str, **more: object) -> None:
    link = _link("donations_monthly", gift.token, language=gift.language)
    send_mail_once(
        key=key, to=gift.email, template="notifications/monthly.txt",
        context={"gift": gift, "link": link, "what": what, **more}, language=gift.language,
    )  # fmt: skip
