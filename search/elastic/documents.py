"""A public row as Elasticsearch holds it: tokens and codes, nothing that is ever shown (search.md, The projection)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from elasticsearch.dsl import Boolean, Document, Integer, Keyword, Long, MetaField, Text

from apps.core.text import pairs
from apps.publication.models.rows import PublicRow

SCHEMA = 1
"""Part of every index's name: another schema asks for a rebuild."""

HALF = 1_000_000
"""Amounts are summed in two halves, because Elasticsearch sums in doubles."""

PRIME = 2_147_483_647
FACTORS = (1_073_741_789, 536_870_909)
KEYWORDS = ("view", "project", "category", "town", "kind", "opinion", "band", "k4")


def _tokens() -> Any:
    return Text(analyzer="whitespace", norms=False, index_options="positions")


class RowDocument(Document):
    """Facets are keywords (as integers they count up to twice as slowly)."""

    text = _tokens()
    heading = _tokens()
    view = Keyword()
    project = Keyword()
    category = Keyword()
    town = Keyword()
    kind = Keyword()
    opinion = Keyword()
    band = Keyword()
    k4 = Keyword()
    id = Long()
    version = Long()
    seal = Long(index=False)
    day = Long()
    amount = Long()
    amount_hi = Long(index=False)
    amount_lo = Integer(index=False)
    people = Long(index=False)
    alive = Boolean()

    class Meta:
        dynamic = MetaField("strict")
        source = MetaField(enabled=False)


def index_body() -> dict[str, Any]:
    """This will give the settings and the mapping of an index that is about to be filled: no refresh meanwhile."""
    mapping: dict[str, Any] = RowDocument._doc_type.mapping.to_dict()
    return {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"},
        "mappings": mapping,
    }


def seal(pk: int, version: int) -> int:
    """This will give a 31-bit hash of an id and its version; not linear, so that two errors don't cancel in a sum.
    `SEAL_SQL` is the same in SQL."""
    mixed = (pk % PRIME * FACTORS[0] + version % PRIME * FACTORS[1]) % PRIME
    return mixed * mixed % PRIME


_MIXED = f"mod(mod(id, {PRIME}) * {FACTORS[0]} + mod(version, {PRIME}) * {FACTORS[1]}, {PRIME})"
SEAL_SQL = f"mod({_MIXED} * {_MIXED}, {PRIME})"


def document(row: PublicRow, heading: str) -> dict[str, Any]:
    """This will write a row; of a withdrawn one a tombstone, which refuses every late copy by its version."""
    if not row.alive:
        return tombstone(row.pk, row.version)
    high, low = divmod(row.amount, HALF)
    return {
        "text": " ".join(pairs(row.units.split(" "))) if row.units else "",
        "heading": " ".join(pairs(heading.split(" "))) if heading else "",
        **{name: str(getattr(row, name)) for name in KEYWORDS},
        "id": row.pk,
        "version": row.version,
        "seal": seal(row.pk, row.version),
        "day": row.day,
        "amount": row.amount,
        "amount_hi": high,
        "amount_lo": low,
        "people": row.people,
        "alive": True,
    }


def tombstone(pk: int, version: int) -> dict[str, Any]:
    """This will write what stays of a withdrawn row."""
    return {"id": pk, "version": version, "alive": False}


def actions(rows: Iterable[PublicRow], indices: Iterable[str]) -> Iterator[dict[str, Any]]:
    """This will give one bulk action per row and index; rows need their heading selected."""
    names = list(indices)
    for row in rows:
        source = document(row, row.heading.units)
        for name in names:
            yield {"_op_type": "index", "_index": name, "_id": str(row.pk), "version": row.version,
                   "version_type": "external", "_source": source}  # fmt: skip
