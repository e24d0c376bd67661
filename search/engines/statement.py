"""The one SQL statement of a search on PostgreSQL: matches, their sums by every facet, the page's rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apps.core.text import lexeme
from apps.publication.models.rows import OPINIONS, VIEWS
from search.catalog import Catalog
from search.contract import SearchRequest
from search.engines.translation import Sql, checks, cover, in_line, is_positive
from search.language import Node, positive

TABLE = "publication_publicrow"
LEXEMES = "search_lexemes_v1(units, k2, k3, project)"
PACKED = {"organization": "project", "fund": "project", "project": "project", "category": "k2", "town": "k2",
          "kind": "k3", "opinion": "k3", "band": "k3"}  # fmt: skip
GROUPS = {0b0111: "project", 0b1011: "k2", 0b1101: "k3", 0b1110: "k4"}
"""What GROUPING(project, k2, k3, k4) says of a row: the bit of the grouped column is 0."""

HIT = 100
"""`part` of a row that is one of the page's; below it, of facets counted without their own filter: 50 + place."""
APART = 50
MOST_LEXEMES = 64
CARRIED = ("id", "version", "day", "amount", "people", "project", "category", "town", "kind", "opinion", "period",
           "currency", "heading_id")  # fmt: skip
"""What an export needs of a match: everything but the words.  Never `units`, which is wide."""


