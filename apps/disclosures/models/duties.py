"""What the law asks for and when (D1, D2). Kinds are rows of data, because the measures change."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import get_language

from apps.core.append_only import append_only, refuse_change
from apps.funds.models import Project
from apps.organizations.models import Organization


class DutyKind(models.Model):
    """A kind of disclosure as the law has it from a day on. `months`: how often it recurs, or within how many months of
    its trigger it is due."""

    code = models.SlugField(max_length=40)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    trigger = models.CharField(max_length=40)
    months = models.PositiveSmallIntegerField()
    audited = models.BooleanField()
    legal_source = models.CharField(max_length=200)
    effective_from = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "effective_from"], name="duty_kind_once"),
            models.CheckConstraint(condition=Q(months__gt=0), name="duty_kind_months"),
        ]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class Duty(models.Model):
    """One report that somebody owes. `began_on` is the first day of what is reported on; window n runs from
    `starts_on` to the day before `due_on`, both counted in calendar months from `began_on`."""

    kind = models.ForeignKey(DutyKind, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="duties")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    n = models.PositiveSmallIntegerField()
    began_on = models.DateField()
    starts_on = models.DateField()
    due_on = models.DateField()
    created_by_event = models.CharField(max_length=60)
    created_at = models.DateTimeField(db_default=Now())
    extended_due_on = models.DateField(null=True)
    extension_reason = models.CharField(max_length=300, blank=True)
    extended_by = models.BigIntegerField(null=True)
    fulfilled_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "n"], name="duty_once"),
            models.CheckConstraint(
                condition=Q(n__gt=0, starts_on__gte=F("began_on"), due_on__gt=F("starts_on")),
                name="duty_dates",
            ),
            models.CheckConstraint(
                condition=Q(extended_due_on__isnull=True, extension_reason="", extended_by__isnull=True)
                | Q(extended_due_on__gt=F("due_on"), extended_by__isnull=False) & ~Q(extension_reason=""),
                name="duty_extension_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["due_on", "id"], name="duty_open", condition=Q(fulfilled_on__isnull=True))
        ]
        triggers = [
            pgtrigger.Protect(name="duty_stays", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="duty_dates_stay", operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "kind", "project", "organization", "n", "began_on", "starts_on", "due_on", "created_at"
                ),
            ),
            pgtrigger.Protect(
                name="duty_fulfilled_once", operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__fulfilled_on__isnull=False)
                & pgtrigger.Q(old__fulfilled_on__df=pgtrigger.F("new__fulfilled_on")),
            ),
        ]  # fmt: skip


@append_only
class DutyLateness(models.Model):
    """A duty passed its date. This row can never be removed, whatever is published later (D2)."""

    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="lateness")
    due_on = models.DateField()
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["duty", "due_on"], name="duty_lateness_once")]
        triggers = refuse_change("dutylateness")
