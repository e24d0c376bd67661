"""Marks the query's words in the database's text, with the same fold and units as the search, so that what is marked is
what matched. Long texts are cut to a window first."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from apps.core.text import fold_with_offsets, spans
from search.language import Fragment

WINDOW = 4000
SNIPPET = 90


def ranges(text: str, fragments: Sequence[Fragment]) -> list[tuple[int, int]]:
    """This will give the places of the fragments in a text, overlaps merged."""
    folded, offsets = fold_with_offsets(text[:WINDOW])
    found = list(spans(folded))
    line = [unit for unit, _, _ in found]
    places = []
    for fragment in fragments:
        size = len(fragment.units)
        wanted = list(fragment.units)
        for at in range(len(line) - size + 1):
            hit = line[at].startswith(wanted[0]) if fragment.prefix else line[at : at + size] == wanted
            if hit:
                places.append((offsets[found[at][1]], offsets[found[at + size - 1][2] - 1] + 1))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def highlight(text: str, fragments: Sequence[Fragment]) -> SafeString:
    """This will give escaped HTML with the fragments marked."""
    return _marked(text, ranges(text, fragments) if fragments else [])


def snippet(text: str, fragments: Sequence[Fragment], size: int = SNIPPET) -> SafeString:
    """This will give the part of a text around its first match, marked, with … where it was cut."""
    places = ranges(text, fragments) if fragments else []
    start = max(0, places[0][0] - size // 3) if places else 0
    end = min(len(text), start + size)
    if end == len(text):
        start = max(0, min(start, end - size))
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in places if a < end and b > start]
    cut = _marked(text[start:end], inside)
    return mark_safe(("…" if start else "") + cut + ("…" if end < len(text) else ""))


def _marked(text: str, places: Sequence[tuple[int, int]]) -> SafeString:
    parts, at = [], 0
    for start, end in places:
        parts += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    return mark_safe("".join([*parts, escape(text[at:])]))
