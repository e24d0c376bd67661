"""Refunds and disputes as a provider has them. What they mean for a gift is said by the rooms above."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.core.transitions import StatusChange
from apps.payments import states
from apps.payments.models.payment import Payment

R = states.RefundStatus

WITHIN = """
PERFORM 1 FROM payments_payment WHERE id = NEW.payment_id FOR UPDATE;
IF (SELECT coalesce(sum(amount), 0) FROM payments_paymentrefund
    WHERE payment_id = NEW.payment_id AND status <> 'failed') + NEW.amount
   > (SELECT amount FROM payments_payment WHERE id = NEW.payment_id) THEN
  RAISE EXCEPTION 'refunds of payment % pass its amount', NEW.payment_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_within_payment';
END IF;
RETURN NEW;
"""


class PaymentRefund(models.Model):
    """Money sent back through the provider. `purpose` is opaque here ("refund:17"), empty for one that somebody made in
    the provider's own dashboard; the uuid travels to the provider."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    source = models.CharField(max_length=8, choices=states.RefundSource, default=states.RefundSource.OWN)
    purpose = models.CharField(max_length=60, blank=True)
    provider = models.CharField(max_length=20)
    ref = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=9, choices=states.RefundStatus, default=R.CREATED)
    failure = models.CharField(max_length=60, blank=True)
    opened_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_refund_positive"),
            models.UniqueConstraint(
                fields=["provider", "ref"], condition=~Q(ref=""), name="payment_refund_once"
            ),
            models.UniqueConstraint(
                fields=["purpose"], condition=~Q(purpose=""), name="payment_refund_purpose_once"
            ),
            models.CheckConstraint(
                condition=Q(source="own") & ~Q(purpose="") | Q(source="provider", purpose="") & ~Q(ref=""),
                name="payment_refund_source_fields",
            ),
            models.CheckConstraint(
                condition=~Q(status=R.SUCCEEDED) | Q(succeeded_at__isnull=False),
                name="payment_refund_success_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="payment_refund_due",
                condition=Q(status__in=["created", "sent"]),
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="refunds_within_payment", operation=pgtrigger.Insert, when=pgtrigger.Before,
                condition=pgtrigger.Q(new__source="own"), func=WITHIN,
            )
        ]  # fmt: skip


class PaymentRefundStatusChange(StatusChange):
    record = models.ForeignKey(PaymentRefund, on_delete=models.PROTECT, related_name="changes")


class PaymentDispute(models.Model):
    """A payer's bank takes a payment back, or asks about it (`inquiry`)."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider = models.CharField(max_length=20)
    ref = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=8, choices=states.DisputeStatus)
    opened_at = models.DateTimeField()
    answer_by = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="payment_dispute_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_dispute_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["inquiry", "open"], ended_at__isnull=True)
                | Q(status__in=["won", "lost", "closed"], ended_at__isnull=False),
                name="payment_dispute_end_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["checked_at"], name="payment_dispute_waiting", condition=Q(status__in=["inquiry", "open"])
            ),
            models.Index(fields=["-opened_at", "-id"], name="payment_dispute_newest"),
        ]  # fmt: skip


class PaymentDisputeStatusChange(StatusChange):
    record = models.ForeignKey(PaymentDispute, on_delete=models.PROTECT, related_name="changes")


class ClockAlarm(models.Model):
    """A provider's clock and ours differed by more than a minute: the last time and how far, one row a provider."""

    provider = models.CharField(max_length=20, unique=True)
    skew = models.IntegerField()
    rejected = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
