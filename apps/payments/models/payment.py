"""Payments: our intent, the provider's events as they came, and the facts they proved. Nothing here knows a gift."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change
from apps.core.transitions import StatusChange
from apps.payments import states

S = states.PaymentStatus


class Payment(models.Model):
    """What we asked a provider to collect. `purpose` is opaque here ("gift:17"); the uuid travels to the provider."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(max_length=60)
    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=12, choices=states.Method)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=states.PaymentStatus, default=S.CREATED)
    session_ref = models.CharField(max_length=255, blank=True)
    charge_ref = models.CharField(max_length=255, blank=True)
    subscription = models.ForeignKey(
        "Subscription", on_delete=models.PROTECT, null=True, related_name="payments"
    )
    checkout_url = models.URLField(max_length=2000, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.UniqueConstraint(
                fields=["provider", "session_ref"], condition=~Q(session_ref=""), name="payment_session_once"
            ),
            models.CheckConstraint(
                condition=Q(status=S.PAID, paid_at__isnull=False)
                | ~Q(status=S.PAID) & Q(paid_at__isnull=True),
                name="payment_paid_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["purpose"], name="payment_purpose"),
            models.Index(
                fields=["provider", "charge_ref"], name="payment_charge", condition=~Q(charge_ref="")
            ),
            models.Index(
                fields=["expires_at"],
                name="payment_waiting",
                condition=Q(status__in=["created", "open", "pending"]),
            ),
        ]


class WalletCode(models.Model):
    """What a wallet scans to pay, shown on a page of ours under the payment's uuid, and the ways on from there."""

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="wallet_code")
    code = models.CharField(max_length=512)
    description = models.CharField(max_length=200)
    return_url = models.CharField(max_length=2000)
    cancel_url = models.CharField(max_length=2000)


class PaymentStatusChange(StatusChange):
    record = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="changes")


class ProviderEvent(models.Model):
    """The webhook inbox: the exact bytes of a signed event, once per provider and event id."""

    provider = models.CharField(max_length=20)
    event_ref = models.CharField(max_length=255)
    kind = models.CharField(max_length=80)
    object_ref = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=16, blank=True, db_default="payment")
    body = models.BinaryField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "event_ref"], name="provider_event_once")]
        indexes = [
            models.Index(fields=["due_at", "id"], name="inbox_due", condition=Q(processed_at__isnull=True))
        ]


@append_only
class ProviderFact(models.Model):
    """Something a provider stated of a payment's money, once per fact and kind (invariant 4)."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="facts")
    refund = models.ForeignKey("PaymentRefund", on_delete=models.PROTECT, null=True, related_name="facts")
    dispute = models.ForeignKey("PaymentDispute", on_delete=models.PROTECT, null=True, related_name="facts")
    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=12, choices=states.FactKind)
    fact_ref = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "fact_ref"], name="provider_fact_once"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(kind="settled"), name="payment_settles_once"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="provider_fact_not_negative"),
            models.CheckConstraint(
                condition=Q(kind__in=["refund", "refund_back"], refund__isnull=False, dispute__isnull=True)
                | Q(kind__in=["dispute", "dispute_back"], refund__isnull=True, dispute__isnull=False)
                | Q(kind="settled", refund__isnull=True, dispute__isnull=True)
                | Q(kind__in=["fee", "fee_back"]),
                name="provider_fact_names_its_record",
            ),
        ]
        triggers = refuse_change("providerfact")
