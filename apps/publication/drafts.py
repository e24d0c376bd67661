"""The contract of those who publish: what a public row is made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from apps.core.money import Money
from apps.publication.models.rows import CURRENCIES, OPINIONS, PERIODS


@dataclass(frozen=True, slots=True)
class Facet:
    """One value of a facet: a stable `key` (slug, uscc, town code; it stands in addresses) and its labels.

    An empty `en` means there is no English label; the Chinese one is shown then.
    """

    key: str
    zh: str
    en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDraft:
    """A use of money, or a published report, as the public shall find it.

    view: "use" or "report". source: names the row for ever (such as "report/<public id>/<line>"); publishing the same
    source again replaces the row. batch: the report's public id; its rows are withdrawn and republished together.
    public_id: random, shown in the API. link: address without language, such as "/disclosures/<id>/".
    amount: in minor units of its currency. household_times: households helped (户次), a sum over rows.
    day: civil date in Asia/Shanghai that sorts, filters and charts the row: the first day of a use's period, the day
    of publication of a report. period: how long the use's period is.
    fund, project, category, town: None where there is none (a town of None means the whole city).
    opinion: none, unqualified, qualified, adverse or disclaimer. heading and text: public text, already past the
    privacy gate. more: small extra facts for the API and the page, JSON.
    """

    view: Literal["use", "report"]
    source: str
    batch: str
    public_id: str
    link: str
    amount: Money
    day: dt.date
    organization: Facet
    kind: Facet
    heading: str
    text: str = ""
    household_times: int = 0
    period: Literal["month", "quarter", "half_year", "year"] = "month"
    fund: Facet | None = None
    project: Facet | None = None
    category: Facet | None = None
    town: Facet | None = None
    opinion: Literal["none", "unqualified", "qualified", "adverse", "disclaimer"] = "none"
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.view not in ("use", "report"):
            raise ValueError(f"view: {self.view!r}")
        if (
            self.opinion not in OPINIONS
            or self.period not in PERIODS
            or self.amount.currency not in CURRENCIES
        ):
            raise ValueError("opinion, period or currency is not one of those the projection knows")
        if self.household_times < 0 or isinstance(self.day, dt.datetime):
            raise ValueError("household_times can't be negative; day is a civil date, not a moment")

    def labels(self) -> list[str]:
        """This will list the labels that are searched with the row's own text."""
        facets = (self.project, self.fund, self.organization, self.category, self.town, self.kind)
        return [label for facet in facets if facet for label in (facet.zh, facet.en) if label]
