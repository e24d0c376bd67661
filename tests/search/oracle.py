"""The third engine: naive, in memory, nothing but the contract. A fragment matches when the canonical fragment stands
in the canonical text."""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Sequence

from apps.core.money import Money
from apps.core.text import BOUNDARY, units
from apps.publication.drafts import RowDraft
from apps.publication.models.rows import BANDS, CURRENCIES
from search.contract import SearchRequest
from search.language import And, Fragment, Node, Not, Or, positive


def canonical(fields: Sequence[str]) -> list[str]:
    line: list[str] = []
    for field in fields:
        line += [BOUNDARY, *units(field)]
    return line


def contains(line: list[str], fragment: Fragment) -> bool:
    if fragment.prefix:
        return any(unit.startswith(fragment.units[0]) for unit in line)
    wanted, size = list(fragment.units), len(fragment.units)
    return any(line[at : at + size] == wanted for at in range(len(line) - size + 1))


def matches(node: Node | None, line: list[str]) -> bool:
    match node:
        case None:
            return True
        case Fragment():
            return contains(line, node)
        case Not(part):
            return not matches(part, line)
        case And(parts):
            return all(matches(part, line) for part in parts)
        case Or(parts):
            return any(matches(part, line) for part in parts)


def facet_key(row: RowDraft, facet: str) -> str | None:
    if facet == "opinion":
        return row.opinion
    if facet == "band":
        return str(bisect.bisect_right(BANDS, abs(row.amount.minor)) - 1)
    value = getattr(row, facet)
    return value.key if value else None


def search(rows: dict[int, RowDraft], request: SearchRequest) -> dict[str, object]:
    tree = request.tree()
    filtered = {name: set(keys) for name, keys in request.facets.items() if keys}

    def found(without: str = "") -> dict[int, RowDraft]:
        kept = {}
        for pk, row in rows.items():
            if row.view != request.view or not matches(
                tree, canonical([row.heading, row.text, *row.labels()])
            ):
                continue
            if any(name != without and facet_key(row, name) not in keys for name, keys in filtered.items()):
                continue
            amounts = without != "band"
            if amounts and request.amount_min is not None and row.amount.minor < request.amount_min:
                continue
            if amounts and request.amount_max is not None and row.amount.minor > request.amount_max:
                continue
            if (request.day_from and row.day < request.day_from) or (
                request.day_to and row.day > request.day_to
            ):
                continue
            kept[pk] = row
        return kept

    hits = found()
    totals: Counter[str] = Counter()
    months: dict[int, list[RowDraft]] = defaultdict(list)
    for row in hits.values():
        totals[row.amount.currency] += row.amount.minor
        months[row.day.year * 12 + row.day.month - 1].append(row)

    def order(item: tuple[int, RowDraft]) -> tuple[int, ...]:
        pk, row = item
        if request.sort == "amount":
            return row.amount.minor, pk
        score = 0
        if request.sort == "relevance":
            score = sum(contains(canonical([row.heading]), fragment) for fragment in positive(tree))
        return score, row.day.toordinal(), pk

    ordered = [pk for pk, _ in sorted(hits.items(), key=order, reverse=True)]
    facets = {}
    for name in ("organization", "fund", "project", "category", "town", "kind", "opinion", "band"):
        counted = Counter(key for row in found(name).values() if (key := facet_key(row, name)) is not None)
        facets[name] = dict(counted)
    return {
        "count": len(hits),
        "totals": {Money(totals[code], code) for code in CURRENCIES if code in totals},
        "household_times": sum(row.household_times for row in hits.values()),
        "facets": facets,
        "months": {
            month: (
                len(group),
                sum(row.household_times for row in group),
                sum(row.period != "month" for row in group),
            )
            for month, group in months.items()
        },
        "ids": ordered,
    }
