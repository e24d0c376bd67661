"""Rule tables of the assistance centres (C6): versioned data, never code. A published version doesn't change; the next
one ends it. That no two of a centre's published versions overlap, an exclusion constraint holds (migration 0004)."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.disbursements import states
from apps.organizations.models import Organization

_FROZEN = """
IF EXISTS (SELECT 1 FROM disbursements_ruleversion v WHERE v.id = {row}.version_id AND v.status = 'published') THEN
  RAISE EXCEPTION 'a published rule does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_frozen';
END IF;
RETURN {row};
"""

_ENDED_ONCE = """
IF OLD.status = 'published' AND (TG_OP = 'DELETE' OR OLD.effective_to IS NOT NULL
   OR (to_jsonb(NEW) - 'effective_to') <> (to_jsonb(OLD) - 'effective_to')) THEN
  RAISE EXCEPTION 'a published rule does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_frozen';
END IF;
IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
RETURN NEW;
"""


def _frozen(name: str) -> list[pgtrigger.Trigger]:
    return [
        pgtrigger.Trigger(
            name=f"{name}_frozen_new", operation=pgtrigger.Insert | pgtrigger.Update, when=pgtrigger.Before,
            func=_FROZEN.format(row="NEW"),
        ),
        pgtrigger.Trigger(
            name=f"{name}_frozen_old", operation=pgtrigger.Delete, when=pgtrigger.Before, func=_FROZEN.format(row="OLD")
        ),
    ]  # fmt: skip


class RuleVersion(models.Model):
    """One version of a centre's table, in force on [effective_from, effective_to)."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    kind = models.CharField(max_length=10, choices=states.AidKind)
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=states.RuleStatus, default=states.RuleStatus.DRAFT)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)
    note = models.CharField(max_length=300)
    drafted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    published_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "number"], name="rule_number_once"),
            models.CheckConstraint(
                condition=Q(status="draft", published_by__isnull=True, published_at__isnull=True, effective_to=None)
                | Q(status="published", published_by__isnull=False, published_at__isnull=False)
                & ~Q(published_by=F("drafted_by")),
                name="rule_two_people",
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="rule_ends_after"
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="ruleversion_frozen", operation=pgtrigger.Update | pgtrigger.Delete, when=pgtrigger.Before,
                func=_ENDED_ONCE,
            )
        ]  # fmt: skip


class RuleRow(models.Model):
    """A row of a table: a level's amount, a band of out-of-pocket cost with its share, a cap, a grade, a stage, a tier.

    Amounts in fen, shares in hundredths of a percent.
    """

    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="rows")
    n = models.PositiveSmallIntegerField()
    what = models.CharField(max_length=6, choices=states.RowKind)
    key = models.CharField(max_length=20)
    label_zh = models.CharField(max_length=60)
    label_en = models.CharField(max_length=80)
    floor = models.BigIntegerField(null=True)
    ceiling = models.BigIntegerField(null=True)
    share_bp = models.PositiveIntegerField(null=True)
    amount = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "n"], name="rule_row_number_once"),
            models.UniqueConstraint(fields=["version", "what", "key"], name="rule_row_key_once"),
            models.CheckConstraint(
                condition=Q(what="band", floor__gte=0, share_bp__gt=0, share_bp__lte=10_000, amount__isnull=True)
                & (Q(ceiling__isnull=True) | Q(ceiling__gt=F("floor")))
                | Q(what="stage", share_bp__gt=0, share_bp__lte=10_000, amount__isnull=True, floor__isnull=True)
                | Q(what="grade", share_bp__gt=0, share_bp__lte=10_000, amount__gt=0, floor__isnull=True)
                | Q(what__in=["level", "cap", "tier"], amount__gt=0, share_bp__isnull=True, floor__isnull=True),
                name="rule_row_columns",
            ),
        ]  # fmt: skip
        triggers = _frozen("rulerow")


class RuleEvidence(models.Model):
    """A kind of attachment that an application (or a stage of it) must have in the family's file."""

    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="evidence")
    stage = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=24)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "stage", "kind"], name="rule_evidence_once")
        ]
        triggers = _frozen("ruleevidence")


class RuleExample(models.Model):
    """A case the officers can read, with what it must come to; publishing computes it again (C6)."""

    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="examples")
    n = models.PositiveSmallIntegerField()
    title_zh = models.CharField(max_length=160)
    title_en = models.CharField(max_length=200)
    facts = models.JSONField()
    given_before = models.BigIntegerField(default=0)
    expected = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "n"], name="rule_example_number_once")]
        triggers = _frozen("ruleexample")
