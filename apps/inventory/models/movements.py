"""Stock movements: they only grow (I1)."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change
from apps.inventory import states
from apps.inventory.models.dispatches import DispatchLine, Handover
from apps.inventory.models.lots import Lot
from apps.inventory.models.making import Conversion
from apps.inventory.models.places import Location
from apps.inventory.models.rules import ADDS_UP, CLOSES, FITS


@append_only
class Movement(models.Model):
    """A quantity of a lot that went from one location to another. `value` (fen) is what it stood for in the ledger;
    `entry` is the ledger's entry, none where nothing was booked."""

    kind = models.CharField(max_length=12, choices=states.Kind)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="movements")
    source = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    value = models.BigIntegerField(default=0)
    entry = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor_person = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80)
    approved_by = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    carrier = models.CharField(max_length=80, blank=True)
    driver = models.CharField(max_length=40, blank=True)
    signer = models.CharField(max_length=40, blank=True)
    dispatch_line = models.ForeignKey(
        DispatchLine, on_delete=models.PROTECT, null=True, related_name="movements"
    )
    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, null=True, related_name="movements")
    conversion = models.ForeignKey(Conversion, on_delete=models.PROTECT, null=True, related_name="movements")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="movement_positive"),
            models.CheckConstraint(condition=Q(value__gte=0), name="movement_value_not_negative"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="movement_between_two"),
            models.CheckConstraint(
                condition=~Q(kind__in=["sell", "write_off", "short", "over"])
                | Q(approved_by__isnull=False, actor_person__isnull=False)
                & ~Q(approved_by=F("actor_person"))
                & ~Q(reason=""),
                name="movement_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["deliver", "send", "bring_back"]) | Q(dispatch_line__isnull=False),
                name="movement_of_a_dispatch",
            ),
            models.CheckConstraint(
                condition=~Q(kind="deliver") | Q(handover__isnull=False), name="movement_of_a_handover"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["convert_out", "convert_in"]) | Q(conversion__isnull=False),
                name="movement_of_a_conversion",
            ),
        ]
        indexes = [models.Index(fields=["lot", "id"], name="movement_by_lot")]
        triggers = [
            *refuse_change("movement"),
            pgtrigger.Trigger(
                name="movement_fits", operation=pgtrigger.Insert, when=pgtrigger.Before, func=FITS,
                declare=[("source", "record"), ("target", "record"), ("lot", "record")],
            ),
            pgtrigger.Trigger(
                name="movement_adds_up", operation=pgtrigger.Insert, when=pgtrigger.After, func=ADDS_UP
            ),
            pgtrigger.Trigger(
                name="movement_closes", operation=pgtrigger.Insert, when=pgtrigger.After,
                timing=pgtrigger.Deferred, func=CLOSES,
            ),
        ]  # fmt: skip
