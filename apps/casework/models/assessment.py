"""Needs assessments by two visitors, under a numbered form; and the history of a household's income tier."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person
from apps.casework.models.household import Household, IncomeTier
from apps.core.append_only import append_only, refuse_change


@append_only
class AssessmentForm(models.Model):
    """A version of the questions. `questions`: [{"key", "zh", "en", "answers": [{"key", "zh", "en", "points"}]}]."""

    version = models.PositiveSmallIntegerField(unique=True)
    questions = models.JSONField()
    effective_from = models.DateField()

    class Meta:
        triggers = refuse_change("assessmentform")


class Assessment(models.Model):
    """One visit. The answers are sealed with the household's key; the score stands beside them and is explained when
    they are opened. The second visitor signs in person: the same one can't, whatever their roles."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="assessments")
    form = models.ForeignKey(AssessmentForm, on_delete=models.PROTECT, related_name="+")
    answers = models.BinaryField(null=True)
    score = models.PositiveSmallIntegerField()
    visited_on = models.DateField()
    first_visitor = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    second_visitor = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(second_visitor__isnull=True) | ~Q(second_visitor=F("first_visitor")),
                name="assessment_two_visitors",
            ),
            models.CheckConstraint(
                condition=Q(second_visitor__isnull=True, confirmed_at__isnull=True)
                | Q(second_visitor__isnull=False, confirmed_at__isnull=False),
                name="assessment_confirmed_by_somebody",
            ),
            models.CheckConstraint(condition=Q(score__lte=100), name="assessment_score_to_100"),
        ]
        indexes = [models.Index(fields=["household", "-id"], name="assessment_by_household")]


@append_only
class TierRow(models.Model):
    """What a household's income tier was said to be, by whom, from when until when. The newest row that covers a day is
    the tier on that day; Household.income_tier is the present one."""

    class Source(models.TextChoices):
        CASEWORKER = "caseworker", _("社工按证明材料登记")
        REGISTRY = "registry", _("部门名单比对")

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="tiers")
    tier = models.CharField(max_length=12, choices=IncomeTier)
    source = models.CharField(max_length=12, choices=Source)
    reference = models.CharField(max_length=120, blank=True)
    registry_list = models.BigIntegerField(null=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    recorded_by = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="tier_period_in_order",
            ),
            models.CheckConstraint(
                condition=(Q(source="registry") & Q(registry_list__isnull=False))
                | (Q(source="caseworker") & Q(recorded_by__isnull=False)),
                name="tier_has_source",
            ),
        ]
        indexes = [models.Index(fields=["household", "-id"], name="tier_by_household")]
        triggers = refuse_change("tierrow")
