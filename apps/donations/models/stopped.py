from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change
from apps.donations import states
from apps.funds.models import MicroFund, Project


@append_only
class StoppedAttempt(models.Model):
    """An attempt to give that a limit stopped; no provider was called. `times` is how many it stands for: a script's
    are kept one by one at first, then by the hundred. `address` and `device` are hashes keyed by site and day."""

    at = models.DateTimeField()
    limit = models.CharField(max_length=8, choices=states.Limit)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    address = models.CharField(max_length=32, blank=True)
    device = models.CharField(max_length=32, blank=True)
    times = models.PositiveIntegerField(default=1)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(times__gt=0), name="stopped_stands_for_some")]
        indexes = [
            models.Index(fields=["fund", "-at", "-id"], name="stopped_newest"),
        ]
        triggers = refuse_change("stoppedattempt")
