"""Words in the search of lots, consignments and dispatches: the site's own pairs (core.text) of item and specification,
or of giver or receiver, compared through an index.

A fragment is found where its units stand next to each other in one field: 罩 and 口罩 find 医用外科口罩. The tsquery is
what the index answers, the text check behind it makes three units and more exact.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import BooleanField, F, Func, Model, Q, QuerySet, TextField, Value

from apps.core.text import BOUNDARY, fold, lexeme, marked, pairs, units

MOST_WORDS = 6
M = TypeVar("M", bound=Model)


class _Indexed(Func):
    template = "(goods_lexemes_v1(%(expressions)s)::tsquery)"
    arg_joiner = ") @@ ("
    output_field = BooleanField()


class _Standing(Func):
    template = "(strpos(' ' || %(expressions)s) > 0)"
    arg_joiner = " || ' ', "
    output_field = BooleanField()


def narrowed(rows: QuerySet[M], words: str, to_lot: str = "") -> QuerySet[M]:
    """This will narrow rows to those whose `folded` line all words stand in, or whose number a word is; `to_lot` is the
    way from a row to its lot ("lot__")."""
    for word in fold(words).split()[:MOST_WORDS]:
        wanted = Q(**{f"{to_lot}number": word[:1].upper() + word[1:]})
        found = [_holding(F(f"{to_lot}folded"), part) for part in _fragments(word)]
        if found:
            both = found[0]
            for each in found[1:]:
                both &= each
            wanted |= both
        rows = rows.filter(wanted)
    return rows


def _fragments(word: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for unit in units(word):
        if unit == BOUNDARY:
            parts.append([])
        else:
            parts[-1].append(unit)
    return [part for part in parts if part]


def _holding(text: F, fragment: list[str]) -> Q:
    if len(fragment) == 1:
        # One character, or the beginning of one run of letters and digits.
        unit = fragment[0]
        return Q(_Indexed(text, Value(f"{lexeme(unit)}:*", TextField())))
    line = [*map(marked, fragment)]
    found = Q(_Indexed(text, Value(" & ".join(map(lexeme, pairs(line)[:-1])), TextField())))
    if len(fragment) > 2:
        found &= Q(_Standing(text, Value(f" {' '.join(line)} ", TextField())))
    return found
