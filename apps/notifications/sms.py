"""Text messages. The gateway is an interface with a backend by setting: off until one is configured; the console and a
file are for demonstration and development. Nothing outside this file knows which one it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Protocol

from django.conf import settings


class SmsGateway(Protocol):
    """What sends one message to one number; raises when it could not be handed over."""

    def send(self, *, phone: str, text: str) -> None: ...


class ConsoleGateway:
    """This will print messages on standard error: for development, never for real families."""

    def send(self, *, phone: str, text: str) -> None:
        print(f"SMS to …{phone[-4:]}: {text}", file=sys.stderr)  # noqa: T201  (what a console gateway is)


class FileGateway:
    """This will append messages to a file of mode 0600: the demonstration's outgoing messages."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, *, phone: str, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(json.dumps({"phone": phone, "text": text}, ensure_ascii=False) + "\n")


def gateway() -> SmsGateway | None:
    """This will give the configured gateway, or None while text messages are off."""
    kind = settings.SMS_GATEWAY
    if kind == "console":
        return ConsoleGateway()
    if kind == "file":
        return FileGateway(Path(settings.DATA_DIR) / "sms" / "messages.jsonl")
    return None
