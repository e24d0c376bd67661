"""Closed days: an append-only snapshot of every earmark, from which the next one must follow (migration's trigger)."""

from __future__ import annotations

from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Cast, Now

from apps.core.append_only import append_only, refuse_change
from apps.ledger.models import Book, Earmark


@append_only
class DayClose(models.Model):
    """A day that was closed. It holds every entry effective before `cut` (its midnight, Asia/Shanghai) and recorded
    before `counted_until` (the database's clock); what is recorded later for that day stands in the next close."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT)
    day = models.DateField()
    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="next")
    cut = models.DateTimeField()
    counted_until = models.DateTimeField()
    closed_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    closed_by = models.BigIntegerField()
    closed_by_label = models.CharField(max_length=80)
    made_in = models.BigIntegerField(
        db_default=Cast(
            Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()
        )
    )
    """The transaction that made it: figures are written in that one only."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "day"], name="day_closed_once"),
            models.UniqueConstraint(
                fields=["book"], condition=Q(previous__isnull=True), name="day_close_first_once"
            ),
        ]
        triggers = refuse_change("dayclose")


@append_only
class DayFigure(models.Model):
    """What an earmark had at the end of a closed day, cumulative, minor units. For the cashier, never public (C4)."""

    close = models.ForeignKey(DayClose, on_delete=models.PROTECT, related_name="figures")
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT, related_name="+")
    raised = models.BigIntegerField()
    income = models.BigIntegerField()
    refunded = models.BigIntegerField()
    disputed = models.BigIntegerField()
    fees = models.BigIntegerField()
    spent = models.BigIntegerField()
    moved_in = models.BigIntegerField()
    moved_out = models.BigIntegerField()
    held = models.BigIntegerField()
    reserved = models.BigIntegerField()
    gifts = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["close", "earmark"], name="day_figure_once"),
            models.CheckConstraint(
                condition=Q(
                    held=models.F("raised")
                    + models.F("income")
                    + models.F("moved_in")
                    - models.F("moved_out")
                    - models.F("refunded")
                    - models.F("disputed")
                    - models.F("fees")
                    - models.F("spent")
                ),
                name="day_figure_closes",
            ),
        ]
        triggers = refuse_change("dayfigure")
