"""The projection: one row per published use of money and per published report, written in the transaction that
publishes or withdraws it. It is what the embedded search reads and what any other engine is filled from.

`PublicRow` is narrow on purpose (it is scanned); what is shown stands in `PublicRowText`. Codes are small integers of
`FacetValue`; three generated columns pack them for GROUPING SETS:

    k2 = category * 1024 + town
    k3 = view * 65536 + kind * 128 + opinion * 16 + band
    k4 = (month * 4 + period) * 64 + currency        month = year * 12 + month - 1 of the civil date

A withdrawn row stays as a tombstone (`alive` false, no text, a higher version), so that a late copy can't revive it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

USE, REPORT = 0, 1
VIEWS = {"use": USE, "report": REPORT}
OPINIONS = ("none", "unqualified", "qualified", "adverse", "disclaimer")
PERIODS = ("month", "quarter", "half_year", "year")
CURRENCIES = (
    "CNY",
    "HKD",
    "MOP",
    "TWD",
    "USD",
    "EUR",
    "GBP",
    "SGD",
    "AUD",
    "CAD",
    "JPY",
    "KRW",
    "VND",
    "KWD",
)
"""The place in these tuples is the stored code: only ever append."""

BANDS = (0, 100_00, 500_00, 1_000_00, 5_000_00, 10_000_00, 50_000_00, 100_000_00, 500_000_00, 1_000_000_00)
"""Lower ends of the amount bands, in minor units."""


class FacetValue(models.Model):
    """What a code means. `fund` and `organization` are set on projects, from which both are rolled up."""

    KINDS = ("organization", "fund", "project", "category", "town", "kind")

    facet = models.CharField(max_length=16)
    code = models.PositiveIntegerField()
    key = models.CharField(max_length=120)
    label_zh = models.CharField(max_length=300, blank=True)
    label_en = models.CharField(max_length=300, blank=True)
    fund = models.PositiveIntegerField(default=0)
    organization = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facet", "code"], name="facet_code_once"),
            models.UniqueConstraint(fields=["facet", "key"], name="facet_key_once"),
            models.CheckConstraint(
                name="facet_code_packs",
                condition=(~Q(facet="town") | Q(code__lt=1024))
                & (~Q(facet="kind") | Q(code__lt=512))
                & (~Q(facet="category") | Q(code__lt=1_000_000)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.facet} {self.key}"


class PublicHeading(models.Model):
    """A heading once, however many rows carry it: relevance counts the query's fragments in it."""

    digest = models.BinaryField(max_length=16, unique=True)
    units = models.TextField()

    def __str__(self) -> str:
        return self.units


class PublicRow(models.Model):
    id = models.BigAutoField(primary_key=True)
    version = models.BigIntegerField()
    amount = models.BigIntegerField(help_text="minor units")
    heading = models.ForeignKey(PublicHeading, on_delete=models.PROTECT, db_index=False)
    people = models.IntegerField(default=0, help_text="household-times")
    day = models.IntegerField(help_text="proleptic ordinal of the civil date in Asia/Shanghai")
    month = models.IntegerField(help_text="year * 12 + month - 1")
    project = models.PositiveIntegerField(default=0)
    category = models.PositiveIntegerField(default=0)
    town = models.PositiveSmallIntegerField(default=0)
    view = models.PositiveSmallIntegerField()
    kind = models.PositiveSmallIntegerField(default=0)
    opinion = models.PositiveSmallIntegerField(default=0)
    band = models.PositiveSmallIntegerField(default=0)
    period = models.PositiveSmallIntegerField(default=0)
    currency = models.PositiveSmallIntegerField(default=0)
    alive = models.BooleanField(default=True)
    k2 = models.GeneratedField(
        expression=F("category") * 1024 + F("town"), output_field=models.IntegerField(), db_persist=True
    )
    k3 = models.GeneratedField(
        expression=F("view") * 65536 + F("kind") * 128 + F("opinion") * 16 + F("band"),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    k4 = models.GeneratedField(
        expression=(F("month") * 4 + F("period")) * 64 + F("currency"),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    units = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="public_row_codes_pack",
                condition=Q(
                    view__lte=1,
                    opinion__lt=8,
                    band__lt=16,
                    period__lt=4,
                    currency__lt=64,
                    town__lt=1024,
                    kind__lt=512,
                ),
            ),
            models.CheckConstraint(name="public_row_tombstone_is_empty", condition=Q(alive=True) | Q(units="")),
            models.CheckConstraint(name="public_row_people_not_negative", condition=Q(people__gte=0)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"public row {self.pk} v{self.version}"


class PublicRowText(models.Model):
    """What is shown of a row. `source` names it for whoever published it, `batch` the report it came with."""

    row = models.OneToOneField(PublicRow, on_delete=models.PROTECT, primary_key=True, related_name="shown")
    source = models.CharField(max_length=120, unique=True)
    batch = models.CharField(max_length=64, db_index=True)
    public_id = models.CharField(max_length=40, unique=True)
    link = models.CharField(max_length=200)
    heading = models.TextField(blank=True)
    text = models.TextField(blank=True)
    more = models.JSONField(default=dict, blank=True)
    published_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.source
