"""Named crash points for fault tests: a process started with CRASH_AT=<name> dies there, as by kill -9."""

from __future__ import annotations

import os

from django.conf import settings


def crash_point(name: str) -> None:
    """This will end the process at once when a fault test asked for it; never in production mode."""
    if settings.MODE != "production" and os.environ.get("CRASH_AT") == name:
        os._exit(137)
