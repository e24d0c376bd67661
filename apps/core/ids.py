"""Public identifiers: always from `secrets`, never from a sequence or a seed."""

from __future__ import annotations

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""No 0/o, 1/l/i: a public id can be read out on the phone."""


def new_public_id() -> str:
    """This will make a random id of 16 characters (about 79 bits) for an address."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))


def new_token() -> str:
    """This will make an unguessable token (256 bits) that is itself the permission to read (G2)."""
    return secrets.token_urlsafe(32)


def new_check_code() -> str:
    """This will make a receipt's check code: 6 characters of hexadecimal, as finance platforms print them."""
    return secrets.token_hex(3)
