"""Reading settings from the environment: one setting is one variable, every fault is told at once and in plain words.

A secret may also come from a file: `NAME_FILE` names a file that holds the value of `NAME` (for container secrets).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

T = TypeVar("T")

DATABASE_OPTIONS = {
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "application_name",
    "options",
}


class SettingsError(ImproperlyConfigured):
    """Settings that the site can't start with; the text lists each one with what to do."""


class Environment:
    """This will read settings and collect what is wrong with them, until `finish` raises them together."""

    def __init__(self) -> None:
        self._env = Env()
        self.names: set[str] = set()
        self.problems: list[str] = []

    def wrong(self, name: str, what: str) -> None:
        """This will note that a setting is wrong and what to do about it."""
        self.problems.append(f"{name}: {what}")

    def finish(self) -> None:
        """This will raise SettingsError when anything was wrong."""
        if self.problems:
            lines = "\n".join(f"  - {problem}" for problem in self.problems)
            raise SettingsError(
                f"The settings do not allow a start:\n{lines}\nEvery setting: docs/settings.md"
            )

    def text(self, name: str, default: str = "", *, secret: bool = False) -> str:
        """This will read a text; a secret also from the file that NAME_FILE names."""
        self.names.add(name)
        if secret:
            self.names.add(f"{name}_FILE")
            path = os.environ.get(f"{name}_FILE", "")
            if path and os.environ.get(name):
                self.wrong(name, f"both {name} and {name}_FILE are set; keep one of them")
            elif path:
                try:
                    return Path(path).read_text().strip()
                except (OSError, UnicodeDecodeError) as error:
                    self.wrong(f"{name}_FILE", f"can't read {path} ({type(error).__name__})")
                    return default
        return os.environ.get(name, "").strip() or default

    def parsed(self, name: str, default: T, parser: str, example: str) -> T:
        """This will read a value through one of environs' parsers ("int", "bool", "float")."""
        self.names.add(name)
        if not os.environ.get(name, "").strip():
            return default
        read: Callable[..., Any] = getattr(self._env, parser)
        try:
            value: T = read(name)
        except EnvError:
            self.wrong(name, f"{os.environ[name]!r} is not understood; write for example {name}={example}")
            return default
        return value

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """This will read one of the allowed words."""
        value = self.text(name, default)
        if value not in allowed:
            self.wrong(name, f"{value!r} is unknown; choose one of: {', '.join(allowed)}")
            return default
        return value

    def words(
        self, name: str, default: Sequence[str] = (), allowed: Sequence[str] | None = None
    ) -> list[str]:
        """This will read words separated by commas."""
        value = [word.strip() for word in self.text(name).split(",") if word.strip()] or list(default)
        for word in value:
            if allowed is not None and word not in allowed:
                self.wrong(name, f"{word!r} is unknown; choose from: {', '.join(allowed)}")
        return value

    def database(self, name: str, url: str) -> dict[str, Any]:
        """This will turn postgres://user:password@host:port/name?sslmode=... into Django's dictionary."""
        parts = urlsplit(url)
        if url and parts.scheme not in ("postgres", "postgresql"):
            self.wrong(name, "only PostgreSQL is supported; write postgres://user:password@host:5432/name")
        try:
            port = parts.port
        except ValueError:
            self.wrong(name, "the port is not a number")
            port = None
        options: dict[str, Any] = {}
        for key, value in parse_qsl(parts.query):
            if key in DATABASE_OPTIONS:
                options[key] = value
            else:
                self.wrong(
                    name, f"the option {key!r} is unknown; known: {', '.join(sorted(DATABASE_OPTIONS))}"
                )
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(port or 5432),
            "OPTIONS": {"connect_timeout": 5, **options},
        }

    def mail(self, name: str, url: str) -> dict[str, Any]:
        """This will turn smtp://, smtps:// (TLS from the start), smtp+tls:// (STARTTLS), file:///folder or console:
        into Django's mail settings."""
        parts = urlsplit(url)
        folder = unquote(parts.path)
        if parts.scheme == "console":
            return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
        if parts.scheme == "file" and folder:
            return {
                "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                "EMAIL_FILE_PATH": folder,
            }
        if parts.scheme not in ("smtp", "smtps", "smtp+tls") or not parts.hostname:
            self.wrong(
                name,
                "write smtp+tls://user:password@host:587, smtps://…:465, smtp://host:25 or file:///folder",
            )
            return {}
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": parts.port or {"smtps": 465, "smtp+tls": 587}.get(parts.scheme, 25),
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_SSL": parts.scheme == "smtps",
            "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
            "EMAIL_TIMEOUT": 10,
        }
