"""Canonical JSON (RFC 8785): the exact bytes that are hashed, signed and frozen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """This will write a value of dict, list, str, int, bool and None as RFC 8785 bytes.

    Floats are refused: money is integer minor units, and everything else is text.
    """
    _refuse_floats(value)
    return rfc8785.dumps(value)


def sha256_of_file(path: Path) -> str:
    """This will give a file's SHA-256 in hex, reading it in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_hex(data: bytes) -> str:
    """This will give the SHA-256 of bytes in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("canonical JSON takes no floats; write minor units or text")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
