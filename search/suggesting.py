"""What to try when nothing was found: a word that is written almost like one we know, or fewer words. Each suggestion
was asked, so that it never leads to nothing again."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass

from apps.core.text import fold
from search.catalog import Catalog
from search.contract import Engine, SearchRequest
from search.language import Fragment, positive

MOST = 3
TRIED = 3
"""Questions asked at most: each costs what a search costs."""
ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Suggestion:
    query: str
    count: int


def suggestions(request: SearchRequest, catalog: Catalog, engine: Engine) -> list[Suggestion]:
    """This will give up to three other queries that find something under the same conditions."""
    tree = request.tree()
    if tree is None:
        return []
    found: list[Suggestion] = []
    for query in _candidates(positive(tree), catalog)[:TRIED]:
        count = engine.search(dataclasses.replace(request, query=query, after=None, limit=1)).count
        if count:
            found.append(Suggestion(query, count))
    return found[:MOST]


def _candidates(fragments: list[Fragment], catalog: Catalog) -> list[str]:
    words = list(dict.fromkeys(fragment.said.removesuffix("*") for fragment in fragments))
    known = _known(catalog)
    made: list[str] = []
    for at, word in enumerate(words):
        if len(word) < 2:
            continue
        for near in difflib.get_close_matches(word, known, n=1, cutoff=ALIKE):
            if near != word:
                made.append(" ".join([*words[:at], known[near], *words[at + 1 :]]))
    if len(words) > 1:
        made.append(" OR ".join(words))
        made += words
    return list(dict.fromkeys(made))


def _known(catalog: Catalog) -> dict[str, str]:
    """Labels people can see, by their folded form."""
    return {
        fold(label): label
        for facet in catalog.by_code
        for value in catalog.shown(facet)
        for label in (value.zh, value.en)
        if label
    }
