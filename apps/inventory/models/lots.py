"""What somebody brought, the lots in it, and where each lot is (I1, I2)."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id, new_token
from apps.inventory import states
from apps.inventory.models.places import Location, Unit, Warehouse
from apps.inventory.models.rules import CLOSES, FROZEN


class Consignment(models.Model):
    """One giver's goods, as they came in. `token` is the giver's own link (T4); `folded` is the giver's name as a
    line of units (core.text), which the search compares."""

    number = models.CharField(max_length=20, unique=True)
    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT)
    donor_name = models.CharField(max_length=120)
    folded = models.TextField(editable=False, default="", db_default="")
    shown = models.CharField(max_length=10, choices=states.Shown, default=states.Shown.ANONYMOUS)
    alias = models.CharField(max_length=40, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    carrier = models.CharField(max_length=80, blank=True)
    note = models.CharField(max_length=300, blank=True)
    wants_receipt = models.BooleanField(default=False)
    payer_code = models.CharField(max_length=18, blank=True)
    receipts = models.CharField(max_length=200, blank=True)
    received_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    inspected_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(shown="alias") | ~Q(alias=""), name="consignment_alias_given"
            ),
            models.CheckConstraint(condition=~Q(donor_name=""), name="consignment_has_giver"),
        ]

    @property
    def public_name(self) -> str:
        """This will give the name the public may see; nothing for who stays anonymous."""
        return {"name": self.donor_name, "alias": self.alias}.get(self.shown, "")


class Lot(models.Model):
    """Goods of one kind that came together. Its facts are frozen once written; a value may be added once. `folded` is
    item and specification as a line of units (core.text), which the search of lots compares."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    number = models.CharField(max_length=20, unique=True)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="lots")
    consignment = models.ForeignKey(Consignment, on_delete=models.PROTECT, null=True, related_name="lots")
    made_by = models.ForeignKey(
        "inventory.Conversion", on_delete=models.PROTECT, null=True, related_name="made_lots"
    )
    category = models.CharField(max_length=12, choices=states.Category)
    item = models.CharField(max_length=120)
    folded = models.TextField(editable=False)
    spec = models.CharField(max_length=160, blank=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    per_unit = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    inner_unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    unit_value = models.BigIntegerField(null=True)
    basis = models.CharField(max_length=10, choices=states.Basis, blank=True)
    basis_source = models.CharField(max_length=120, blank=True)
    expires_on = models.DateField(null=True)
    grade = models.CharField(max_length=8, choices=states.Grade, blank=True)
    origin_note = models.CharField(max_length=120, blank=True)
    list_row = models.CharField(max_length=64, blank=True)
    received_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="lot_positive"),
            models.CheckConstraint(
                condition=Q(consignment__isnull=True) | Q(made_by__isnull=True), name="lot_one_origin"
            ),
            models.CheckConstraint(
                condition=Q(consignment__isnull=False) | Q(made_by__isnull=False) | ~Q(origin_note=""),
                name="lot_has_origin",
            ),
            models.CheckConstraint(
                condition=Q(unit_value__isnull=True, basis="")
                | Q(unit_value__gt=0) & ~Q(basis="") & (Q(basis="invoice") | ~Q(basis_source="")),
                name="lot_value_has_basis",
            ),
            models.CheckConstraint(
                condition=Q(per_unit__isnull=True, inner_unit__isnull=True)
                | Q(per_unit__gt=0, inner_unit__isnull=False),
                name="lot_pack_stated",
            ),
            models.UniqueConstraint(fields=["list_row"], condition=~Q(list_row=""), name="lot_list_row_once"),
        ]
        indexes = [models.Index(fields=["category", "-id"], name="lot_by_category")]
        triggers = [
            pgtrigger.Trigger(
                name="lot_facts_frozen", operation=pgtrigger.Update, when=pgtrigger.Before, func=FROZEN
            ),
            pgtrigger.Protect(name="lot_stays", operation=pgtrigger.Delete),
        ]


class Photo(models.Model):
    """A photo of goods, made anew from its pixels: no EXIF, no place. Staff only."""

    consignment = models.ForeignKey(Consignment, on_delete=models.PROTECT, related_name="photos")
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    taken_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()


@append_only
class Inspection(models.Model):
    """What an inspection found: how much is fit (合格), how much is not (不合格), and why."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="inspections")
    passed = models.DecimalField(max_digits=14, decimal_places=3)
    failed = models.DecimalField(max_digits=14, decimal_places=3)
    grade = models.CharField(max_length=8, choices=states.Grade, blank=True)
    note = models.CharField(max_length=300, blank=True)
    inspector = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(passed__gte=0, failed__gte=0) & (Q(passed__gt=0) | Q(failed__gt=0)),
                name="inspection_of_something",
            ),
            models.CheckConstraint(condition=Q(failed=0) | ~Q(note=""), name="inspection_failed_has_reason"),
        ]
        triggers = refuse_change("inspection")


class Stock(models.Model):
    """How much of a lot is at a location. The database lets none go below zero."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="stock")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="stock")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "location"], name="stock_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="stock_never_below_zero"),
        ]
        triggers = [
            pgtrigger.Protect(name="stock_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="stock_closes", operation=pgtrigger.Insert | pgtrigger.Update, when=pgtrigger.After,
                timing=pgtrigger.Deferred, func=CLOSES,
            ),
        ]  # fmt: skip


class Moved(models.Model):
    """What the movements of a lot add up to at a location, below zero where goods come from. Only the movements' own
    trigger writes it; stock and sums are checked against it at every commit."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "location"], name="moved_once")]
        triggers = [
            pgtrigger.Protect(
                name="moved_by_movements", operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("pg_trigger_depth() < 1"),
            ),
            pgtrigger.Protect(name="moved_stays", operation=pgtrigger.Delete),
            refuse_change("moved")[1],
        ]  # fmt: skip


class LotTotal(models.Model):
    """A lot's sum (I2), locked first by everything that moves it. `booked` is the quantity that is in the ledger's
    inventory and `value` what it stands there for (fen); `delivered_value` what was given out; `posted` counts its
    movements' ledger entries."""

    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, primary_key=True, related_name="total")
    received = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    made = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    found = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    in_stock = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    in_transit = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    delivered = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    returned = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    sold = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    written_off = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    converted = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    booked = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    value = models.BigIntegerField(default=0)
    delivered_value = models.BigIntegerField(default=0)
    posted = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    received=F("in_stock") + F("in_transit") + F("delivered") + F("returned") + F("sold")
                    + F("written_off") + F("converted") - F("made") - F("found")
                ),
                name="lot_sum_closes",
            ),
            models.CheckConstraint(
                condition=Q(**{f"{name}__gte": 0 for name in (*states.COMING, *states.STANDING, "booked", "value",
                                                             "delivered_value")}),
                name="lot_sum_not_negative",
            ),
        ]  # fmt: skip
        # A list narrowed to what stands somewhere walks only the lots that do; most are delivered one day.
        indexes = [
            models.Index(fields=["-lot"], name=f"lot_total_{name}", condition=Q(**{f"{name}__gt": 0}))
            for name in states.STANDING
            if name != "delivered"
        ]
        triggers = [
            pgtrigger.Protect(name="lot_total_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="lot_total_closes", operation=pgtrigger.Insert | pgtrigger.Update, when=pgtrigger.After,
                timing=pgtrigger.Deferred, func=CLOSES,
            ),
        ]  # fmt: skip

    @property
    def coming(self) -> Decimal:
        """This will give all that came in: received, made of other lots, found at a count."""
        return self.received + self.made + self.found
