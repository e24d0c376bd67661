"""The embedded engine: PostgreSQL over the projection, one statement a question."""

from __future__ import annotations

from collections import Counter

from django.core.cache import cache
from django.db import OperationalError, connection, transaction

from apps.core.clock import now
from apps.core.pages import current_epoch
from apps.publication.models.rows import PublicRow, PublicRowText
from apps.publication.rows import facet_labels, row_units
from search.catalog import Catalog, catalog
from search.contract import FACETS, SearchAnswer, SearchRequest, SearchUnavailable
from search.engines.answers import Counts, answer, rolled_up
from search.engines.statement import APART, GROUPS, HIT, PACKED, Statement

SETTINGS = (
    "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true),"
    " set_config('statement_timeout', '8000', true), set_config('enable_seqscan', %s, true),"
    " set_config('enable_nestloop', 'off', true)"
)
"""Set for one statement: how many rows a word hits is a guess to the planner, and a loop over a wrong guess is slow."""
Row = tuple[int, int, int, int | None, int | None, int, int]
ALL = (1 << 62) - 1
BITS = {"project": (0, ALL), "category": (10, ALL), "town": (0, 1023), "kind": (7, 511), "opinion": (4, 7),
        "band": (0, 15)}  # fmt: skip
"""Where a facet's code stands in the packed column: shift and mask."""


class PostgresEngine:
    name = "postgres"

    def search(self, request: SearchRequest) -> SearchAnswer:
        """This will answer a question. Raises the query's limits, or SearchUnavailable after eight seconds."""
        tree = request.tree()
        epoch = current_epoch()
        values = catalog()
        statement = Statement(request, tree, values)
        as_of = now()
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(SETTINGS, ["on" if statement.plain else "off"])
                if statement.plain:
                    cursor.execute(*statement.plain_page())
                    rows = [*cursor.fetchall(), *self._sums(cursor, statement, epoch)]
                    everything: list[Row] = []
                else:
                    cursor.execute(*statement.whole())
                    rows = cursor.fetchall()
                    everything = self._sums(cursor, statement, epoch) if statement.from_whole else []
        except OperationalError as error:
            raise SearchUnavailable() from error
        return answer(_counts(rows, everything, statement, values), request, values, as_of, self.name)

    def _sums(self, cursor, statement: Statement, epoch: str) -> list[Row]:  # type: ignore[no-untyped-def]
        """The sums of the whole view, kept until anything public changes."""
        key = f"search:sums:{statement.request.view}:{epoch}"
        sums: list[Row] | None = cache.get(key) if epoch else None
        if sums is None:
            cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")
            cursor.execute(*statement.plain_sums())
            sums = cursor.fetchall()
            if epoch:
                cache.set(key, sums, 600)
        return sums

    def status(self) -> dict[str, str | int]:
        """This will say what the index holds."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE alive AND view = 0), count(*) FILTER (WHERE alive AND view = 1),"
                " count(*) FILTER (WHERE NOT alive), coalesce(max(version), 0) FROM publication_publicrow"
            )
            uses, reports, gone, version = cursor.fetchone()
            cursor.execute("SELECT pg_size_pretty(pg_relation_size('public_row_lexemes'))")
            size = cursor.fetchone()[0]
        return {"engine": self.name, "uses": uses, "reports": reports, "withdrawn": gone,
                "last_version": version, "index_size": size}  # fmt: skip

    def reconcile(self) -> list[str]:
        """This will compare every row's units with what its text gives now, and name those that differ."""
        labels = facet_labels()
        wrong = []
        texts = PublicRowText.objects.select_related("row").order_by("row_id").iterator(chunk_size=2000)
        for shown in texts:
            expected = row_units(shown.row, shown, labels) if shown.row.alive else ""
            if shown.row.units != expected:
                wrong.append(
                    f"{shown.source}: units differ from its text (row {shown.row_id}, v{shown.row.version})"
                )
        orphans = PublicRow.objects.filter(shown=None, alive=True).values_list("pk", flat=True)
        return wrong + [f"row {pk} has no text" for pk in orphans]

    def rebuild(self) -> int:
        """This will build the index of lexemes anew beside the old one and return the number of public rows.
        Needs the owner's role and no transaction."""
        with connection.cursor() as cursor:
            cursor.execute("REINDEX INDEX CONCURRENTLY public_row_lexemes")
            cursor.execute("ANALYZE publication_publicrow")
        return PublicRow.objects.filter(alive=True).count()


def _counts(rows: list[Row], everything: list[Row], statement: Statement, values: Catalog) -> Counts:
    counted: dict[str, Counter[int]] = {column: Counter() for column in ("project", "k2", "k3")}
    apart: dict[str, Counter[int]] = {}
    counts = Counts()
    hits: list[tuple[int, int, int]] = []
    for part, code, number, amount, people, first, second in rows:
        if part == HIT:
            hits.append((first, second, code))
        elif part >= APART:
            apart.setdefault(statement.apart[part - APART], Counter())[code] = number
        elif GROUPS[part] == "k4":
            counts.groups.append((code, number, int(amount or 0), int(people or 0)))
        else:
            counted[GROUPS[part]][code] = number
    for name in statement.filtered:
        apart.setdefault(name, Counter())
    for name in statement.from_whole:
        column = PACKED[name]
        apart[name] = Counter(
            {code: number for part, code, number, *_ in everything if GROUPS[part] == column}
        )
    for facet in (*FACETS, "band"):
        packed = apart.get(facet, counted[PACKED[facet]])
        counts.facets[facet] = (
            rolled_up(facet, packed, values)
            if facet in ("fund", "organization")
            else _unpacked(facet, packed)
        )
    hits.sort(reverse=True)
    counts.hits = [hit if statement.sort_values == 3 else (hit[0], hit[2]) for hit in hits]
    return counts


def _unpacked(facet: str, packed: Counter[int]) -> Counter[int]:
    shift, mask = BITS[facet]
    counted: Counter[int] = Counter()
    for code, number in packed.items():
        counted[(code >> shift) & mask] += number
    return counted
