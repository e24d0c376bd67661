"""What the search page shows beside its results: facets as addresses, chosen conditions, links that keep the rest."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from search.catalog import Catalog
from search.contract import FACETS, SearchAnswer, SearchRequest
from search.words import FACET_NAMES, OPINION_WORDS, band_range, band_words

SHOWN = 8
MOST_SHOWN = 60
ORDER = ("opinion", "kind", "category", "town", "band", "fund", "project", "organization")
WITH_ZEROS = ("opinion", "kind", "category")


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    count: int
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    title: str
    first: tuple[Choice, ...]
    rest: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Picked:
    name: str
    label: str
    href: str


class Addresses:
    """Addresses of this page with one thing changed; the cursor is always dropped, because it is another question."""

    def __init__(self, path: str, given: QueryDict) -> None:
        self.path = path
        self.given = given

    def having(self, **changes: str | list[str]) -> str:
        """This will give the address with some parameters set ("" or [] drops one)."""
        query = self.given.copy()
        query.pop("cursor", None)
        for name, value in changes.items():
            values = [value] if isinstance(value, str) else value
            query.setlist(name.rstrip("_"), values)
            if not any(values):
                query.pop(name.rstrip("_"), None)
        for name in [name for name in query if not any(query.getlist(name))]:
            query.pop(name)
        text = query.urlencode()
        return f"{self.path}?{text}" if text else self.path

    def toggled(self, name: str, key: str) -> str:
        """This will give the address with a facet's value taken in or out."""
        values = self.given.getlist(name)
        return self.having(**{name: [v for v in values if v != key] if key in values else [*values, key]})

    def at(self, cursor: str) -> str:
        """This will give the address of another page of the same question."""
        query = self.given.copy()
        query["cursor"] = cursor
        return f"{self.path}?{query.urlencode()}"


def groups(request: SearchRequest, answer: SearchAnswer, catalog: Catalog, to: Addresses) -> list[Group]:
    """This will give the facets with their counts; zeros of short lists stay, greyed."""
    made = []
    for name in ORDER:
        counts = {item.key: item.count for item in answer.facets[name]}
        chosen = set(request.facets.get(name, ()))
        if name == "band":
            choices = _bands(request, counts, to)
        else:
            choices = _values(name, counts, chosen, catalog, to)
        if choices:
            made.append(
                Group(name, str(FACET_NAMES[name]), tuple(choices[:SHOWN]), tuple(choices[SHOWN:MOST_SHOWN]))
            )
    return made


def _values(
    name: str, counts: dict[str, int], chosen: set[str], catalog: Catalog, to: Addresses
) -> list[Choice]:
    if name == "opinion":
        known = {key: str(words) for key, words in OPINION_WORDS.items()}
    else:
        known = {value.key: value.label() for value in catalog.shown(name)}
    keys = set(counts) | (chosen & set(known))
    if name in WITH_ZEROS and len(known) <= 40:
        keys |= set(known)
    ordered = sorted(keys & set(known), key=lambda key: (key not in chosen, -counts.get(key, 0), known[key]))
    return [Choice(known[key], counts.get(key, 0), to.toggled(name, key), key in chosen) for key in ordered]


def _bands(request: SearchRequest, counts: dict[str, int], to: Addresses) -> list[Choice]:
    choices = []
    for band in sorted(int(key) for key in counts):
        low, high = band_range(band)
        given = (to.given.get("amount_min", ""), to.given.get("amount_max", ""))
        chosen = given == (low, high)
        href = (
            to.having(amount_min="", amount_max="") if chosen else to.having(amount_min=low, amount_max=high)
        )
        choices.append(Choice(band_words(band), counts[str(band)], href, chosen))
    return choices


def picked(request: SearchRequest, catalog: Catalog, to: Addresses) -> list[Picked]:
    """This will list the conditions in force, each with the address without it."""
    found = []
    for name in FACETS:
        for key in request.facets.get(name, ()):
            value = catalog.by_key[name].get(key) if name != "opinion" else None
            label = (
                str(OPINION_WORDS.get(key, key)) if name == "opinion" else (value.label() if value else key)
            )
            found.append(Picked(str(FACET_NAMES[name]), label, to.toggled(name, key)))
    given = to.given
    if given.get("amount_min") or given.get("amount_max"):
        label = _said_range(given.get("amount_min", ""), given.get("amount_max", ""))
        found.append(Picked(_("金额（元）"), label, to.having(amount_min="", amount_max="")))
    if given.get("from") or given.get("to"):
        label = _said_range(given.get("from", ""), given.get("to", ""))
        found.append(Picked(_("时间"), label, to.having(from_="", to="")))
    return found


def _said_range(low: str, high: str) -> str:
    if low and high:
        return _("%(low)s至%(high)s") % {"low": low, "high": high}
    return _("%(low)s起") % {"low": low} if low else _("至%(high)s") % {"high": high}
