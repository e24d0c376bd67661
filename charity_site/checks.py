"""System checks of the whole site (`manage.py check --deploy --database default`)."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import connection

from apps.core.append_only import append_only_tables
from apps.core.documents import missing_parts


@register(Tags.security, deploy=True)
def key_files(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """This will look at the key files: there, readable by nobody else, and not a demonstration's."""
    found: list[CheckMessage] = []
    for name in ("FIELD_KEY_FILE", "LOG_SIGNING_KEY_FILE"):
        path = Path(getattr(settings, name) or "")
        if not path.is_file():
            found.append(
                Error(f"{name}: {path} is missing.", hint="Make it as docs/settings.md says.", id="site.E001")
            )
            continue
        if path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            found.append(
                Error(f"{name}: {path} is open to other users.", hint=f"chmod 600 {path}", id="site.E002")
            )
        if settings.MODE == "production" and path.parent == settings.STACK.keys:
            found.append(
                Error(
                    f"{name}: {path} is a demonstration's key.",
                    hint="Production needs its own.",
                    id="site.E003",
                )
            )
    return found


@register(Tags.security, deploy=True)
def secret_key_is_own(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """This will refuse a demonstration's SECRET_KEY in production."""
    path = settings.STACK.keys / "secret_key"
    if settings.MODE == "production" and path.exists() and path.read_text().strip() == settings.SECRET_KEY:
        return [Error("SECRET_KEY is the demonstration's.", hint="Production needs its own.", id="site.E004")]
    return []


@register(Tags.database)
def role_rights(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """This will look at the rights of the application role where a database is checked."""
    if not databases or "default" not in databases or settings.DATABASE_ROLE == "owner":
        return []
    return database_findings()


def database_findings() -> list[CheckMessage]:
    """This will tell how the present role could change history: superuser, owner, or rights on append-only tables."""
    found: list[CheckMessage] = []
    hint = (
        "DATABASE_URL must be a role that owns nothing; run `manage.py migrate` with MIGRATION_DATABASE_URL."
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        if cursor.fetchone()[0]:
            found.append(
                Error(
                    "The application role is an administrator of the database server.", hint, id="site.E010"
                )
            )
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relname = ANY(%s) AND (
                pg_has_role(current_user, c.relowner, 'MEMBER')
                OR has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE')
                OR has_table_privilege(c.oid, 'TRUNCATE'))
            ORDER BY 1
            """,
            [append_only_tables()],
        )
        tables = [row[0] for row in cursor.fetchall()]
        if tables:
            found.append(
                Error(
                    f"The application role can change history in: {', '.join(tables)}.", hint, id="site.E011"
                )
            )
    return found


@register(Tags.security)
def sandbox_in_demonstration_only(
    app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[CheckMessage]:
    """This will warn of a demonstration that speaks to Stripe's own servers."""
    if (
        settings.MODE == "demonstration"
        and "stripe" in settings.PAYMENT_PROVIDERS
        and not settings.STRIPE_API_BASE
    ):
        return [
            Warning(
                "This demonstration speaks to Stripe's servers (test keys).",
                hint="STRIPE_API_BASE",
                id="site.W001",
            )
        ]
    return []


@register(Tags.security)
def documents_can_be_made(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """This will tell what PDF receipts and certificates lack on this machine: refused in production, told in
    demonstration."""
    kind, number = (Error, "site.E020") if settings.MODE == "production" else (Info, "site.I020")
    return [kind(f"Documents can't be made: {part}", id=number) for part in missing_parts()]
