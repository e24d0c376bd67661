"""Micro-funds and projects. Money is in fen of the project's currency; totals live in the ledger, never here (F8)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language

from apps.accounts.models import Person
from apps.core.transitions import StatusChange
from apps.funds import states
from apps.organizations.models import Organization
from apps.places.models import Town

S = states.ProjectStatus


def english() -> bool:
    return (get_language() or "").startswith("en")


class MicroFund(models.Model):
    """微基金: no legal personality; belongs to one organization (F1)."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    category = models.CharField(max_length=12, choices=states.Category)
    named_for = models.CharField(max_length=80, blank=True)
    purpose = models.TextField()
    purpose_en = models.TextField(blank=True)
    committee = models.TextField(blank=True)
    founding_amount = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="CNY")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(founding_amount__gte=0), name="fund_founding_not_negative")
        ]

    def __str__(self) -> str:
        return (self.name_en or self.name) if english() else self.name

    @property
    def purpose_text(self) -> str:
        return (self.purpose_en or self.purpose) if english() else self.purpose


class Project(models.Model):
    """慈善项目 with its fundraising plan (募捐方案, F2)."""

    slug = models.SlugField(unique=True)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT, related_name="projects")
    partner = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, blank=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    summary = models.CharField(max_length=200)
    summary_en = models.CharField(max_length=300, blank=True)
    category = models.CharField(max_length=12, choices=states.Category)
    purpose = models.TextField()
    purpose_en = models.TextField(blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    area = models.CharField(max_length=80)
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True, blank=True)
    person_in_charge = models.CharField(max_length=40)
    office_address = models.CharField(max_length=160)
    phone = models.CharField(max_length=40)
    beneficiaries = models.CharField(max_length=200)
    cost_rate_bp = models.PositiveIntegerField()
    surplus_rule = models.CharField(max_length=200)
    filing_number = models.CharField(max_length=60, blank=True)
    platform_url = models.URLField(blank=True)
    is_emergency = models.BooleanField(default=False)
    target = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")

    status = models.CharField(max_length=12, choices=states.ProjectStatus, default=S.DRAFT)
    drafted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    filed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    filed_at = models.DateTimeField(null=True)
    raising_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    executing_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    suspended_from = models.CharField(max_length=12, blank=True)
    public_reason = models.TextField(blank=True)

    # Written down by disclosures, so that the give page can show them (F6, F7).
    last_report_on = models.DateField(null=True)
    overdue_since = models.DateField(null=True)
    overdue_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(target__gt=0), name="project_target_positive"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="project_period_forward"),
            models.CheckConstraint(
                condition=Q(cost_rate_bp__lte=1000), name="project_cost_rate_at_most_tenth"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[S.DRAFT, S.IN_REVIEW, S.REJECTED]) | ~Q(filing_number=""),
                name="project_no_filing_no_raising",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[S.DRAFT, S.IN_REVIEW, S.REJECTED])
                | Q(filed_at__isnull=False, filed_by__isnull=False),
                name="project_filed_has_filer",
            ),
            models.CheckConstraint(
                condition=Q(filed_by__isnull=True) | ~Q(filed_by=F("drafted_by")),
                name="project_filer_not_drafter",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[S.RAISING, S.CLOSED, S.EXECUTING, S.COMPLETED])
                | Q(raising_at__isnull=False),
                name="project_raising_has_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=S.SUSPENDED, suspended_from__in=[S.FILED, S.RAISING, S.CLOSED, S.EXECUTING]
                )
                & ~Q(public_reason="")
                | ~Q(status=S.SUSPENDED) & Q(suspended_from=""),
                name="project_suspended_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["status", "-raising_at", "-id"], name="project_by_status")]

    def __str__(self) -> str:
        return (self.name_en or self.name) if english() else self.name

    @property
    def summary_text(self) -> str:
        return (self.summary_en or self.summary) if english() else self.summary

    @property
    def purpose_text(self) -> str:
        return (self.purpose_en or self.purpose) if english() else self.purpose


class BudgetLine(models.Model):
    """A line of the plan's budget: a counter that approvals can't push past what was planned (P8)."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="budget_lines")
    code = models.SlugField(max_length=24)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80, blank=True)
    cost = models.CharField(max_length=12, choices=states.CostKind, default=states.CostKind.PROGRAMME)
    planned = models.BigIntegerField()
    committed = models.BigIntegerField(default=0)
    is_fee_line = models.BooleanField(default=False)
    is_aid_line = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="budget_line_once"),
            models.CheckConstraint(
                condition=Q(committed__gte=0) & Q(committed__lte=F("planned")),
                name="budget_line_not_overspent",
            ),
            # Aid is public by releases only, which carry no budget line: so a plan has one line for it (C4).
            models.UniqueConstraint(
                fields=["project"], condition=Q(is_aid_line=True), name="budget_line_aid_once"
            ),
        ]

    def __str__(self) -> str:
        return (self.name_en or self.name) if english() else self.name


class ProjectStatusChange(StatusChange):
    record = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="changes")
