"""Rotation of the field key: rooms register what they keep wrapped, a command rewraps it step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

from apps.core import crypto

STEP = 500


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A column of data keys: its table, the column, the primary key's column, and an SQL expression that gives the name
    a row's key is bound to (such as `'household:' || key_name`)."""

    table: str
    column: str
    owner: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """Short secrets outside tables of data keys: how many are left under older keys, and a step that seals up to
    STEP of them anew and returns how many."""

    name: str
    left: Callable[[], int]
    step: Callable[[int], int]


COLUMNS: dict[str, Wrapped] = {}
SECRETS: dict[str, Sealed] = {}


def register(item: Wrapped | Sealed) -> None:
    """This will register something that a rotation has to touch; called when the rooms are ready."""
    if isinstance(item, Wrapped):
        COLUMNS[f"{item.table}.{item.column}"] = item
    else:
        SECRETS[item.name] = item


def left() -> dict[str, int]:
    """This will count what is still wrapped with other keys than the current one, by place."""
    found = {}
    for name, item in sorted(COLUMNS.items()):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {item.table} WHERE {_stale(item)}", [len(_prefix()), _prefix()]
            )
            found[name] = int(cursor.fetchone()[0])
    return found | {name: item.left() for name, item in sorted(SECRETS.items())}


def rewrap_step() -> int:
    """This will rewrap up to 500 keys of one place and return how many; 0 when everything is under the current key.

    A crash loses nothing: each step is one transaction, and what is done is told by the row itself. Rows that somebody
    else holds are left for a later step.
    """
    for item in COLUMNS.values():
        done = _rewrap(item)
        if done:
            return done
    for secret in SECRETS.values():
        done = secret.step(STEP)
        if done:
            return done
    return 0


def _rewrap(item: Wrapped) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {item.column}, {item.owner} FROM {item.table} WHERE {_stale(item)} ORDER BY id LIMIT {STEP} "
            "FOR UPDATE SKIP LOCKED",
            [len(_prefix()), _prefix()],
        )
        rows = cursor.fetchall()
        fresh = [
            (pk, crypto.wrap_data_key(crypto.unwrap_data_key(bytes(wrapped), owner), owner))
            for pk, wrapped, owner in rows
        ]
        cursor.execute(
            f"UPDATE {item.table} AS t SET {item.column} = n.wrapped "
            "FROM unnest(%s::bigint[], %s::bytea[]) AS n(id, wrapped) WHERE t.id = n.id",
            [[pk for pk, _key in fresh], [key for _pk, key in fresh]],
        )
        return len(fresh)


def _prefix() -> bytes:
    return crypto.current_version().encode() + b":"


def _stale(item: Wrapped) -> str:
    kept = f"{item.column} IS NOT NULL AND octet_length({item.column}) > 0"
    return f"{kept} AND substring({item.column} from 1 for %s) <> %s"