class Statement:
    """Builds the statement of a request. `facets` that have a filter of their own are counted without it."""

    def __init__(self, request: SearchRequest, tree: Node | None, catalog: Catalog) -> None:
        self.request = request
        self.tree = tree
        self.catalog = catalog
        self.fragments = positive(tree) if request.sort == "relevance" else []
        self.filtered = [name for name, keys in request.facets.items() if keys]
        if request.amount_min is not None or request.amount_max is not None:
            self.filtered.append("band")
        alone = self.tree is None and len(self.filtered) == 1 and not self._has_days
        self.from_whole = self.filtered if alone else []
        """A facet whose own filter is all that narrows the view: the sums of the whole view count it."""
        self.apart = [] if alone else self.filtered
        """Facets that are counted without their own filter by a condition of their own."""

    @property
    def plain(self) -> bool:
        """True when nothing narrows the view: the covering index answers."""
        return self.tree is None and not self.filtered and not self._has_days

    @property
    def _has_days(self) -> bool:
        return (self.request.day_from, self.request.day_to) != (None, None)

    def where(self, without: str = "") -> Sql:
        """This will give the condition of the matches, leaving out one facet's own filter."""
        query: list[str] = []
        parts: list[Sql] = []
        if self.tree is not None:
            covered = cover(self.tree)
            if covered:
                query.append(covered)
            parts += checks(self.tree)
        found = is_positive(self.tree) and bool(query)
        for name in self.filtered:
            if name not in (without, "band"):
                lexemes, condition = self._facet(name)
                query += lexemes
                found = found or bool(lexemes)
                parts += condition
        if query and not found:
            query.append(lexeme(f"#v{VIEWS[self.request.view]}"))
        conditions: list[Sql] = [("alive", []), ("view = %s", [VIEWS[self.request.view]])]
        if query:
            conditions.append((f"{LEXEMES} @@ %s::tsquery", [" & ".join(query)]))
        conditions += self._ranges(amounts=without != "band")
        conditions += parts
        return " AND ".join(sql for sql, _ in conditions), [
            value for _, values in conditions for value in values
        ]

    def _facet(self, name: str) -> tuple[list[str], list[Sql]]:
        keys = tuple(self.request.facets[name])
        if name == "opinion":
            return [
                _any(f"#o{OPINIONS.index(key)}" for key in keys if key in OPINIONS) or lexeme("#none")
            ], []
        codes = self.catalog.codes(name, keys)
        if name in ("fund", "organization"):
            codes = sorted(
                {code for owner in codes for code in self.catalog.projects_of[name].get(owner, [])}
            )
        if not codes:
            return [lexeme("#none")], []
        if len(codes) > MOST_LEXEMES:
            return [], [("project = ANY(%s)", [codes])]
        sign = "p" if PACKED[name] == "project" else name[0]
        return [_any(f"#{sign}{code}" for code in codes)], []

    def _ranges(self, *, amounts: bool) -> Iterable[Sql]:
        request = self.request
        if amounts and request.amount_min is not None:
            yield "amount >= %s", [request.amount_min]
        if amounts and request.amount_max is not None:
            yield "amount <= %s", [request.amount_max]
        if request.day_from is not None:
            yield "day >= %s", [request.day_from.toordinal()]
        if request.day_to is not None:
            yield "day <= %s", [request.day_to.toordinal()]

    # The parts of the statement

    def whole(self) -> Sql:
        """This will give everything in one statement; rows of (part, code, count, amount, people, first, second)."""
        where, values = self.where()
        ctes = [
            "m AS MATERIALIZED (SELECT id, day, amount, people, project, k2, k3, k4, heading_id"
            f" FROM {TABLE} WHERE {where})"
        ]
        selects = [
            "SELECT grouping(project, k2, k3) * 2 + 1 AS part, coalesce(project, k2, k3)::bigint AS code, count(*),"
            " NULL::numeric, NULL::bigint, 0::bigint, 0::bigint FROM m GROUP BY GROUPING SETS ((project), (k2), (k3))",
            f"SELECT {0b1110}, k4, count(*), sum(amount), sum(people), 0, 0 FROM m GROUP BY k4",
        ]
        for place, name in enumerate(self.apart):
            column = PACKED[name]
            apart, more = self.where(without=name)
            ctes.append(f"f{place} AS MATERIALIZED (SELECT {column} AS code FROM {TABLE} WHERE {apart})")
            values = [*values, *more]
            selects.append(
                f"SELECT {APART + place}, code, count(*), NULL, NULL, 0, 0 FROM f{place} GROUP BY code"
            )
        head, head_values = self._headings()
        page, page_values = self.page("m", "true", [])
        sql = "WITH " + ", ".join([*ctes, *head]) + " " + " UNION ALL ".join([*selects, f"({page})"])
        return sql, [*values, *head_values, *page_values]

    def ordered(self, columns: str, joins: str, more: list[Any]) -> Sql:
        """This will give columns of all matches in the order of the page; `x` is the row, `more` are the values of
        `columns`. Matches of words are fenced, because the planner only guesses how many there are; without words
        everything is read once and sorted."""
        where, values = self.where()
        head, head_values = self._headings()
        order, source = "x.day DESC, x.id DESC", "m x"
        if self.request.sort == "amount":
            order = "x.amount DESC, x.id DESC"
        elif self.fragments:
            source += " LEFT JOIN h ON h.id = x.heading_id"
            order = "coalesce(h.score, 0) DESC, x.day DESC, x.id DESC"
        matches = f"SELECT {', '.join(CARRIED)} FROM {TABLE} WHERE {where}"
        if self.tree is None:
            return (
                f"SELECT {columns} FROM ({matches}) x {joins} ORDER BY {order}",
                [*more, *values],
            )
        return (
            f"WITH {', '.join([f'm AS MATERIALIZED ({matches})', *head])}"
            f" SELECT {columns} FROM {source} {joins} ORDER BY {order}",
            [*values, *head_values, *more],
        )

    def plain_sums(self) -> Sql:
        """This will give the sums of a whole view, from the covering index alone."""
        return (
            "SELECT grouping(project, k2, k3, k4) AS part, coalesce(project, k2, k3, k4)::bigint, count(*),"
            f" sum(amount), sum(people), 0::bigint, 0::bigint FROM {TABLE} WHERE alive AND view = %s"
            " GROUP BY GROUPING SETS ((project), (k2), (k3), (k4))",
            [VIEWS[self.request.view]],
        )

    def plain_page(self) -> Sql:
        """This will give the page of a whole view, by walking the index of its order."""
        return self.page(TABLE, "alive AND view = %s", [VIEWS[self.request.view]])

    def _headings(self) -> tuple[list[str], list[Any]]:
        if not self.fragments:
            return [], []
        tests = [in_line(fragment, "units") for fragment in self.fragments]
        score = " + ".join(f"({sql})::int" for sql, _ in tests)
        return (
            [f"h AS MATERIALIZED (SELECT id, score FROM (SELECT id, {score} AS score FROM publication_publicheading"
             " WHERE id IN (SELECT heading_id FROM m)) s WHERE score > 0)"],
            [value for _, values in tests for value in values],
        )  # fmt: skip

    def page(self, table: str, where: str, values: list[Any]) -> Sql:
        """This will give the page's rows, one more than asked; `first` and `second` are what they are sorted by."""
        first, second, order = "x.day::bigint", "0::bigint", "x.day DESC, x.id DESC"
        compared, source = "(x.day, x.id)", f"{table} x"
        if self.request.sort == "amount":
            first, order, compared = "x.amount", "x.amount DESC, x.id DESC", "(x.amount, x.id)"
        elif self.fragments:
            source += " LEFT JOIN h ON h.id = x.heading_id"
            first, second = "coalesce(h.score, 0)::bigint", "x.day::bigint"
            order = "coalesce(h.score, 0) DESC, x.day DESC, x.id DESC"
            compared = "(coalesce(h.score, 0), x.day, x.id)"
        after: list[Any] = []
        if self.request.after is not None:
            after = list(self.request.after)
            where += f" AND {compared} < ({', '.join(['%s'] * len(after))})"
        return (
            f"SELECT {HIT}, x.id, 0::bigint, NULL::numeric, NULL::bigint, {first}, {second} FROM {source}"
            f" WHERE {where} ORDER BY {order} LIMIT %s",
            [*values, *after, self.request.limit + 1],
        )

    @property
    def sort_values(self) -> int:
        """How many values a cursor of this request holds."""
        return 3 if self.fragments else 2


def _any(texts: Iterable[str]) -> str:
    quoted = [lexeme(text) for text in texts]
    return "(" + " | ".join(quoted) + ")" if quoted else ""
