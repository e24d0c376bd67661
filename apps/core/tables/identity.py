"""What makes a row of a list or statement the same row again, in whatever file it comes."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections import Counter

SEPARATOR = "\x1f"


class Identities:
    """Keys of rows in their order: account, date, reference and amount where there is a reference, otherwise source,
    date, name, amount and note; and how many times that same row has occurred so far. The same rule stands in SQL in
    apps/donations/lists/sql.py, for lists of any length; a test compares them."""

    def __init__(self, *, source: str, account: str) -> None:
        self._source, self._account = source, account
        self._seen: Counter[str] = Counter()

    def key(self, *, day: dt.date, amount: int, name: str, note: str, reference: str) -> str:
        """This will give the key of the next row; `amount` in minor units."""
        if reference:
            parts = ["reference", self._account, day.isoformat(), _fold(reference), str(amount)]
        else:
            parts = [self._source, day.isoformat(), _fold(name), str(amount), _fold(note)]
        base = SEPARATOR.join(parts)
        self._seen[base] += 1
        return hashlib.sha256(f"{base}{SEPARATOR}{self._seen[base]}".encode()).hexdigest()


def _fold(words: str) -> str:
    return unicodedata.normalize("NFKC", words)
