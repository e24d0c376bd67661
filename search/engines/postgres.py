"""The embedded engine: PostgreSQL over the projection, one statement a question."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from django.core.cache import cache
from django.db import OperationalError, connection, transaction

from apps.core.clock import now
from apps.core.money import Money
from apps.core.pages import current_epoch
from apps.publication.models.rows import CURRENCIES, OPINIONS, PublicRow, PublicRowText
from apps.publication.rows import NO_PROJECT, facet_labels, row_units
from search.catalog import Catalog, Value, catalog
from search.contract import FACETS, FacetCount, MonthSum, SearchAnswer, SearchRequest, SearchUnavailable
from search.engines.statement import APART, GROUPS, HIT, PACKED, Statement

SETTINGS = (
    "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true),"
    " set_config('statement_timeout', '8000', true), set_config('enable_seqscan', %s, true),"
    " set_config('enable_nestloop', 'off', true)"
)
"""Set for one statement: how many rows a word hits is a guess to the planner, and a loop over a wrong guess is slow."""
Row = tuple[int, int, int, int | None, int | None, int, int]


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
                    rows = self._plain(cursor, statement, epoch)
                else:
                    cursor.execute(*statement.whole())
                    rows = cursor.fetchall()
        except OperationalError as error:
            raise SearchUnavailable() from error
        return _answer(rows, statement, values, as_of, self.name)

    def _plain(self, cursor, statement: Statement, epoch: str) -> list[Row]:  # type: ignore[no-untyped-def]
        key = f"search:sums:{statement.request.view}:{epoch}"
        sums: list[Row] | None = cache.get(key) if epoch else None
        if sums is None:
            cursor.execute(*statement.plain_sums())
            sums = cursor.fetchall()
            if epoch:
                cache.set(key, sums, 600)
        cursor.execute(*statement.plain_page())
        return [*sums, *cursor.fetchall()]

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


def _answer(rows: list[Row], statement: Statement, values: Catalog, as_of, name: str) -> SearchAnswer:  # type: ignore[no-untyped-def]
    request = statement.request
    counts: dict[str, Counter[int]] = {column: Counter() for column in ("project", "k2", "k3")}
    apart: dict[str, Counter[int]] = {facet: Counter() for facet in statement.filtered}
    months: dict[int, list[tuple[int, int, int, int, int]]] = defaultdict(list)
    hits: list[tuple[int, int, int]] = []
    for part, code, number, amount, people, first, second in rows:
        if part == HIT:
            hits.append((first, second, code))
        elif part >= APART:
            apart[statement.filtered[part - APART]][code] = number
        elif GROUPS[part] == "k4":
            month, period = divmod(code >> 6, 4)
            months[month].append((code & 63, period, number, int(amount or 0), int(people or 0)))
        else:
            counts[GROUPS[part]][code] = number
    hits.sort(reverse=True)
    more = len(hits) > request.limit
    hits = hits[: request.limit]
    groups = [group for found in months.values() for group in found]
    last = hits[-1] if more and hits else None
    return SearchAnswer(
        count=sum(group[2] for group in groups),
        totals=_totals(groups),
        household_times=sum(group[4] for group in groups),
        facets={
            facet: tuple(_facet(facet, apart.get(facet, counts[PACKED[facet]]), values))
            for facet in (*FACETS, "band")
        },
        months=tuple(_month(month, months[month]) for month in sorted(months)),
        ids=tuple(code for _, _, code in hits),
        next=None if last is None else (last if statement.sort_values == 3 else (last[0], last[2])),
        as_of=as_of,
        engine=name,
    )


def _totals(groups: list[tuple[int, int, int, int, int]]) -> tuple[Money, ...]:
    sums: Counter[int] = Counter()
    for currency, _period, _number, amount, _people in groups:
        sums[currency] += amount
    return tuple(Money(sums[code], CURRENCIES[code]) for code in sorted(sums))


def _month(month: int, groups: list[tuple[int, int, int, int, int]]) -> MonthSum:
    return MonthSum(
        month=month,
        count=sum(group[2] for group in groups),
        totals=_totals(groups),
        household_times=sum(group[4] for group in groups),
        long_periods=sum(group[2] for group in groups if group[1]),
    )


def _facet(facet: str, packed: Counter[int], values: Catalog) -> Iterator[FacetCount]:
    """The values of a facet, the most frequent first, from counts by packed code."""
    counted: Counter[int] = Counter()
    projects = values.by_code["project"]
    for code, number in packed.items():
        counted[_unpacked(facet, code, projects)] += number
    found = []
    for code, number in counted.items():
        if facet in ("opinion", "band"):
            found.append(FacetCount(OPINIONS[code] if facet == "opinion" else str(code), "", "", number))
        elif code and code in values.by_code[facet]:
            value = values.by_code[facet][code]
            if not value.key.startswith(NO_PROJECT):
                found.append(FacetCount(value.key, value.zh, value.en, number))
    yield from sorted(found, key=lambda item: (-item.count, item.key))


def _unpacked(facet: str, code: int, projects: Mapping[int, Value]) -> int:
    if facet in ("fund", "organization"):
        return int(getattr(projects.get(code), facet, 0))
    match facet:
        case "category":
            return code >> 10
        case "town":
            return code & 1023
        case "kind":
            return (code >> 7) & 511
        case "opinion":
            return (code >> 4) & 7
        case "band":
            return code & 15
    return code
