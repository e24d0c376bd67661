"""Each room registers its invariants here; `manage.py check_invariants` and /status/ run them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from apps.core.errors import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """What an invariant found: a figure to show, and what is broken (empty = holds)."""

    figure: str
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Invariant:
    number: int
    name: str
    title: Text
    check: Callable[[], Finding]


def first_column(sql: str) -> list[str]:
    """This will run a check's statement and give what its first column says, row by row."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [str(row[0]) for row in cursor.fetchall()]


REGISTRY: dict[str, Invariant] = {}


def register(number: int, name: str, title: Text, check: Callable[[], Finding]) -> None:
    """This will register an invariant of quality.md by its number; rooms call it when their app is ready."""
    REGISTRY[name] = Invariant(number, name, title, check)


def ordered() -> list[Invariant]:
    """This will list all registered invariants by number."""
    return sorted(REGISTRY.values(), key=lambda item: (item.number, item.name))


def run_all(*, now: dt.datetime) -> list[tuple[Invariant, Finding]]:
    """This will run every invariant and keep what each found, for the public page."""
    from apps.core.models import InvariantRun

    found = [(each, each.check()) for each in ordered()]
    InvariantRun.objects.bulk_create(
        InvariantRun(name=each.name, number=each.number, title=str(each.title), figure=finding.figure[:40],
                     broken=finding.broken[:20], checked_at=now)
        for each, finding in found
    )  # fmt: skip
    return found
