"""Goods on their way to a town's families, an institution or another warehouse, and what was said on arrival."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.casework.models import Household
from apps.core.ids import new_public_id
from apps.core.transitions import StatusChange
from apps.inventory import states
from apps.inventory.models.lots import Lot
from apps.inventory.models.places import Location, Warehouse
from apps.places.models import Town


class Dispatch(models.Model):
    """What goes out in one car: to a town's caseworker, to an institution by name, or to another warehouse. `folded` is
    receiver and purpose as a line of units (core.text), which the search compares."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    number = models.CharField(max_length=20, unique=True)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="dispatches")
    status = models.CharField(
        max_length=10, choices=states.DispatchStatus, default=states.DispatchStatus.PICKING
    )
    receiver = models.CharField(max_length=12, choices=states.Receiver)
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True)
    receiver_name = models.CharField(max_length=120, blank=True)
    to_warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, null=True, related_name="+")
    purpose = models.CharField(max_length=120, blank=True)
    folded = models.TextField(editable=False, default="", db_default="")
    carrier = models.CharField(max_length=80, blank=True)
    driver = models.CharField(max_length=40, blank=True)
    planned_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    planned_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    list_row = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    receiver="families", town__isnull=False, receiver_name="", to_warehouse__isnull=True
                )
                | Q(receiver="institution", to_warehouse__isnull=True) & ~Q(receiver_name="")
                | Q(receiver="warehouse", town__isnull=True, receiver_name="", to_warehouse__isnull=False),
                name="dispatch_has_receiver",
            ),
            models.CheckConstraint(
                condition=Q(to_warehouse__isnull=True) | ~Q(to_warehouse=F("warehouse")),
                name="dispatch_to_another_warehouse",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["picking", "cancelled"]) | Q(sent_at__isnull=False),
                name="dispatch_sent_has_time",
            ),
            models.UniqueConstraint(
                fields=["list_row"], condition=~Q(list_row=""), name="dispatch_list_row_once"
            ),
        ]
        indexes = [models.Index(fields=["warehouse", "status", "-id"], name="dispatch_queue")]

    @property
    def goes_to(self) -> str:
        """This will name who it goes to: the town, the other warehouse, or the institution."""
        return str(self.town or self.to_warehouse or self.receiver_name)


class DispatchStatusChange(StatusChange):
    record = models.ForeignKey(Dispatch, on_delete=models.PROTECT, related_name="changes")


class DispatchLine(models.Model):
    """A lot on a dispatch: what to pick where, and what became of it."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, related_name="lines")
    n = models.PositiveSmallIntegerField()
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="dispatch_lines")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    planned = models.DecimalField(max_digits=14, decimal_places=3)
    sent = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    handed = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    back = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    lost = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    arrived = models.DecimalField(max_digits=14, decimal_places=3, default=0, db_default=0)
    taken_back = models.DecimalField(max_digits=14, decimal_places=3, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "n"], name="dispatch_line_once"),
            models.UniqueConstraint(fields=["dispatch", "lot", "location"], name="dispatch_line_lot_once"),
            models.CheckConstraint(condition=Q(planned__gt=0), name="dispatch_line_positive"),
            models.CheckConstraint(
                condition=Q(handed__gte=0, back__gte=0, lost__gte=0, arrived__gte=0, sent__gte=0)
                & Q(sent__lte=F("planned"))
                & Q(sent__gte=F("handed") + F("arrived") + F("back") + F("lost")),
                name="dispatch_line_not_overspent",
            ),
            models.CheckConstraint(
                condition=Q(taken_back__gte=0, taken_back__lte=F("handed")), name="dispatch_line_taken_back_within"
            ),
        ]  # fmt: skip

    @property
    def open(self) -> Decimal:
        """This will give what of the line is still on the road."""
        return self.sent - self.handed - self.arrived - self.back - self.lost


class Handover(models.Model):
    """Goods given to one family (or to several unnamed ones, or an institution): the caseworker's word, and beside it
    the family's own confirmation, which is a different fact (W5)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, related_name="handovers")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="+")
    households = models.PositiveIntegerField(default=1)
    handed_at = models.DateTimeField()
    handed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    signer = models.CharField(max_length=40, blank=True)
    confirmed = models.CharField(max_length=6, choices=states.Confirmed, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    reference = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed="", confirmed_at__isnull=True, reference="")
                | ~Q(confirmed="") & Q(confirmed_at__isnull=False) & ~Q(reference=""),
                name="handover_confirmed_has_proof",
            ),
            models.CheckConstraint(
                condition=Q(household__isnull=True) | Q(households=1), name="handover_named_is_one"
            ),
            models.CheckConstraint(condition=Q(households__gte=1), name="handover_to_somebody"),
        ]
