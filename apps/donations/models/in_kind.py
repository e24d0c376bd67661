"""What a receipt of goods (实物捐赠) lists: each item with its quantity, value and how that was found."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast, Round

from apps.core.append_only import append_only, refuse_change
from apps.donations import states
from apps.donations.models.gift import Receipt

ADD_UP = """
IF NOT EXISTS (SELECT 1 FROM donations_receipt r WHERE r.id = NEW.receipt_id AND r.kind = 'in_kind' AND r.amount =
               (SELECT sum(amount) FROM donations_receiptline WHERE receipt_id = NEW.receipt_id)) THEN
  RAISE EXCEPTION 'the lines of receipt % are not its amount', NEW.receipt_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_lines_add_up';
END IF;
RETURN NULL;
"""


@append_only
class ReceiptLine(models.Model):
    """A line of an in-kind receipt. In red letters its quantity and amount are negative. `places` is how many decimals
    the quantity was written with; the amount is quantity x unit value, half a fen and more rounded up."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="lines")
    n = models.PositiveSmallIntegerField()
    item = models.CharField(max_length=80)
    unit = models.CharField(max_length=10)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    places = models.PositiveSmallIntegerField()
    unit_value = models.BigIntegerField()
    amount = models.BigIntegerField()
    basis = models.CharField(max_length=10, choices=states.Basis)
    basis_source = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["n"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "n"], name="receipt_line_once"),
            models.CheckConstraint(
                condition=Q(amount=Round(F("quantity") * F("unit_value")))
                & ~Q(amount=0)
                & Q(unit_value__gt=0),
                name="receipt_line_multiplies",
            ),
            models.CheckConstraint(
                condition=Q(
                    places__lte=3,
                    quantity=Func(
                        F("quantity"),
                        Cast(F("places"), models.IntegerField()),
                        function="round",
                        output_field=models.DecimalField(),
                    ),
                ),
                name="receipt_line_places",
            ),
            models.CheckConstraint(
                condition=Q(basis="invoice") | ~Q(basis_source=""), name="receipt_line_names_its_source"
            ),
        ]
        triggers = [
            *refuse_change("receiptline"),
            pgtrigger.Trigger(
                name="receipt_line_adds_up", operation=pgtrigger.Insert, when=pgtrigger.After,
                timing=pgtrigger.Deferred, func=ADD_UP,
            ),
        ]  # fmt: skip
