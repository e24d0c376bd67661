"""States: a table of forward moves per room, one function that moves a record along it and writes the history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from apps.core.actors import Actor
from apps.core.errors import WrongState

Forward = Mapping[str, frozenset[str]]
STEP = 500
"""Rows that one statement of `move_many` writes."""


class StatusChange(models.Model):
    """A row for every move of a record's status; each room makes it concrete with its own `record` key."""

    from_status = models.CharField(max_length=24, blank=True)
    to_status = models.CharField(max_length=24)
    at = models.DateTimeField()
    actor_person = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80)
    reason = models.TextField(blank=True)

    class Meta:
        abstract = True
        ordering = ["id"]

    @property
    def to_label(self) -> str:
        """This will give the state it led to in the reader's words, as the record's own status field calls it."""
        meta: Any = type(self)._meta
        words = dict(meta.get_field("record").related_model._meta.get_field("status").flatchoices)
        return str(words.get(self.to_status, self.to_status))


def check_move(record: Any, to: str, forward: Forward) -> None:
    """This will raise WrongState when the record's present status doesn't lead to `to`."""
    if to not in forward.get(record.status, frozenset()):
        raise WrongState()


def move(
    record: Any, to: str, *, forward: Forward, history: type[StatusChange], actor: Actor, now: dt.datetime,
    reason: str = "", **fields: Any,
) -> None:  # fmt: skip
    """This will move a locked record to a status, with the fields that belong to it, and append the history row.

    Raises WrongState when the table doesn't allow the move.
    """
    check_move(record, to, forward)
    before = record.status
    record.status = to
    for name, value in fields.items():
        setattr(record, name, value)
    record.save(update_fields=["status", *fields])
    note_status(record, before, history=history, actor=actor, now=now, reason=reason)


def move_many(
    records: Sequence[Any], to: str, *, forward: Forward, history: type[StatusChange], actor: Actor, now: dt.datetime,
    reasons: Mapping[int, str], fields: Sequence[str] = (),
) -> None:  # fmt: skip
    """This will move locked records of one model to a status, with the named fields as they were set on each, and
    append the history rows with `reasons` by key: a few statements for any number of them.

    Raises WrongState when the table doesn't allow one of the moves; then none is made.
    """
    for record in records:
        check_move(record, to, forward)
    if not records:
        return
    before = {record.pk: record.status for record in records}
    for record in records:
        record.status = to
    kept: Any = type(records[0])._default_manager
    kept.bulk_update(records, ["status", *fields], batch_size=STEP)
    made: Any = history._default_manager
    made.bulk_create(
        [
            made.model(
                record=record, from_status=before[record.pk], to_status=to, at=now, actor_person=actor.person_id,
                actor_label=actor.label[:80], reason=reasons.get(record.pk, ""),
            )
            for record in records
        ],
        batch_size=STEP,
    )  # fmt: skip


def note_status(
    record: Any, before: str, *, history: type[StatusChange], actor: Actor, now: dt.datetime, reason: str = ""
) -> None:
    """This will append a history row for a status that was just written (also for a record's first one)."""
    made: Any = history._default_manager  # each room's concrete model has the key `record`
    made.create(
        record=record, from_status=before, to_status=record.status, at=now, actor_person=actor.person_id,
        actor_label=actor.label[:80], reason=reason,
    )  # fmt: skip
