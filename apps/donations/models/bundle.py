"""Receipts taken away as one file: who asked, which receipts, how far a worker is."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.ids import new_public_id, new_token
from apps.core.transitions import StatusChange
from apps.donations import states

B = states.BundleStatus


class ReceiptBundle(models.Model):
    """One ZIP of receipts. `up_to` fixes the set: receipts only grow, so a question with it always means the same rows.
    A worker makes a part at a time; `parts` and `last` are what a killed one left done."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    asked_by = models.BigIntegerField()
    asked_by_label = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    query = models.JSONField(default=dict)
    up_to = models.BigIntegerField()
    total = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=states.BundleStatus, default=B.MAKING)
    made = models.PositiveIntegerField(default=0)
    parts = models.PositiveIntegerField(default=0)
    last = models.BigIntegerField(default=0)
    file = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    cancel_asked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status=B.MAKING, finished_at__isnull=True)
                | ~Q(status=B.MAKING) & Q(finished_at__isnull=False),
                name="receipt_bundle_ends_once",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[B.DONE, B.EXPIRED]) | Q(made=models.F("total")) & ~Q(sha256=""),
                name="receipt_bundle_done_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(made__lte=models.F("total")), name="receipt_bundle_within_total"
            ),
        ]
        indexes = [
            models.Index(
                fields=["status"], name="receipt_bundle_live", condition=Q(status__in=["making", "done"])
            ),
            models.Index(fields=["asked_by", "-id"], name="receipt_bundle_own"),
        ]


class ReceiptBundleStatusChange(StatusChange):
    record = models.ForeignKey(ReceiptBundle, on_delete=models.PROTECT, related_name="changes")
