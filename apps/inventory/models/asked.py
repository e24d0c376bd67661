"""What needs a second person: sales, write-offs, and the differences of a stock count (I1, I4)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.core.ids import new_public_id
from apps.core.transitions import StatusChange
from apps.funds.models import MicroFund
from apps.inventory import states
from apps.inventory.models.dispatches import DispatchLine
from apps.inventory.models.lots import Lot
from apps.inventory.models.places import Location, Warehouse


class Removal(models.Model):
    """A sale or a write-off, asked for by one person and decided by another."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(
        max_length=12, choices=[(k.value, k.label) for k in (states.Kind.SELL, states.Kind.WRITE_OFF)]
    )
    status = models.CharField(max_length=8, choices=states.Asked, default=states.Asked.ASKED)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="removals")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    dispatch_line = models.ForeignKey(DispatchLine, on_delete=models.PROTECT, null=True, related_name="+")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    reason = models.CharField(max_length=300)
    proceeds = models.BigIntegerField(default=0)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT, null=True)
    buyer = models.CharField(max_length=120, blank=True)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0) & ~Q(reason=""), name="removal_has_reason"),
            models.CheckConstraint(
                condition=Q(status="asked", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(status="asked")
                & Q(decided_by__isnull=False, decided_at__isnull=False)
                & ~Q(decided_by=F("asked_by")),
                name="removal_two_people",
            ),
            models.CheckConstraint(
                condition=Q(kind="sell", fund__isnull=False, proceeds__gt=0) & ~Q(buyer="")
                | Q(kind="write_off", fund__isnull=True, proceeds=0),
                name="removal_sale_has_price",
            ),
        ]


class StockCount(models.Model):
    """A stock count of one warehouse (I4)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    number = models.CharField(max_length=20, unique=True)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="counts")
    status = models.CharField(max_length=10, choices=states.CountStatus, default=states.CountStatus.COUNTING)
    counted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["warehouse"], condition=Q(status__in=["counting", "asked"]), name="count_open_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["counting", "asked"], decided_by__isnull=True)
                | Q(status__in=["done", "refused"], decided_by__isnull=False)
                & ~Q(decided_by=F("counted_by")),
                name="count_two_people",
            ),
        ]


class StockCountStatusChange(StatusChange):
    record = models.ForeignKey(StockCount, on_delete=models.PROTECT, related_name="changes")


class CountLine(models.Model):
    """What the books said and what was counted of a lot at a location."""

    count = models.ForeignKey(StockCount, on_delete=models.PROTECT, related_name="lines")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    expected = models.DecimalField(max_digits=14, decimal_places=3)
    counted = models.DecimalField(max_digits=14, decimal_places=3)
    note = models.CharField(max_length=200, blank=True)
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["count", "lot", "location"], name="count_line_once"),
            models.CheckConstraint(condition=Q(counted__gte=0, expected__gte=0), name="count_line_not_negative"),
            models.CheckConstraint(
                condition=Q(counted=F("expected")) | ~Q(note=""), name="count_difference_explained"
            ),
        ]  # fmt: skip
