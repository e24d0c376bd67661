"""The public board's roll-ups, and what people are asked to send or not to send (I3, W6)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.ids import new_public_id
from apps.inventory import states
from apps.inventory.models.places import Unit
from apps.places.models import Town


class BoardRow(models.Model):
    """The sums of all lots of a category in a unit, written in the transaction of each movement. Different units never
    add, so a category has a row for each; `*_value` (fen) add over all of them."""

    category = models.CharField(max_length=12, choices=states.Category)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    received = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    made = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    found = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    in_stock = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    in_transit = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    delivered = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    returned = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    sold = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    written_off = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    converted = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    value = models.BigIntegerField(default=0)
    delivered_value = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["category", "unit"], name="board_row_once")]

    @property
    def gap(self) -> object:
        """This will give by how much the row does not close: received and made against where it all is (I2)."""
        coming = sum(getattr(self, name) for name in states.COMING)
        return coming - sum(getattr(self, name) for name in states.STANDING)


class _Wanted(models.Model):
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.CharField(max_length=12, choices=states.Category)
    set_by = models.BigIntegerField(null=True)
    set_at = models.DateTimeField()
    until = models.DateField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class DontSend(_Wanted):
    """暂不需要: what a town (or the whole city) asks not to be sent for now, with the day it ends (W6)."""

    reason = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "category"], condition=Q(ended_at__isnull=True), nulls_distinct=False,
                name="dont_send_once",
            )
        ]  # fmt: skip


class Need(_Wanted):
    """What a town still needs."""

    item = models.CharField(max_length=80)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(quantity__gt=0), name="need_positive")]
