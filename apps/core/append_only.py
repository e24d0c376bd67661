"""Tables that only grow. A trigger refuses UPDATE, DELETE and TRUNCATE for everybody, the owner included; the
application role moreover has no right to try. No switch turns the trigger off."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.db import connections, models

TABLES: set[type[models.Model]] = set()


def refuse_change(name: str) -> list[pgtrigger.Trigger]:
    """This will give the triggers of an append-only table; put them into `Meta.triggers`."""
    return [
        pgtrigger.Protect(name=f"{name}_no_change", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{name}_no_truncate",
            operation=pgtrigger.Truncate,
            when=pgtrigger.Before,
            level=pgtrigger.Statement,
            func="RAISE EXCEPTION 'rows of % are never removed', TG_TABLE_NAME;",
        ),
    ]


def append_only(model: type[models.Model]) -> type[models.Model]:
    """This will register a model, so that the application role gets only SELECT and INSERT on its table."""
    TABLES.add(model)
    return model


def application_role() -> str | None:
    """This will give the name of the application role, or None when one role does everything (refused in
    production)."""
    role = urlsplit(settings.APPLICATION_DATABASE_URL).username
    owner = urlsplit(settings.MIGRATION_DATABASE_URL).username
    return role if role and role != owner else None


def grant_application_role(sender: Any, using: str = "default", **_: Any) -> None:
    """This will give the application role its rights after migrations: all rows of ordinary tables, only SELECT and
    INSERT on append-only ones."""
    if getattr(sender, "label", None) != "core":
        # Runs once, for the last of all rooms: post_migrate is sent per app, after every migration has been applied.
        return
    role = application_role()
    if role is None:
        return
    connection = connections[using]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            return
        who = quote(role)
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {who}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {who}")
        cursor.execute(f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {who}")
        present = set(connection.introspection.table_names(cursor))
        for model in sorted(TABLES, key=lambda item: item._meta.db_table):
            if model._meta.db_table in present:
                cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {quote(model._meta.db_table)} FROM {who}")


def append_only_tables() -> list[str]:
    """This will list the append-only tables of all rooms, for checks and tests."""
    apps.check_models_ready()
    return sorted(model._meta.db_table for model in TABLES)
