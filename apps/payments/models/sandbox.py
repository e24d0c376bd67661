"""The embedded test cashier's own memory: what a real provider would keep on its side."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from apps.payments import states


class SandboxSubscription(models.Model):
    """A standing order at the test cashier; each month that was collected is a session of its own."""

    ref = models.CharField(max_length=60, unique=True)
    reference = models.CharField(max_length=60, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    return_url = models.CharField(max_length=500)
    status = models.CharField(max_length=8, default="open")
    card_fails = models.BooleanField(default=False)
    attempt = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    keys = models.JSONField(default=list)

    @property
    def said(self) -> str:
        """This will give its state in the reader's words."""
        return str(states.SubscriptionStatus(self.status).label)


class SandboxSession(models.Model):
    """A payment at the test cashier."""

    ref = models.CharField(max_length=60, unique=True)
    reference = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=12)
    description = models.CharField(max_length=200)
    return_url = models.CharField(max_length=500)
    status = models.CharField(max_length=12, default="open")
    fee = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    subscription = models.ForeignKey(
        SandboxSubscription, on_delete=models.PROTECT, null=True, related_name="months"
    )


class SandboxRefund(models.Model):
    """A refund at the test cashier; `reference` is empty for one made in its "dashboard"."""

    ref = models.CharField(max_length=60, unique=True)
    key = models.CharField(max_length=120, unique=True)
    session = models.ForeignKey(SandboxSession, on_delete=models.PROTECT, related_name="refunds")
    reference = models.CharField(max_length=60, blank=True)
    amount = models.BigIntegerField()
    status = models.CharField(max_length=12, default="sent")
    failure = models.CharField(max_length=60, blank=True)
    made_at = models.DateTimeField()

    @property
    def said(self) -> str:
        """This will give its state in the reader's words."""
        return str(states.RefundStatus(self.status).label)


class SandboxDispute(models.Model):
    """A dispute at the test cashier, with what it took and gave back."""

    ref = models.CharField(max_length=60, unique=True)
    session = models.ForeignKey(SandboxSession, on_delete=models.PROTECT, related_name="disputes")
    amount = models.BigIntegerField()
    status = models.CharField(max_length=12, default="open")
    withdrawn_at = models.DateTimeField(null=True)
    returned = models.BigIntegerField(default=0)
    returned_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()

    @property
    def said(self) -> str:
        """This will give its state in the reader's words."""
        return str(states.DisputeStatus(self.status).label)
