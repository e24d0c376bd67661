"""Permissions for a text that the privacy check stopped: asked by one person, given or refused by another (C5)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.core.ids import new_public_id


class PrivacyOverride(models.Model):
    """A text, known by its keyed hash, and the kinds of hits it may be published with. The words themselves are sealed
    while a second person has to read them, and gone with the decision; the row stays as the log."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    digest = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    kinds = models.JSONField()
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    allowed = models.BooleanField(null=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="privacy_override_two_people",
            ),
            models.CheckConstraint(
                condition=Q(allowed__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | (
                    Q(allowed__isnull=False, decided_by__isnull=False, decided_at__isnull=False, text="")
                    & ~Q(decided_why="")
                ),
                name="privacy_override_decided_with_reason",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="privacy_override_has_reason"),
            models.UniqueConstraint(
                fields=["digest"], condition=Q(allowed__isnull=True), name="privacy_override_asked_once"
            ),
        ]
        indexes = [models.Index(fields=["digest"], name="privacy_override_by_digest")]
