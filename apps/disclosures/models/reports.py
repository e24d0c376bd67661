"""Reports, their lines, and which public uses of money each one holds.

The database itself keeps three promises, for every role, the owner included: figures and text stand still from
submission on; a difference without an explanation is never submitted; a published report never changes, but for being
marked as superseded (D3, D4, D5).
"""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id
from apps.core.transitions import StatusChange
from apps.disclosures import states
from apps.disclosures.models.duties import Duty, DutyKind
from apps.funds.models import Project
from apps.organizations.models import Organization
from apps.publication.models import ExpenseUse, Release, Residual

S = states.Status
NO_TRUNCATE = "RAISE EXCEPTION 'rows of % are never removed', TG_TABLE_NAME;"

GUARD_REPORT = """
IF TG_OP = 'DELETE' THEN
  IF OLD.status <> 'draft' THEN RAISE EXCEPTION 'a report that was submitted is never deleted'; END IF;
  RETURN OLD;
END IF;
IF OLD.status IN ('published', 'superseded') THEN
  IF (to_jsonb(NEW) - 'status') IS DISTINCT FROM (to_jsonb(OLD) - 'status')
     OR NOT (NEW.status = OLD.status OR (OLD.status = 'published' AND NEW.status = 'superseded')) THEN
    RAISE EXCEPTION 'a published report never changes';
  END IF;
  RETURN NEW;
END IF;
IF (NEW.public_id, NEW.kind_id, NEW.project_id, NEW.organization_id, NEW.duty_id, NEW.drafted_by_id, NEW.corrects_id,
    NEW.root_id, NEW.version)
   IS DISTINCT FROM (OLD.public_id, OLD.kind_id, OLD.project_id, OLD.organization_id, OLD.duty_id, OLD.drafted_by_id,
    OLD.corrects_id, OLD.root_id, OLD.version) THEN
  RAISE EXCEPTION 'what a report is about never changes';
END IF;
IF OLD.status NOT IN ('draft', 'returned')
   AND (NEW.narrative, NEW.narrative_en, NEW.period_start, NEW.period_end, NEW.currency, NEW.cutoff_at, NEW.draw_seed,
        NEW.correction_reason, NEW.revision)
   IS DISTINCT FROM
   (OLD.narrative, OLD.narrative_en, OLD.period_start, OLD.period_end, OLD.currency, OLD.cutoff_at, OLD.draw_seed,
    OLD.correction_reason, OLD.revision) THEN
  RAISE EXCEPTION 'a submitted report stands still';
END IF;
IF NEW.status NOT IN ('draft', 'returned') AND EXISTS (
     SELECT 1 FROM disclosures_reportline l
     WHERE l.report_id = NEW.id AND l.reported <> l.computed AND btrim(l.explanation) = '') THEN
  RAISE EXCEPTION 'report_difference_explained: a difference needs its explanation';
END IF;
IF NEW.status NOT IN ('draft', 'returned') AND NEW.corrects_id IS NOT NULL AND btrim(NEW.correction_reason) = '' THEN
  RAISE EXCEPTION 'correction_has_reason: a correction says why';
END IF;
IF NEW.status = 'published'
   AND (OLD.status <> 'audited' OR NOT EXISTS (
          SELECT 1 FROM disclosures_audit a
          WHERE a.report_id = NEW.id AND a.declined_at IS NULL AND a.opinion <> ''))
   AND (OLD.status <> 'submitted' OR (SELECT k.audited FROM disclosures_dutykind k WHERE k.id = NEW.kind_id)) THEN
  RAISE EXCEPTION 'report_audited_before_public: this kind is published with an auditor''s opinion only';
END IF;
RETURN NEW;
"""

GUARD_PART = """
  of_report := CASE WHEN TG_OP = 'DELETE' THEN OLD.report_id ELSE NEW.report_id END;
  IF TG_OP = 'UPDATE' AND NEW.report_id <> OLD.report_id THEN RAISE EXCEPTION 'a part stays with its report'; END IF;
  SELECT status INTO stands FROM disclosures_report WHERE id = of_report FOR SHARE;
  IF stands NOT IN ('draft', 'returned') THEN RAISE EXCEPTION 'a submitted report stands still'; END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
"""
PART_VARIABLES = [("of_report", "bigint"), ("stands", "text")]


EVERY = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete


def guard(
    name: str, func: str, variables: list[tuple[str, str]], operation: pgtrigger.Operation = EVERY
) -> list[pgtrigger.Trigger]:
    """This will give the triggers of a table whose rows stand still with their report."""
    return [
        pgtrigger.Trigger(
            name=f"{name}_stands", operation=operation, when=pgtrigger.Before, func=func, declare=variables
        ),
        pgtrigger.Trigger(
            name=f"{name}_no_truncate", operation=pgtrigger.Truncate, when=pgtrigger.Before,
            level=pgtrigger.Statement, func=NO_TRUNCATE,
        ),
    ]  # fmt: skip


