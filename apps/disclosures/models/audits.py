"""Audits of reports: who was drawn, what they found, what they signed (D4)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Person
from apps.core.append_only import append_only, refuse_change
from apps.disclosures import states
from apps.disclosures.models.reports import Report, guard
from apps.organizations.models import AuditFirm

GUARD_AUDIT = """
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'an audit is never deleted'; END IF;
  SELECT * INTO of_report FROM disclosures_report WHERE id = NEW.report_id;
  IF NEW.auditor_id = of_report.drafted_by_id THEN
    RAISE EXCEPTION 'audit_not_by_the_drafter: the auditor never wrote the report';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.report_id, NEW.firm_id, NEW.auditor_id, NEW.drawn_at, NEW.seed_sha256, NEW.eligible)
     IS DISTINCT FROM (OLD.report_id, OLD.firm_id, OLD.auditor_id, OLD.drawn_at, OLD.seed_sha256, OLD.eligible) THEN
    RAISE EXCEPTION 'a draw never changes';
  END IF;
  IF TG_OP = 'UPDATE' AND (OLD.opinion <> '' OR of_report.status IN ('audited', 'published', 'superseded')) THEN
    RAISE EXCEPTION 'a signed opinion never changes';
  END IF;
  RETURN NEW;
"""

GUARD_FINDING = """
  SELECT status INTO stands FROM disclosures_report
  WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.report_id ELSE NEW.report_id END FOR SHARE;
  IF stands = 'under_audit' THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND stands = 'audited' AND (to_jsonb(NEW) - 'reply') = (to_jsonb(OLD) - 'reply') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'findings are written during the audit, answered before publication, and then stand still';
"""


GUARD_SAMPLE = """
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'a drawn sample is never removed'; END IF;
  SELECT status INTO stands FROM disclosures_report r JOIN disclosures_audit a ON a.report_id = r.id
  WHERE a.id = NEW.audit_id FOR SHARE OF r;
  IF stands <> 'under_audit' OR TG_OP = 'UPDATE'
     AND (to_jsonb(NEW) - ARRAY['result', 'note', 'checked_at'])
         IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['result', 'note', 'checked_at']) THEN
    RAISE EXCEPTION 'a sample stands as it was drawn, and its checks are written during the audit';
  END IF;
  RETURN NEW;
"""


class Audit(models.Model):
    """A draw and, later, a signed opinion. `eligible` lists the firms drawn from, one place per auditor."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="audits")
    firm = models.ForeignKey(AuditFirm, on_delete=models.PROTECT)
    auditor = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()
    seed_sha256 = models.CharField(max_length=64)
    population = models.PositiveIntegerField(default=0)
    population_sha256 = models.CharField(max_length=64, blank=True)
    eligible = models.JSONField()
    place = models.PositiveIntegerField()
    declined_at = models.DateTimeField(null=True)
    decline_reason = models.CharField(max_length=300, blank=True)
    opinion = models.CharField(max_length=12, choices=states.Opinion, blank=True)
    opinion_text = models.TextField(blank=True)
    signed_name = models.CharField(max_length=80, blank=True)
    signed_at = models.DateTimeField(null=True)
    signed_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["report"], condition=Q(declined_at__isnull=True), name="audit_live_once"
            ),
            models.CheckConstraint(
                condition=Q(opinion="", signed_at__isnull=True, signed_sha256="", signed_name="")
                | ~Q(opinion="")
                & ~Q(opinion_text="")
                & Q(signed_at__isnull=False, declined_at__isnull=True)
                & ~Q(signed_sha256="")
                & ~Q(signed_name=""),
                name="audit_opinion_is_signed",
            ),
            models.CheckConstraint(
                condition=Q(declined_at__isnull=True) | ~Q(decline_reason=""),
                name="audit_declined_has_reason",
            ),
        ]
        triggers = guard("audit", GUARD_AUDIT, [("of_report", "disclosures_report%ROWTYPE")])


class Finding(models.Model):
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="findings")
    severity = models.CharField(max_length=8, choices=states.Severity)
    resolved_at = models.DateTimeField(null=True)
    title = models.CharField(max_length=80)
    text = models.TextField()
    reply = models.TextField(blank=True)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        triggers = guard("finding", GUARD_FINDING, [("stands", "text")])


@append_only
class FindingMessage(models.Model):
    """What the auditor and the organization say to each other about a finding, before it is public or not."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="messages")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=80)
    by_auditor = models.BooleanField()
    text = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="finding_message_says_something")]
        triggers = refuse_change("findingmessage")


class SampleItem(models.Model):
    """A payment that the committed seed draws for the auditor to look at; `rank` is where the draw put it."""

    audit = models.ForeignKey(Audit, on_delete=models.PROTECT, related_name="sample")
    rank = models.PositiveIntegerField()
    entry = models.BigIntegerField()
    disbursement = models.BigIntegerField()
    amount = models.BigIntegerField()
    result = models.CharField(max_length=8, choices=states.SampleResult, blank=True)
    note = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["audit", "rank"], name="sample_rank_once"),
            models.UniqueConstraint(fields=["audit", "entry"], name="sample_entry_once"),
            models.CheckConstraint(
                condition=Q(result="", checked_at__isnull=True) | ~Q(result="") & Q(checked_at__isnull=False),
                name="sample_checked_has_time",
            ),
            models.CheckConstraint(condition=~Q(result="fault") | ~Q(note=""), name="sample_fault_has_note"),
        ]
        triggers = guard("sampleitem", GUARD_SAMPLE, [("stands", "text")])
