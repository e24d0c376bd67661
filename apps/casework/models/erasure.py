"""Crypto-erasure by two people, and how long a file may be kept."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person
from apps.casework.models.household import Household


class ErasureRequest(models.Model):
    """Asked by one person, done or refused by another."""

    class Status(models.TextChoices):
        ASKED = "asked", _("待第二人批准")
        DONE = "done", _("已销毁")
        REFUSED = "refused", _("未批准")

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="erasures")
    status = models.CharField(max_length=8, choices=Status, default=Status.ASKED)
    ground = models.CharField(max_length=200)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="erasure_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(status="asked", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(status="asked") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="erasure_decided_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["household"], condition=Q(status="asked"), name="erasure_asked_once"
            ),
        ]


class RetentionRule(models.Model):
    """How many years a file is kept after the family's last aid (or its registration), and by which law."""

    kind = models.CharField(max_length=24)
    years = models.PositiveSmallIntegerField()
    law_zh = models.CharField(max_length=200)
    law_en = models.CharField(max_length=200, blank=True)
    effective_from = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "effective_from"], name="retention_rule_once"),
            models.CheckConstraint(condition=Q(years__gt=0), name="retention_years_positive"),
        ]

    @property
    def law(self) -> str:
        """This will give the rule's source in the reader's language."""
        return self.law_en if self.law_en and (get_language() or "").startswith("en") else self.law_zh