class Report(models.Model):
    """What an organization says of a period; [period_start, period_end) in civil days of Asia/Shanghai."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    kind = models.ForeignKey(DutyKind, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="reports", null=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="reports")
    corrects = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="corrected_by")
    root = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    version = models.PositiveSmallIntegerField(default=1)
    correction_reason = models.CharField(max_length=300, blank=True)
    period_start = models.DateField()
    period_end = models.DateField()
    currency = models.CharField(max_length=3)
    narrative = models.TextField(blank=True)
    narrative_en = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=S, default=S.DRAFT)
    drafted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)
    edited_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    edited_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    cutoff_at = models.DateTimeField(null=True)
    draw_seed = models.CharField(max_length=64, blank=True)
    published_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    frozen = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="report_period_forward"),
            models.CheckConstraint(
                condition=Q(status__in=[S.DRAFT]) | Q(submitted_at__isnull=False, cutoff_at__isnull=False)
                & ~Q(draw_seed=""),
                name="report_submitted_has_cutoff",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(states.FINAL))
                & Q(frozen__isnull=True, published_at__isnull=True, sha256="")
                | Q(status__in=sorted(states.FINAL), frozen__isnull=False, published_at__isnull=False,
                    published_by__isnull=False) & ~Q(sha256=""),
                name="report_published_is_frozen",
            ),
            models.CheckConstraint(
                condition=Q(published_by__isnull=True) | ~Q(published_by=F("drafted_by")),
                name="report_publisher_not_drafter",
            ),
            models.UniqueConstraint(
                fields=["duty"], condition=Q(corrects__isnull=True), name="report_of_a_duty_once"
            ),
            models.UniqueConstraint(fields=["root", "version"], name="report_version_once"),
            models.CheckConstraint(
                condition=Q(corrects__isnull=True, root__isnull=True, version=1)
                | Q(corrects__isnull=False, root__isnull=False, version__gt=1),
                name="report_correction_has_root",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["project", "-period_end"], name="report_by_project"),
            models.Index(fields=["status", "-id"], name="report_by_status"),
        ]
        triggers = guard("report", GUARD_REPORT, [], pgtrigger.Update | pgtrigger.Delete)

    @property
    def last_day(self) -> dt.date:
        """The last day of the period."""
        return self.period_end - dt.timedelta(days=1)

    @property
    def title(self) -> str:
        """What is reported on: the project, or the organization."""
        return str(self.project or self.organization)

    @property
    def first(self) -> int:
        """The id of the first version of this report."""
        return self.root_id or self.pk


@append_only
class ReportStatusChange(StatusChange):
    record = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="changes")

    class Meta(StatusChange.Meta):
        triggers = refuse_change("reportstatuschange")


class ReportLine(models.Model):
    """One figure: what the organization reports and what the books say at the cut-off. Fen, or households."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="lines")
    section = models.CharField(max_length=8, choices=states.Section)
    key = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField()
    label_zh = models.CharField(max_length=80)
    label_en = models.CharField(max_length=100)
    unit = models.CharField(max_length=10, choices=states.Unit, default=states.Unit.FEN)
    reported = models.BigIntegerField()
    computed = models.BigIntegerField()
    difference = models.GeneratedField(
        expression=F("reported") - F("computed"), output_field=models.BigIntegerField(), db_persist=True
    )
    explanation = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["report", "section", "key"], name="report_line_once"),
            models.CheckConstraint(
                condition=~Q(section="audit") | Q(reported=F("computed")),
                name="report_audit_line_is_computed",
            ),
        ]
        triggers = guard("reportline", GUARD_PART, PART_VARIABLES)


class ReportUse(models.Model):
    """A release, a public expense, or what remained of a completed project's aid (C4), that a report holds; each by one
    report only, for ever once it is published."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="uses")
    release = models.OneToOneField(Release, on_delete=models.PROTECT, null=True)
    expense = models.OneToOneField(ExpenseUse, on_delete=models.PROTECT, null=True)
    residual = models.OneToOneField(Residual, on_delete=models.PROTECT, null=True)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(release__isnull=False, expense__isnull=True, residual__isnull=True)
                | Q(release__isnull=True, expense__isnull=False, residual__isnull=True)
                | Q(release__isnull=True, expense__isnull=True, residual__isnull=False),
                name="report_use_is_one",
            )
        ]
        triggers = guard("reportuse", GUARD_PART, PART_VARIABLES)


class ReportAttachment(models.Model):
    """A file that belongs to a report and becomes public with it. The bytes lie on disk under their own hash
    (apps.disclosures.attachments); this row stands still with its report."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="attachments")
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=40, choices=[(each, each) for each in states.ATTACHMENT_TYPES])
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    added_by = models.BigIntegerField()
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["report", "sha256"], name="report_attachment_once"),
            models.CheckConstraint(
                condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="report_attachment_hash"
            ),
        ]
        triggers = guard("reportattachment", GUARD_PART, PART_VARIABLES)
