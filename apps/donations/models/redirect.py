"""A late gift that its donor gave another project: the money moved, the gift and its receipt stay (F5)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.append_only import append_only, refuse_change
from apps.donations.models.gift import Gift
from apps.funds.models import Project
from apps.ledger.models import Entry


@append_only
class GiftRedirect(models.Model):
    gift = models.OneToOneField(Gift, on_delete=models.PROTECT, related_name="redirect")
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    amount = models.BigIntegerField()
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    redirected_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="redirect_positive")]
        triggers = refuse_change("giftredirect")
