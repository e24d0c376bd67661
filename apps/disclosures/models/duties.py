"""What the law asks for and when (D1, D2). Kinds are rows of data, because the measures change."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import get_language

from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id
from apps.disclosures import states
from apps.funds.models import Project
from apps.organizations.models import Organization

R = states.Rule


GUARD_KIND = """
  IF TG_OP = 'DELETE' OR OLD.effective_until IS NOT NULL OR NEW.effective_until < OLD.effective_from
     OR (to_jsonb(NEW) - 'effective_until') IS DISTINCT FROM (to_jsonb(OLD) - 'effective_until') THEN
    RAISE EXCEPTION 'duty_kind_stands: a row of the law''s table never changes; a later row takes its place';
  END IF;
  RETURN NEW;
"""


class DutyKind(models.Model):
    """A kind of disclosure as the law has it from a day on, until the next row of its code or `effective_until`.

    `trigger` begins it, `applies` says for whom, `rule` with `number` (months, days or working days) or with
    `due_month` and `due_day` of the next year gives the date, `fields` name what is computed (figures.COMPUTERS).
    A row stands for ever, only its end may be set once: what was owed by it is owed. `set_by` is None for rows that
    came with the software.
    """

    code = models.SlugField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    scope = models.CharField(max_length=12, choices=states.Scope, default=states.Scope.PROJECT)
    trigger = models.CharField(max_length=40, choices=states.Trigger)
    applies = models.CharField(max_length=16, choices=states.Applies, default=states.Applies.EVERY)
    rule = models.CharField(max_length=20, choices=states.Rule, default=states.Rule.EVERY_MONTHS)
    number = models.PositiveSmallIntegerField(null=True)
    due_month = models.PositiveSmallIntegerField(null=True)
    due_day = models.PositiveSmallIntegerField(null=True)
    fields = models.JSONField(default=list)
    audited = models.BooleanField()
    legal_source = models.CharField(max_length=200)
    second_hand = models.BooleanField(default=False)
    effective_from = models.DateField()
    effective_until = models.DateField(null=True)
    set_by = models.BigIntegerField(null=True)
    set_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "effective_from"], name="duty_kind_once"),
            models.CheckConstraint(
                condition=Q(rule=R.YEARLY_BY, number__isnull=True, due_month__range=(1, 12), due_day__range=(1, 31))
                | ~Q(rule=R.YEARLY_BY) & Q(number__gt=0, due_month__isnull=True, due_day__isnull=True),
                name="duty_kind_has_its_date",
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gte=F("effective_from")),
                name="duty_kind_dates",
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="duty_kind_stands", operation=pgtrigger.Update | pgtrigger.Delete, when=pgtrigger.Before,
                func=GUARD_KIND,
            ),
            refuse_change("dutykind")[1],
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


@append_only
class Occurrence(models.Model):
    """Something an organization declares, or the supervisor orders, that begins a duty: a major change of assets, a
    dealing with a related party, a trust, a correction. `about` is the report to be corrected."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    code = models.SlugField(max_length=40)
    happened_on = models.DateField()
    title = models.CharField(max_length=120)
    amount = models.BigIntegerField(null=True)
    about = models.CharField(max_length=16, blank=True)
    declared_by = models.BigIntegerField(null=True)
    declared_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="occurrence_has_title")]
        triggers = refuse_change("occurrence")


class Duty(models.Model):
    """One report that somebody owes. `began_on` is the first day of what is reported on; a recurring window n runs from
    `starts_on` to the day before `due_on`. `subject` tells two duties of an organization apart: the year, or what was
    declared. `lapsed_on`: the reason to report went away before the date, and another report covers it."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    kind = models.ForeignKey(DutyKind, on_delete=models.PROTECT)
    code = models.SlugField(max_length=40)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="duties", null=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    subject = models.CharField(max_length=40, blank=True)
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
    lapsed_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "code", "n"], condition=Q(project__isnull=False), name="duty_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "code", "subject", "n"], condition=Q(project__isnull=True),
                name="duty_of_organization_once",
            ),
            models.CheckConstraint(
                condition=Q(n__gt=0, starts_on__gte=F("began_on"), due_on__gt=F("starts_on")),
                name="duty_dates",
            ),
            models.CheckConstraint(
                condition=Q(extended_due_on__isnull=True, extension_reason="", extended_by__isnull=True)
                | Q(extended_due_on__gt=F("due_on"), extended_by__isnull=False) & ~Q(extension_reason=""),
                name="duty_extension_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(lapsed_on__isnull=True)
                | Q(fulfilled_on__isnull=True)
                & (Q(lapsed_on__lte=F("due_on")) | Q(lapsed_on__lte=F("extended_due_on"))),
                name="duty_lapses_only_in_time",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["due_on", "id"], name="duty_open",
                condition=Q(fulfilled_on__isnull=True, lapsed_on__isnull=True),
            ),
            models.Index(fields=["organization", "-due_on", "-id"], name="duty_by_organization"),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(name="duty_stays", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="duty_dates_stay", operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "public_id", "kind", "code", "project", "organization", "subject", "n", "began_on", "starts_on",
                    "due_on", "created_at",
                ),
            ),
            pgtrigger.Protect(
                name="duty_fulfilled_once", operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__fulfilled_on__isnull=False)
                & pgtrigger.Q(old__fulfilled_on__df=pgtrigger.F("new__fulfilled_on")),
            ),
            pgtrigger.Protect(
                name="duty_lapsed_once", operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lapsed_on__isnull=False)
                & pgtrigger.Q(old__lapsed_on__df=pgtrigger.F("new__lapsed_on")),
            ),
        ]  # fmt: skip

    @property
    def title(self) -> str:
        """What is reported on: the project, or the organization."""
        return str(self.project or self.organization)

    @property
    def which(self) -> str:
        """Which of its kind: the number of a recurring window, the year of a yearly report, else nothing."""
        if self.kind.rule == R.YEARLY_BY:
            return str(self.began_on.year)
        return str(self.n) if self.kind.rule in states.RECURRING else ""


@append_only
class DutyLateness(models.Model):
    """A duty passed its date. This row can never be removed, whatever is published later (D2)."""

    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="lateness")
    due_on = models.DateField()
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["duty", "due_on"], name="duty_lateness_once")]
        triggers = refuse_change("dutylateness")


@append_only
class DutyExtension(models.Model):
    """Every later date the supervisor gave, with its public reason (D2): one extension doesn't hide another."""

    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="extensions")
    was_due_on = models.DateField()
    until = models.DateField()
    reason = models.CharField(max_length=300)
    person = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("was_due_on")) & ~Q(reason=""), name="extension_is_later")
        ]  # fmt: skip
        triggers = refuse_change("dutyextension")


@append_only
class DutyReminder(models.Model):
    """A reminder that was sent out: once for each date and distance, whatever crashes (D2)."""

    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="reminders")
    due_on = models.DateField()
    days = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["duty", "due_on", "days"], name="duty_reminder_once")]
        triggers = refuse_change("dutyreminder")
