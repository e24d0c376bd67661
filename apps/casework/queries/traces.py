"""Does a text hold something of a family? Asked of all files at once, by keyed hashes: one query, nothing decrypted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from apps.casework import identity
from apps.core import crypto

LONGEST = 20_000
"""Signs of a text that are looked at in one query; longer texts are looked at in parts."""

_LOOK = """
SELECT w.n, 'number', h.town_id FROM unnest(%(ns)s::int[], %(kinds)s::text[], %(digests)s::text[]) AS w(n, kind, digest)
JOIN casework_blindindex b ON b.name = w.kind AND b.digest = w.digest
JOIN casework_household h ON h.id = b.household_id
UNION ALL
SELECT w.n, t.kind, h.town_id FROM unnest(%(ns)s::int[], %(kinds)s::text[], %(digests)s::text[]) AS w(n, kind, digest)
JOIN casework_privatetrace t ON t.kind = w.kind AND t.digest = w.digest
JOIN casework_household h ON h.id = t.household_id
"""


@dataclass(frozen=True, slots=True)
class Trace:
    """A stretch of a text that stands in some file: what it is (number, name, address), where it stands in the folded
    text (-1 for numbers and addresses), and the file's town."""

    kind: str
    word: str
    place: int
    town_id: int


def traces_in(text: str) -> list[Trace]:
    """This will find what a text shares with any file: ID numbers, phones, accounts, names of members, and places with
    a number. `text` is folded here; one query for each 20,000 signs."""
    folded = identity.folded(text)
    found: list[Trace] = []
    for start in range(0, max(len(folded), 1), LONGEST):
        # The parts overlap, so that nothing is cut in two.
        found += _look(folded[start : start + LONGEST + 40], start)
    return list(dict.fromkeys(found))


def _look(folded: str, start: int) -> list[Trace]:
    windows: list[tuple[str, str, str, int]] = []
    for number in sorted(identity.number_windows(folded)):
        kinds = ["bank_account"] if len(number) >= 8 else []
        kinds += ["phone"] if len(number) <= 15 else []
        kinds += ["id_number"] if len(number) == 18 else []
        windows += [(kind, crypto.blind_index(kind, number), number, -1) for kind in kinds]
    digests: dict[str, str] = {}
    for word, place in identity.name_windows(folded):
        if word not in digests:
            digests[word] = crypto.blind_index("trace:name", word)
        windows.append(("name", digests[word], word, place + start))
    for word in sorted(set(identity.address_windows(folded))):
        windows.append(("address", crypto.blind_index("trace:address", word), word, -1))
    return _asked(windows) if windows else []


def _asked(windows: Sequence[tuple[str, str, str, int]]) -> list[Trace]:
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOK,
            {
                "ns": list(range(len(windows))),
                "kinds": [kind for kind, _digest, _word, _place in windows],
                "digests": [digest for _kind, digest, _word, _place in windows],
            },
        )
        rows = cursor.fetchall()
    return [Trace(kind, windows[n][2], windows[n][3], town) for n, kind, town in rows]
