"""Aid on its way to the public (C4), and expenses that name no household.

An `AidItem` is one payment's amount for one household, known inside only. A `Release` is an immutable aggregate over
items of at least 5 distinct households. `PublicSpending` keeps, per earmark, what the public has been told so far.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id

SMALLEST_GROUP = 5


class PeriodKind(models.TextChoices):
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


@append_only
class Release(models.Model):
    """放行汇总: what the public learns of aid. `town` None means the whole city. Amount in minor units."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    earmark = models.BigIntegerField()
    category = models.CharField(max_length=12)
    town = models.BigIntegerField(null=True)
    period = models.CharField(max_length=10, choices=PeriodKind)
    starts_on = models.DateField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    households = models.PositiveIntegerField()
    confirmed = models.PositiveIntegerField()
    released_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(households__gte=SMALLEST_GROUP), name="release_at_least_five"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="release_positive"),
            models.CheckConstraint(
                condition=Q(confirmed__lte=F("households")), name="release_confirmed_within"
            ),
        ]
        indexes = [models.Index(fields=["earmark", "starts_on", "id"], name="release_by_earmark")]
        triggers = refuse_change("release")


@append_only
class Residual(models.Model):
    """余下救助: what remained of a completed project's aid for fewer than five families: one total, without town, month
    or count (C4)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    earmark = models.BigIntegerField(unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    closed_on = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="residual_positive")]
        triggers = refuse_change("residual")


class AidItem(models.Model):
    """One payment of aid (negative: returned), waiting for its release. Never shown to anybody outside."""

    entry = models.BigIntegerField(unique=True)
    disbursement = models.BigIntegerField(db_index=True)
    household = models.BigIntegerField()
    earmark = models.BigIntegerField()
    category = models.CharField(max_length=12)
    town = models.BigIntegerField()
    month = models.DateField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    confirmed = models.BooleanField(default=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, null=True, related_name="items")
    residual = models.ForeignKey(Residual, on_delete=models.PROTECT, null=True, related_name="items")
    dropped = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="aid_item_not_zero"),
            models.CheckConstraint(
                condition=Q(dropped=False) | Q(release__isnull=True), name="aid_item_dropped_never_released"
            ),
            models.CheckConstraint(
                condition=Q(residual__isnull=True) | Q(release__isnull=True, dropped=False),
                name="aid_item_told_once",
            ),
        ]
        indexes = [
            models.Index(fields=["earmark", "category", "town", "month"], name="aid_waiting",
                         condition=Q(release__isnull=True, residual__isnull=True, dropped=False))
        ]  # fmt: skip


@append_only
class ExpenseUse(models.Model):
    """A project expense that names no household: public at once (C4). Negative when the bank sent it back."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    entry = models.BigIntegerField(unique=True)
    earmark = models.BigIntegerField()
    budget_line = models.BigIntegerField()
    category = models.CharField(max_length=12)
    purpose = models.CharField(max_length=120)
    paid_on = models.DateField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="expense_use_not_zero")]
        indexes = [models.Index(fields=["earmark", "paid_on", "id"], name="expense_by_earmark")]
        triggers = refuse_change("expenseuse")


class PublicSpending(models.Model):
    """What the public has been told an earmark spent. Its row is the gate's lock."""

    earmark = models.BigIntegerField(primary_key=True)
    aid = models.BigIntegerField(default=0)
    expenses = models.BigIntegerField(default=0)
    households = models.BigIntegerField(default=0)
