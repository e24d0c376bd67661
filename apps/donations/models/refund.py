"""Refunds of gifts (G8), the bank details they need, and the chargeback reserve's feeding (G9)."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.accounts.models import Person
from apps.core.append_only import append_only, refuse_change
from apps.core.transitions import StatusChange
from apps.donations import states
from apps.donations.models.gift import Gift
from apps.payments.models import PaymentRefund

R = states.RefundStatus

WITHIN = """
PERFORM 1 FROM donations_gift WHERE id = NEW.gift_id FOR UPDATE;
IF (SELECT coalesce(sum(amount), 0) FROM donations_refund
    WHERE gift_id = NEW.gift_id AND status IN ('requested', 'approved', 'paid')) + NEW.amount
   > (SELECT amount FROM donations_gift WHERE id = NEW.gift_id) THEN
  RAISE EXCEPTION 'refunds of gift % pass its amount', NEW.gift_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_within_gift';
END IF;
RETURN NEW;
"""


class Refund(models.Model):
    """A gift given back, whole or in part: asked, decided by a second person, paid. What is asked never changes.

    `payer` is who paid a bank refund. Bank details are encrypted under the refund's own data key; `account_tail` (the
    last four digits) is all that lists show.
    """

    number = models.CharField(max_length=20, unique=True)
    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, related_name="refunds")
    source = models.CharField(max_length=8, choices=states.RefundSource)
    way = models.CharField(max_length=8, choices=states.RefundWay)
    status = models.CharField(max_length=9, choices=states.RefundStatus, default=R.REQUESTED)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=300, blank=True)
    payment_refund = models.OneToOneField(
        PaymentRefund, on_delete=models.PROTECT, null=True, related_name="+"
    )
    bank_key = models.BinaryField(null=True)
    bank_details = models.BinaryField(null=True)
    account_tail = models.CharField(max_length=4, blank=True)
    payer = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    paid_at = models.DateTimeField(null=True)
    bank_reference = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(asked_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="refund_two_people",
            ),
            models.CheckConstraint(
                condition=Q(payer__isnull=True) | Q(decided_by__isnull=False) & ~Q(payer=F("decided_by")),
                name="refund_payer_not_approver",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True, decided_at__isnull=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="refund_decision_has_time",
            ),
            models.CheckConstraint(
                condition=Q(source="provider")
                | Q(status__in=[R.REQUESTED, R.WITHDRAWN], decided_by__isnull=True)
                | Q(status__in=[R.APPROVED, R.PAID, R.FAILED, R.REFUSED], decided_by__isnull=False),
                name="refund_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(way="bank", bank_details__isnull=False, payment_refund__isnull=True)
                | Q(way="provider", bank_details__isnull=True, payer__isnull=True),
                name="refund_way_fields",
            ),
            models.CheckConstraint(
                condition=~Q(status=R.PAID)
                | Q(way="provider", paid_at__isnull=False, payment_refund__isnull=False)
                | Q(way="bank", paid_at__isnull=False, payer__isnull=False) & ~Q(bank_reference=""),
                name="refund_paid_is_proven",
            ),
            models.CheckConstraint(
                condition=Q(source="staff", asked_by__isnull=False) | ~Q(source="staff") & Q(asked_by__isnull=True),
                name="refund_source_fields",
            ),
            models.CheckConstraint(
                condition=~Q(source="provider")
                | Q(way="provider", payment_refund__isnull=False, status__in=[R.PAID, R.FAILED]),
                name="refund_of_dashboard_is_paid",
            ),
            models.UniqueConstraint(
                fields=["gift"], condition=Q(status=R.REQUESTED), name="refund_one_open_request"
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["status", "-id"], name="refund_queue")]
        triggers = [
            pgtrigger.Trigger(
                name="refunds_within_gift", operation=pgtrigger.Insert, when=pgtrigger.Before,
                condition=~pgtrigger.Q(new__source="provider"), func=WITHIN,
            ),
            pgtrigger.ReadOnly(
                name="refund_ask_never_changes", fields=["number", "gift", "source", "way", "amount", "currency"]
            ),
        ]  # fmt: skip


class RefundStatusChange(StatusChange):
    record = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="changes")


@append_only
class BankDetailsRead(models.Model):
    """Who saw a refund's bank details, and when; written in the transaction that reads them."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="reads")
    person = models.BigIntegerField()
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = refuse_change("bankdetailsread")


class ReserveFeed(models.Model):
    """The federation's own unrestricted money set aside for chargebacks, by two people (G9)."""

    number = models.CharField(max_length=20, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="reserve_feed_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="reserve_feed_has_reason"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(approved_by=F("asked_by")),
                name="reserve_feed_two_people",
            ),
        ]
