"""Audits of reports: who was drawn, what they found, what they signed (D4)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.accounts.models import Person
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


class Audit(models.Model):
    """A draw and, later, a signed opinion. `eligible` lists the firms drawn from, one place per auditor."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="audits")
    firm = models.ForeignKey(AuditFirm, on_delete=models.PROTECT)
    auditor = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()
    seed_sha256 = models.CharField(max_length=64)
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
    title = models.CharField(max_length=80)
    text = models.TextField()
    reply = models.TextField(blank=True)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        triggers = guard("finding", GUARD_FINDING, [("stands", "text")])
