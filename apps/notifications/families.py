"""What families are told: a one-time code by text message when money was paid (P5) or a wish was
brought (W5). Number and code are kept nowhere."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.core.actors import system
from apps.core.errors import DomainError
from apps.disbursements.events import ConfirmationCodeAsked, DisbursementPaid
from apps.disbursements.models import Disbursement
from apps.disbursements.operations import ask_code, issue_code
from apps.disbursements.states import Kind
from apps.notifications.sms import gateway
from apps.wishes.events import WishCodeAsked
from apps.wishes.operations import issue_wish_code

ACTOR = system("notifications.sms")


def ask_code_when_paid(event: DisbursementPaid, *, now: dt.datetime) -> None:
    """This will ask for a family's code once aid was paid, where text messages are on."""
    item = Disbursement.objects.get(pk=event.disbursement_id)
    if gateway() is None or item.kind != Kind.AID or item.codes.filter(attempt=item.attempts).exists():
        return
    try:
        ask_code(actor=ACTOR, disbursement=item, now=now)
    except DomainError:
        # Returned or confirmed meanwhile: there is nothing to ask any more.
        return


def send_code(event: ConfirmationCodeAsked, *, now: dt.datetime) -> None:
    """This will send a family its code. A gateway that fails is tried again with a new code; the last one counts."""
    way = gateway()
    if way is None:
        return
    message = issue_code(actor=ACTOR, code_id=event.code_id, now=now)
    if message is None:
        return
    with translation.override("zh-hans"):
        link = settings.SITE_URL.rstrip("/") + reverse("disbursements_confirm", args=[message.token])
        text = _("救助金已付到您的账户。收到后请打开%(link)s，填数字%(digits)s，或把数字念给社工。三天内有效。") % {
            "link": link, "digits": message.digits,
        }  # fmt: skip
    way.send(phone=message.phone, text=text)


def send_wish_code(event: WishCodeAsked, *, now: dt.datetime) -> None:
    """This will send a family the code for what it was handed. A gateway that fails is tried again with a new code."""
    way = gateway()
    if way is None:
        return
    message = issue_wish_code(actor=ACTOR, code_id=event.code_id, now=now)
    if message is None:
        return
    with translation.override("zh-hans"):
        link = settings.SITE_URL.rstrip("/") + reverse("wishes_confirm", args=[message.token])
        text = _("您家的心愿物品已送到。收到后请打开%(link)s，填数字%(digits)s，或把数字念给社工。三天内有效。") % {
            "link": link, "digits": message.digits,
        }  # fmt: skip
    way.send(phone=message.phone, text=text)
