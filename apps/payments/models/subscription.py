"""A standing order by card (月捐): our intent, what the provider says of it, and the changes a donor asked for."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change
from apps.core.transitions import StatusChange
from apps.payments import states

S = states.SubscriptionStatus


class Subscription(models.Model):
    """What we asked a provider to collect every month. `purpose` is opaque here ("monthly:17")."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(max_length=60, unique=True)
    provider = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=states.SubscriptionStatus, default=S.CREATED)
    ref = models.CharField(max_length=255, blank=True)
    session_ref = models.CharField(max_length=255, blank=True)
    checkout_url = models.URLField(max_length=2000, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="subscription_positive"),
            models.UniqueConstraint(
                fields=["provider", "ref"], condition=~Q(ref=""), name="subscription_ref_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[S.CREATED, S.OPEN, S.EXPIRED], started_at__isnull=True)
                | Q(status__in=[S.ACTIVE, S.PAST_DUE, S.PAUSED, S.ENDED], started_at__isnull=False),
                name="subscription_started_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status=S.ENDED, ended_at__isnull=False)
                | ~Q(status=S.ENDED) & Q(ended_at__isnull=True),
                name="subscription_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["checked_at", "id"],
                name="subscription_live",
                condition=Q(status__in=["created", "open", "active", "past_due", "paused"]),
            )
        ]


class SubscriptionStatusChange(StatusChange):
    record = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="changes")


class SubscriptionOrder(models.Model):
    """A change that a donor asked for, sent to the provider with its uuid as idempotency key until it is taken."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="orders")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=8, choices=states.OrderKind)
    amount = models.BigIntegerField(null=True)
    status = models.CharField(max_length=8, choices=states.OrderStatus, default=states.OrderStatus.WAITING)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(status="waiting"),
                name="subscription_one_order_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(kind="amount", amount__gt=0) | ~Q(kind="amount") & Q(amount__isnull=True),
                name="subscription_order_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", done_at__isnull=True)
                | ~Q(status="waiting") & Q(done_at__isnull=False),
                name="subscription_order_done_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="subscription_order_due", condition=Q(status="waiting")
            )
        ]


@append_only
class FailedCharge(models.Model):
    """A try to collect a month that failed, once per charge and try; `last` when the provider tries no more."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="failed_charges")
    charge_ref = models.CharField(max_length=255)
    attempt = models.PositiveSmallIntegerField()
    last = models.BooleanField()
    next_at = models.DateTimeField(null=True)
    amount = models.BigIntegerField()
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "charge_ref", "attempt"], name="failed_charge_once"
            ),
            models.CheckConstraint(condition=Q(attempt__gt=0), name="failed_charge_counts_from_one"),
        ]
        triggers = refuse_change("failedcharge")
