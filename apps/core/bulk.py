"""Set-based writes where one statement per row, or Django's CASE of every row, costs too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def set_columns(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """This will write the named fields of rows of one model, by their keys, in one UPDATE … FROM unnest(…).

    The rows must be locked by the caller; nothing is sent for no rows.
    """
    if not rows:
        return
    meta: Any = rows[0]._meta
    columns = [meta.pk, *(meta.get_field(name) for name in fields)]
    quote = connection.ops.quote_name
    arrays = ", ".join(f"%s::{_sql_type(column)}[]" for column in columns)
    names = ", ".join(quote(column.column) for column in columns)
    sets = ", ".join(f"{quote(c.column)} = new.{quote(c.column)}" for c in columns[1:])
    key = quote(columns[0].column)
    values = [
        [column.get_db_prep_save(getattr(row, column.attname), connection) for row in rows]
        for column in columns
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(meta.db_table)} AS old SET {sets} FROM unnest({arrays}) AS new({names})"  # noqa: S608
            f" WHERE old.{key} = new.{key}",
            values,
        )


def _sql_type(column: Any) -> str:
    """The column's type as an array's element: a key's own type, never the one that makes new keys."""
    return str(column.rel_db_type(connection) if column.primary_key else column.db_type(connection))
