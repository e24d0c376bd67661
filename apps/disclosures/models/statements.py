"""The lines of the statutory statements (民间非营利组织会计制度), each mapped to ledger accounts as data."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.disclosures import states
from apps.organizations.models import Organization


class StatementLine(models.Model):
    """A line of a statement: the balance or turnover of ledger accounts by role, or the sum of other lines.

    `roles`: ledger account roles. `earmarks`: "restricted" or "unrestricted" counts only lines of such earmarks.
    `kinds`: kinds of entries, for cash flow; empty counts all. `sums`: codes of lines that add up, "-" before a code
    takes it off. `sign`: -1 turns a credit balance into a positive figure.
    """

    statement = models.CharField(max_length=8, choices=[(each, each) for each in states.STATEMENTS])
    code = models.CharField(max_length=24)
    position = models.PositiveSmallIntegerField()
    label_zh = models.CharField(max_length=80)
    label_en = models.CharField(max_length=100)
    roles = models.JSONField(default=list)
    earmarks = models.CharField(max_length=12, blank=True)
    kinds = models.JSONField(default=list)
    sums = models.JSONField(default=list)
    sign = models.SmallIntegerField(default=1)
    source = models.CharField(max_length=160)
    effective_from = models.DateField()

    class Meta:
        ordering = ["statement", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "code", "effective_from"], name="statement_line_once"
            ),
            models.CheckConstraint(condition=Q(sign__in=(-1, 1)), name="statement_line_sign"),
        ]


class YearSum(models.Model):
    """A calendar year of an organization's book in fen, counted by the clock, so that no page scans the ledger (D7).
    `net_assets`: at the year's end, or so far."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="year_sums")
    year = models.PositiveSmallIntegerField()
    income = models.BigIntegerField()
    gifts = models.BigIntegerField()
    programme = models.BigIntegerField()
    management = models.BigIntegerField()
    fundraising = models.BigIntegerField()
    net_assets = models.BigIntegerField()
    as_of = models.DateTimeField()

    class Meta:
        ordering = ["-year"]
        constraints = [models.UniqueConstraint(fields=["organization", "year"], name="year_sum_once")]

    @property
    def spending(self) -> int:
        return self.programme + self.management + self.fundraising
