"""A database carries the MODE it was made in, for ever, and refuses the other: demonstration money must never stand
beside real money. The mark is core's append-only table of one row, written by the first migration."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from charity_site.environment import SettingsError

TABLE = "core_databasemode"
_known: set[tuple[str, str, str]] = set()


def marked_mode(connection: BaseDatabaseWrapper) -> str | None:
    """This will read a database's mode, or None before its first migration."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{TABLE}"])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(f"SELECT mode FROM {TABLE}")
        row = cursor.fetchone()
    return row[0] if row else None


def mark_mode(sender: Any, using: str = "default", **_: Any) -> None:
    """This will mark a database that has no mark, after its migrations."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{TABLE}"])
        if cursor.fetchone()[0]:
            cursor.execute(
                f"INSERT INTO {TABLE} (mode, one) VALUES (%s, true) ON CONFLICT DO NOTHING", [settings.MODE]
            )


def refuse_other_mode(sender: Any, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """This will refuse a connection to a database of the other mode; looked up once per process and database."""
    place = connection.settings_dict
    name = (place["HOST"], str(place["PORT"]), place["NAME"])
    if name in _known:
        return
    mode = marked_mode(connection)
    if mode is None:
        return
    if mode != settings.MODE:
        connection.close()
        raise SettingsError(
            f"The database {place['NAME']} at {place['HOST']}:{place['PORT']} was made in {mode} mode and refuses "
            f"{settings.MODE}. This mark can't be changed: take another database (DATABASE_URL), or set MODE={mode}."
        )
    _known.add(name)
