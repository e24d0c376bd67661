from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.urls import reverse

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.money import Money
from apps.core.transitions import move, note_status
from apps.payments.models import Payment, PaymentStatusChange, WalletCode
from apps.payments.provider import CheckoutRequest, MethodNotOffered
from apps.payments.registry import offered_methods, provider
from apps.payments.states import FORWARD, PaymentStatus

LIFETIME = dt.timedelta(minutes=31)
"""How long a checkout stays open; the shortest that the providers allow is 30 minutes."""


def open_payment(*, actor: Actor, purpose: str, money: Money, method: str, now: dt.datetime) -> Payment:
    """This will record the intent to collect money, inside the caller's transaction. No provider is called yet.

    Raises MethodNotOffered for a method that no configured provider has.
    """
    name = offered_methods().get(method)
    if name is None:
        raise MethodNotOffered()
    payment = Payment.objects.create(
        purpose=purpose, provider=name, method=method, amount=money.minor, currency=money.currency, created_at=now,
        expires_at=now + LIFETIME,
    )  # fmt: skip
    note_status(payment, "", history=PaymentStatusChange, actor=actor, now=now)
    return payment


def start_checkout(
    *, actor: Actor, payment: Payment, description: str, return_url: str, cancel_url: str, now: dt.datetime,
    email: str = "", language: str = "zh-hans",
) -> Payment:  # fmt: skip
    """This will open the provider's page for a recorded intent and store its reference in a second transaction.

    Safe to repeat: the payment's uuid is the idempotency key. Raises ProviderUnavailable; the intent stays and expires.
    """
    if payment.session_ref:
        return payment
    crash_point("payments.before_checkout_call")
    reference = str(payment.uuid)
    checkout = provider(payment.provider).open_checkout(
        CheckoutRequest(
            reference=reference, key=f"checkout-{reference}", amount=payment.amount, currency=payment.currency,
            method=payment.method, description=description, return_url=return_url, cancel_url=cancel_url,
            expires_at=payment.expires_at, email=email, language=language,
        )
    )  # fmt: skip
    crash_point("payments.after_checkout_call")
    with transaction.atomic():
        locked = Payment.objects.select_for_update().get(pk=payment.pk)
        if not locked.session_ref:
            url = checkout.url
            if checkout.code:
                url = reverse("payments_scan", args=[locked.uuid])
                WalletCode.objects.create(
                    payment=locked, code=checkout.code, return_url=return_url, cancel_url=cancel_url,
                    description=description[:200],
                )  # fmt: skip
            locked.session_ref, locked.checkout_url = checkout.ref, url
            locked.save(update_fields=["session_ref", "checkout_url"])
        if locked.status == PaymentStatus.CREATED:
            move(
                locked, PaymentStatus.OPEN, forward=FORWARD, history=PaymentStatusChange, actor=actor, now=now
            )
    return locked
