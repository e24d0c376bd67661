from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.ids import new_token
from apps.disbursements.models.paying import Disbursement

TRIES = 5


class ConfirmationCode(models.Model):
    """A one-time code for a family to confirm what arrived (P5). Only a keyed hash of the six digits is kept, bound to
    this row's token; the number it went to is not kept at all."""

    disbursement = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="codes")
    attempt = models.PositiveSmallIntegerField()
    token = models.CharField(max_length=64, unique=True, default=new_token)
    code_hash = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tries__lte=TRIES), name="confirmation_five_tries"),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, code_hash="") | Q(sent_at__isnull=False) & ~Q(code_hash=""),
                name="confirmation_sent_has_hash",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(sent_at__isnull=False), name="confirmation_used_was_sent"
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["disbursement", "-id"], name="confirmation_newest")]
