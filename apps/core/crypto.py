"""Field encryption with one data key per record (a household), and keyed blind indexes.

A data key is random, wrapped by the key file's current key (AES-256-GCM, the record's own name as associated data).
Destroying the wrapped key makes every field of that record unreadable for ever (C1). Equality search goes through an
HMAC with a separate key, so that the database alone cannot test guesses.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import stat
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE = 12


def new_key_file(path: pathlib.Path) -> None:
    """This will write a fresh key file (mode 0600): {"current": "1", "wrap": {"1": ...}, "index": ...}."""
    content = {
        "current": "1",
        "wrap": {"1": base64.b64encode(secrets.token_bytes(32)).decode()},
        "index": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)


@lru_cache(maxsize=4)
def _keys(path: str, changed: int) -> tuple[str, dict[str, bytes], bytes]:
    try:
        content = json.loads(pathlib.Path(path).read_text())
        wrap = {name: base64.b64decode(value) for name, value in content["wrap"].items()}
        index = base64.b64decode(content["index"])
        current = content["current"]
    except (OSError, ValueError, KeyError) as error:
        raise ImproperlyConfigured("FIELD_KEY_FILE can't be read; see docs/settings.md") from error
    if any(len(key) != 32 for key in wrap.values()) or len(index) != 32 or current not in wrap:
        raise ImproperlyConfigured("FIELD_KEY_FILE holds no usable keys; see docs/settings.md")
    return current, wrap, index


def _loaded() -> tuple[str, dict[str, bytes], bytes]:
    # The file is read again when it changes: processes that run during a rotation learn the new key by themselves.
    path = str(settings.FIELD_KEY_FILE)
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError as error:
        raise ImproperlyConfigured("FIELD_KEY_FILE can't be read; see docs/settings.md") from error
    return _keys(path, changed)


def current_version() -> str:
    """This will name the key file's current key."""
    return _loaded()[0]


def versions() -> list[str]:
    """This will name all keys the key file holds."""
    return sorted(_loaded()[1])


def add_key_version(path: pathlib.Path) -> str:
    """This will add a key to the key file and make it the current one; returns its name. Earlier ones stay."""
    content = json.loads(path.read_text())
    name = str(max((int(each) for each in content["wrap"] if each.isdecimal()), default=0) + 1)
    content["wrap"][name] = base64.b64encode(secrets.token_bytes(32)).decode()
    content["current"] = name
    _replace(path, content)
    return name


def retire_key_version(path: pathlib.Path, name: str) -> None:
    """This will take a key out of the key file. What is still wrapped with it is lost for ever: callers make sure that
    nothing is. Raises ValueError for the current one."""
    content = json.loads(path.read_text())
    if name == content["current"]:
        raise ValueError("the current key stays")
    del content["wrap"][name]
    _replace(path, content)


def _replace(path: pathlib.Path, content: dict[str, object]) -> None:
    """The whole file or the old one: a key file half written would be the end of every sealed value."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def new_data_key(owner: str) -> bytes:
    """This will make a data key for `owner` (such as "household:<public id>") and return it wrapped."""
    return wrap_data_key(AESGCM.generate_key(256), owner)


def wrap_data_key(key: bytes, owner: str) -> bytes:
    """This will wrap a data key with the key file's current key."""
    current, wrap, _ = _loaded()
    nonce = secrets.token_bytes(NONCE)
    return current.encode() + b":" + nonce + AESGCM(wrap[current]).encrypt(nonce, key, owner.encode())


def unwrap_data_key(wrapped: bytes, owner: str) -> bytes:
    """This will open a wrapped data key; raises cryptography's InvalidTag when it belongs to another owner."""
    name, _, rest = bytes(wrapped).partition(b":")
    _, wrap, _ = _loaded()
    return AESGCM(wrap[name.decode()]).decrypt(rest[:NONCE], rest[NONCE:], owner.encode())


def encrypt(key: bytes, text: str, place: str) -> bytes:
    """This will encrypt a text with a data key; `place` (field and record) is bound to it, so that values can't be
    moved between columns."""
    return encrypt_bytes(key, text.encode(), place)


def decrypt(key: bytes, sealed: bytes, place: str) -> str:
    """This will decrypt what `encrypt` made at the same place."""
    return decrypt_bytes(key, bytes(sealed), place).decode()


def encrypt_bytes(key: bytes, content: bytes, place: str) -> bytes:
    """This will encrypt a file's bytes with a data key, bound to their `place` as `encrypt` does."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, place.encode())


def decrypt_bytes(key: bytes, sealed: bytes, place: str) -> bytes:
    """This will decrypt what `encrypt_bytes` made at the same place."""
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], place.encode())


def blind_index(kind: str, value: str) -> str:
    """This will give the keyed hash (HMAC-SHA256) of a normalised value for equality search within its kind."""
    _, _, index = _loaded()
    return hmac.new(index, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()


def blind_index_bytes(kind: str, content: bytes) -> str:
    """This will give the keyed hash of a file's bytes within its kind."""
    _, _, index = _loaded()
    return hmac.new(index, f"{kind}\0".encode() + content, hashlib.sha256).hexdigest()


def seal(text: str, place: str) -> str:
    """This will encrypt a short secret that belongs to no household (such as a second factor) under a key derived
    from the key file for its `place`; the answer names its key, so that keys can be rotated."""
    current, wrap, _ = _loaded()
    sealed = encrypt(_derived(wrap[current], place), text, place)
    return f"{current}:{base64.b64encode(sealed).decode()}"


def seal_bytes(content: bytes, place: str) -> bytes:
    """This will encrypt a file that belongs to no household, as `seal` does a text."""
    current, wrap, _ = _loaded()
    return current.encode() + b":" + encrypt_bytes(_derived(wrap[current], place), content, place)


def unseal_bytes(sealed: bytes, place: str) -> bytes:
    """This will decrypt what `seal_bytes` made for the same place."""
    name, _, body = sealed.partition(b":")
    _, wrap, _ = _loaded()
    return decrypt_bytes(_derived(wrap[name.decode()], place), body, place)


def unseal(sealed: str, place: str) -> str:
    """This will decrypt what `seal` made for the same place; raises ValueError for anything else."""
    name, _, body = sealed.partition(":")
    _, wrap, _ = _loaded()
    if name not in wrap:
        raise ValueError("sealed under a key that the key file does not hold")
    try:
        return decrypt(_derived(wrap[name], place), base64.b64decode(body, validate=True), place)
    except InvalidTag as error:
        raise ValueError("not sealed for this place") from error


def _derived(key: bytes, place: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=place.encode()).derive(key)
