"""Core's own tables: the outbox, idempotency keys, the database's mode. No charity noun lives here."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change


class IdempotencyKey(models.Model):
    scope = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, blank=True)
    claimed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once")]


@append_only
class OutboxEvent(models.Model):
    """A fact that other rooms may want to hear of, written in the transaction that made it true."""

    name = models.CharField(max_length=80)
    payload = models.JSONField()
    published_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = refuse_change("outboxevent")


class OutboxDelivery(models.Model):
    """One row per event and handler, so that a failing handler repeats nobody else's work."""

    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="deliveries")
    handler = models.CharField(max_length=160)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="outbox_delivery_once")]
        indexes = [
            models.Index(fields=["due_at", "id"], name="outbox_due", condition=Q(done_at__isnull=True))
        ]


@append_only
class DatabaseMode(models.Model):
    """The mode this database was made in; demonstration and production never share one."""

    mode = models.CharField(max_length=16)
    marked_at = models.DateTimeField(db_default=Now())
    one = models.BooleanField(default=True, unique=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(one=True), name="database_mode_single")]
        triggers = refuse_change("databasemode")


@append_only
class InvariantRun(models.Model):
    """What an invariant found when it was run; /status/ shows the newest of each."""

    name = models.CharField(max_length=60)
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    figure = models.CharField(max_length=40)
    broken = models.JSONField(default=list)
    checked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["name", "-checked_at"], name="invariant_newest")]
        triggers = refuse_change("invariantrun")


@append_only
class ExportRecord(models.Model):
    """Who took which rows away, by what question: written before the first byte leaves."""

    what = models.CharField(max_length=60)
    kind = models.CharField(max_length=8)
    query = models.JSONField(default=dict)
    actor_person = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["-recorded_at", "-id"], name="export_newest")]
        triggers = refuse_change("exportrecord")
