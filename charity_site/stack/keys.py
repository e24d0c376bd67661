"""Passwords and keys of a demonstration: random, made once, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from charity_site.stack.addresses import APPLICATION, OWNER


def write_once(path: Path, content: bytes) -> None:
    """This will write a new file of mode 0600; one that exists stays as it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def make_passwords(folder: Path) -> None:
    """This will make the passwords of the servers and the site's secret key."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in (OWNER, APPLICATION, "broker", "secret_key"):
        write_once(folder / name, secrets.token_urlsafe(48).encode())


def make_key_files(folder: Path) -> None:
    """This will make the keys of field encryption and of the public log's signature (Ed25519, PKCS8)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    field_keys = folder / "field_keys.json"
    if not field_keys.exists():
        from apps.core.crypto import new_key_file

        new_key_file(field_keys)
    signing = folder / "log_signing.pem"
    if not signing.exists():
        key = Ed25519PrivateKey.generate()
        write_once(signing, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
