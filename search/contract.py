"""One search contract for every engine: what is asked, and what is answered. Engines return the same for the same."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, NamedTuple, Protocol

from django.utils.translation import gettext_lazy as _

from apps.core.canonical import canonical_json
from apps.core.errors import DomainError
from apps.core.money import Money
from search.language import Node, parse

View = Literal["use", "report"]
Sort = Literal["relevance", "date", "amount"]

FACETS = ("organization", "fund", "project", "category", "town", "kind", "opinion")
"""Facets one may filter by, several values of one meaning any of them. `band` is answered too; its filter is the
amount."""

SORTS: tuple[Sort, ...] = ("relevance", "date", "amount")
MAX_LIMIT = 100
PAGE = 20


class SearchUnavailable(DomainError):
    code = "search_unavailable"
    status = 503
    message = _("查询太慢或索引暂时不可用，没有给出结果。请过几分钟再试，或把条件写得更具体些。")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is looked for. Amounts in minor units, both ends included; days are civil dates, both included."""

    view: View = "use"
    query: str = ""
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    amount_min: int | None = None
    amount_max: int | None = None
    day_from: dt.date | None = None
    day_to: dt.date | None = None
    sort: Sort = "relevance"
    after: tuple[int, ...] | None = None
    limit: int = PAGE

    def tree(self) -> Node | None:
        """This will parse the query; raises the limits of search.language."""
        return parse(self.query)

    def fingerprint(self) -> str:
        """This will name the question (not the page asked for): a cursor is only good for the question it came from."""
        values = asdict(self)
        values.pop("after")
        values.pop("limit")
        values["facets"] = {name: sorted(set(keys)) for name, keys in sorted(self.facets.items()) if keys}
        values["query"] = self.query.encode("utf-8", "replace").decode()
        values["day_from"], values["day_to"] = str(self.day_from), str(self.day_to)
        return hashlib.sha256(canonical_json(values)).hexdigest()[:24]


class FacetCount(NamedTuple):
    """A value of a facet; a tuple, because an answer holds hundreds."""

    key: str
    label_zh: str
    label_en: str
    count: int  # type: ignore[assignment]  # hides tuple.count


class MonthSum(NamedTuple):
    """A month's rows. `long_periods` of them stand for a quarter or longer that begins here."""

    month: int
    count: int  # type: ignore[assignment]  # hides tuple.count
    totals: tuple[Money, ...]
    household_times: int
    long_periods: int


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The answer. `facets` leave out their own filter (so that other values can be chosen), everything else is
    exact for the whole question. `ids` are rows of the projection in order; whoever renders reads them again from
    the database. `next` holds the sort values of the last row when there is more."""

    count: int
    totals: tuple[Money, ...]
    household_times: int
    facets: Mapping[str, tuple[FacetCount, ...]]
    months: tuple[MonthSum, ...]
    ids: tuple[int, ...]
    next: tuple[int, ...] | None
    as_of: dt.datetime
    engine: str


class Engine(Protocol):
    """What an engine must do. Raises SearchUnavailable when it can't answer."""

    name: str

    def search(self, request: SearchRequest) -> SearchAnswer: ...

    def status(self) -> dict[str, str | int]: ...

    def reconcile(self) -> list[str]: ...

    def rebuild(self) -> int: ...
