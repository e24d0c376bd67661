from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.disbursements import states
from apps.disbursements.models.paying import Disbursement


class Undo(models.Model):
    """A paid disbursement taken back, whole by the bank, or whole or in part by us: asked for by one person, booked by
    another. `amount` in minor units."""

    disbursement = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="undos")
    kind = models.CharField(max_length=8, choices=states.UndoKind)
    amount = models.BigIntegerField(db_default=0)
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)
    entry = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="undo_has_reason"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="undo_positive"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True, decided_at__isnull=True, agreed__isnull=True, entry__isnull=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False, agreed=True, entry__isnull=False)
                & ~Q(decided_by=F("asked_by"))
                | Q(decided_by__isnull=False, decided_at__isnull=False, agreed=False, entry__isnull=True),
                name="undo_two_people",
            ),
            models.UniqueConstraint(
                fields=["disbursement"], condition=Q(decided_at__isnull=True), name="undo_open_once"
            ),
        ]  # fmt: skip
