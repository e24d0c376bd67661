"""What became of one gift, to the fen (T1): fee, each use by its public record, and what is unspent.

Aid is shown by releases only (C4, T3): allocations whose payment has no release yet stand in `unspent`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from apps.donations.models import Gift
from apps.funds.models import BudgetLine
from apps.funds.states import Category
from apps.ledger.queries import GiftAllocation, gift_allocations, rule_in_force
from apps.payments.queries import fees_of
from apps.places.queries import town_names
from apps.publication.models import ExpenseUse, PublicRowText, Release, Residual
from apps.publication.queries import public_of_entries


@dataclass(frozen=True, slots=True)
class Use:
    """A gift's share of one public record, minor units."""

    public_id: str
    kind: str
    day: dt.date
    period: str
    town: str
    town_en: str
    category: str
    label: str
    amount: int
    whole: int
    households: int
    confirmed: int
    report_link: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything of a gift; `amount = fee + refunded + disputed + used + unspent` always."""

    gift: Gift
    fee: int
    refunded: int
    disputed: int
    uses: list[Use]
    unspent: int
    rule_version: int
    fee_elsewhere: int = 0
    """What the provider charged and the federation bore, beside the gift's own money."""

    @property
    def used(self) -> int:
        return sum(use.amount for use in self.uses)


def trace_gift(gift: Gift) -> Trace:
    """This will trace a received gift in a bounded number of statements, whatever the size of the ledger."""
    allocations = gift_allocations(gift.pk)
    by_kind: dict[str, int] = defaultdict(int)
    spent: list[GiftAllocation] = []
    for each in allocations:
        if each.kind == "spent":
            spent.append(each)
        else:
            by_kind[each.kind] += each.amount
    uses = _uses(spent)
    used = sum(use.amount for use in uses)
    unspent = gift.amount - by_kind["fee"] - by_kind["refund"] - by_kind["dispute"] - used
    return Trace(
        gift=gift, fee=by_kind["fee"], refunded=by_kind["refund"], disputed=by_kind["dispute"], uses=uses,
        unspent=unspent, rule_version=rule_in_force().version,
        fee_elsewhere=fees_of(gift.payment_id) - by_kind["fee"] if gift.fee_on_federation else 0,
    )  # fmt: skip


def _uses(spent: list[GiftAllocation]) -> list[Use]:
    told = public_of_entries(each.entry for each in spent)
    shares: dict[str, int] = defaultdict(int)
    known: dict[str, Release | Residual | ExpenseUse] = {}
    for each in spent:
        record = told.get(each.entry)
        if record is not None:
            shares[record.public_id] += each.amount
            known[record.public_id] = record
    links = dict(PublicRowText.objects.filter(public_id__in=list(known)).values_list("public_id", "link"))
    lines = BudgetLine.objects.in_bulk({r.budget_line for r in known.values() if isinstance(r, ExpenseUse)})
    names = town_names()
    made = [_use(known[key], shares[key], names, lines, links.get(key, "")) for key in known if shares[key]]
    return sorted(made, key=lambda use: (use.day, use.public_id))


def _use(
    record: Release | Residual | ExpenseUse,
    share: int,
    names: dict[int, tuple[str, str]],
    lines: dict[int, BudgetLine],
    link: str,
) -> Use:
    if isinstance(record, Residual):
        return Use(
            public_id=record.public_id, kind="residual", day=record.closed_on, period="day", town="", town_en="",
            category="", label="", amount=share, whole=record.amount, households=0, confirmed=0, report_link=link,
        )  # fmt: skip
    category = str(Category(record.category).label)
    if isinstance(record, ExpenseUse):
        return Use(
            public_id=record.public_id, kind="expense", day=record.paid_on, period="day", town="", town_en="",
            category=category, label=record.purpose or str(lines[record.budget_line]), amount=share,
            whole=record.amount, households=0, confirmed=0, report_link=link,
        )  # fmt: skip
    town, town_en = names.get(record.town or 0, ("", ""))
    return Use(
        public_id=record.public_id, kind="aid", day=record.starts_on, period=record.period, town=town, town_en=town_en,
        category=category, label="", amount=share, whole=record.amount, households=record.households,
        confirmed=record.confirmed, report_link=link,
    )  # fmt: skip
