"""Many at once, each row judged alone: a refused row stays as it was and says why; the others go on (P2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Text
from apps.disbursements.models import Disbursement
from apps.disbursements.operations.deciding import NO_ANSWERS, approve_disbursement, verify_disbursement

MOST = 200


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """What became of one row: done, or refused with its reason."""

    number: str
    refused: Text | None


def verify_many(
    *,
    actor: Actor,
    numbers: Sequence[str],
    note: str,
    answers: Mapping[str, str] = NO_ANSWERS,
    now: dt.datetime,
) -> list[BulkAnswer]:
    """This will verify each of the payments in its own transaction, as `verify_disbursement` would alone. `answers` are
    by kind of risk and given for every row that has it."""
    return _each(numbers, lambda item: verify_disbursement(
        actor=actor, disbursement=item, note=note, answers=answers, now=now))  # fmt: skip


def approve_many(
    *, actor: Actor, numbers: Sequence[str], answers: Mapping[str, str] = NO_ANSWERS, now: dt.datetime
) -> list[BulkAnswer]:
    """This will approve each of the payments in its own transaction, as `approve_disbursement` would alone."""
    return _each(
        numbers, lambda item: approve_disbursement(actor=actor, disbursement=item, answers=answers, now=now)
    )


def _each(numbers: Sequence[str], step: Callable[[Disbursement], object]) -> list[BulkAnswer]:
    done = []
    found = Disbursement.objects.filter(number__in=list(numbers)[:MOST]).order_by("id")
    for item in found:
        try:
            with transaction.atomic():
                step(item)
        except DomainError as error:
            done.append(BulkAnswer(item.number, error.message))
        else:
            done.append(BulkAnswer(item.number, None))
    return done
