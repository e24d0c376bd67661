"""What rooms above tell casework about a household (it can't import them), and the journal of erasures, which lives
outside the database so that a restored backup is erased again."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core.errors import Text

Hold = Callable[[int], Text | None]
LastAid = Callable[[Sequence[int]], Mapping[int, dt.date]]

Wipe = Callable[[int], None]

_HOLDS: dict[str, Hold] = {}
_LAST_AID: list[LastAid] = []
_WIPES: dict[str, Wipe] = {}
FIRST = "0" * 64


def register_hold(name: str, check: Hold) -> None:
    """This will register a check, called within the erasing transaction with the locked household's id: words when
    something still needs the file (such as a payment under way), else None."""
    _HOLDS[name] = check


def register_last_aid(find: LastAid) -> None:
    """This will register who knows the civil date of the last aid of households: {household: date}."""
    _LAST_AID[:] = [find]


def register_wipe(name: str, forget: Wipe) -> None:
    """This will register what a room above keeps of a household's people and deletes within the erasing transaction."""
    _WIPES[name] = forget


def wipe_elsewhere(household_id: int) -> None:
    """This will have every room above delete what it keeps of a household's people."""
    for forget in _WIPES.values():
        forget(household_id)


def holds_on(household_id: int) -> list[Text]:
    """This will list what still needs a household's file."""
    return [words for check in _HOLDS.values() if (words := check(household_id)) is not None]


def last_aid_of(household_ids: Sequence[int]) -> Mapping[int, dt.date]:
    """This will give the civil date of the last aid of those households that ever had some."""
    return _LAST_AID[0](household_ids) if _LAST_AID else {}


class BrokenJournal(Exception):
    """The journal's chain does not hold at a line; somebody changed or cut it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure: the random name of the destroyed key (no number, no name), and when."""

    n: int
    key_name: str
    at: str


def journal_path() -> Path:
    """This will give where the journal stands. Keep it apart from the database's backups."""
    return Path(settings.DATA_DIR) / "erasures.jsonl"


def write_entry(key_name: str, now: dt.datetime) -> None:
    """This will append an erasure to the journal and wait until the disk has it.

    Called as the erasing transaction's last step: a commit that fails after it leaves an entry for an erasure that two
    people had decided anyway, the other order would leave an erasure that a restored backup takes back.
    """
    path = journal_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) != len(content):
            # A crash in the middle of an earlier line: that transaction never committed.
            file.truncate(len(whole))
        last: dict[str, Any] = json.loads(whole.splitlines()[-1]) if whole else {"n": 0, "hash": FIRST}
        body = {"n": last["n"] + 1, "key_name": key_name, "at": now.isoformat(), "previous": last["hash"]}
        file.seek(0, os.SEEK_END)
        file.write(json.dumps({**body, "hash": _hash(body)}).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_entries() -> Iterator[Entry]:
    """This will read the journal, checking each line against the one before. Raises BrokenJournal with the line."""
    try:
        content = journal_path().read_bytes()
    except FileNotFoundError:
        return
    previous = FIRST
    for n, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            body = json.loads(line)
            found = body.pop("hash")
            if body["n"] != n or body["previous"] != previous or _hash(body) != found:
                raise BrokenJournal(n)
            yield Entry(n, str(body["key_name"]), str(body["at"]))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise BrokenJournal(n) from error
        previous = found


def _hash(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
