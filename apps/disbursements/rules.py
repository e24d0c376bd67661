"""What a rule table gives for a family's facts, line by line (C6). Pure: rows and facts in, an explanation out.

Facts by centre (amounts in fen): illness {total, insured, other_aid}; housing {grade, repair_cost};
education {level}; temporary {tier, need}. `given_before` is what the family already had of the centre's yearly cap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput
from apps.disbursements.states import AidKind, RowKind

WHOLE = 10_000
"""Shares are in hundredths of a percent."""


class Row(Protocol):
    """What the calculation reads of a table's row."""

    @property
    def what(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def floor(self) -> int | None: ...
    @property
    def ceiling(self) -> int | None: ...
    @property
    def share_bp(self) -> int | None: ...
    @property
    def amount(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line of an explanation: a code, the figures its sentence needs, and what it adds (negative: takes), fen."""

    code: str
    figures: dict[str, Any]
    amount: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The lines and what they sum to; `stages` are the instalments where the centre pays in stages."""

    lines: list[ExplainedLine]
    amount: int
    stages: list[int]

    def frozen(self) -> list[dict[str, Any]]:
        """This will give the lines as the application keeps them."""
        return [asdict(line) for line in self.lines]


class NothingDue(BadInput):
    code = "nothing_due"
    message = _("按现行标准，这些情况算不出救助金额。请核对填写的数字，或改走其他救助。")


class FactsMissing(BadInput):
    code = "facts_missing"
    message = _("缺少计算金额要用的情况，或写法不对。")


def explain(
    kind: str, rows: Iterable[Row], facts: Mapping[str, Any], *, given_before: int = 0
) -> Explanation:
    """This will compute a centre's amount from its table and a family's facts.

    Raises FactsMissing (with the field), NothingDue when it comes to nothing.
    """
    table = list(rows)
    made = _WAYS[AidKind(kind)](table, facts, given_before)
    if made.amount <= 0:
        raise NothingDue()
    return made


def _education(table: list[Row], facts: Mapping[str, Any], given_before: int) -> Explanation:
    row = _row(table, RowKind.LEVEL, _word(facts, "level"), "level")
    line = ExplainedLine("level", {"key": row.key, "amount": _int(row.amount)}, _int(row.amount))
    return Explanation([line], line.amount, [line.amount])


def _illness(table: list[Row], facts: Mapping[str, Any], given_before: int) -> Explanation:
    total, insured = _fen(facts, "total"), _fen(facts, "insured")
    other = _fen(facts, "other_aid")
    own = total - insured - other
    if own < 0:
        raise FactsMissing(_("报销和其他救助加起来超过了总费用，请核对。"), field="insured")
    lines = [
        ExplainedLine("own_cost", {"total": total, "insured": insured, "other_aid": other, "own": own}, 0)
    ]
    given = 0
    for band in (row for row in table if row.what == RowKind.BAND):
        floor = _int(band.floor)
        top = own if band.ceiling is None else min(own, band.ceiling)
        part = max(top - floor, 0)
        share = part * _int(band.share_bp) // WHOLE
        if part:
            figures = {"floor": floor, "ceiling": band.ceiling, "part": part, "share_bp": band.share_bp}
            lines.append(ExplainedLine("band", figures, share))
            given += share
    return _capped(table, lines, given, given_before)


def _capped(table: list[Row], lines: list[ExplainedLine], given: int, given_before: int) -> Explanation:
    cap = next((row for row in table if row.what == RowKind.CAP), None)
    if cap is not None:
        left = max(_int(cap.amount) - given_before, 0)
        if given > left:
            figures = {"cap": cap.amount, "given": given_before, "left": left}
            lines.append(ExplainedLine("cap", figures, left - given))
            given = left
    return Explanation(lines, given, [given])


def _housing(table: list[Row], facts: Mapping[str, Any], given_before: int) -> Explanation:
    grade = _row(table, RowKind.GRADE, _word(facts, "grade"), "grade")
    cost = _fen(facts, "repair_cost")
    share = cost * _int(grade.share_bp) // WHOLE
    lines = [ExplainedLine("grade", {"key": grade.key, "cost": cost, "share_bp": grade.share_bp}, share)]
    amount = min(share, _int(grade.amount))
    if amount < share:
        lines.append(ExplainedLine("grade_cap", {"key": grade.key, "cap": grade.amount}, amount - share))
    shares = [_int(row.share_bp) for row in table if row.what == RowKind.STAGE]
    stages = [amount * each // WHOLE for each in shares[:-1]]
    stages.append(amount - sum(stages))
    for n, part in enumerate(stages, start=1):
        lines.append(ExplainedLine("stage", {"n": n, "part": part}, 0))
    return Explanation(lines, amount, stages)


def _temporary(table: list[Row], facts: Mapping[str, Any], given_before: int) -> Explanation:
    tier = _row(table, RowKind.TIER, _word(facts, "tier"), "tier")
    need = _fen(facts, "need")
    lines = [ExplainedLine("need", {"need": need}, need)]
    if need > _int(tier.amount):
        lines.append(
            ExplainedLine("tier_cap", {"key": tier.key, "cap": tier.amount}, _int(tier.amount) - need)
        )
    amount = min(need, _int(tier.amount))
    return Explanation(lines, amount, [amount])


_WAYS = {
    AidKind.EDUCATION: _education,
    AidKind.ILLNESS: _illness,
    AidKind.HOUSING: _housing,
    AidKind.TEMPORARY: _temporary,
}


def check_table(kind: str, rows: Iterable[Row]) -> None:
    """This will refuse a table that can't decide every case: bands with gaps, stages that don't make a whole, rows of
    another centre. Raises BadTable."""
    table = list(rows)
    kinds = {row.what for row in table}
    wanted = {
        AidKind.EDUCATION: {RowKind.LEVEL},
        AidKind.ILLNESS: {RowKind.BAND, RowKind.CAP},
        AidKind.HOUSING: {RowKind.GRADE, RowKind.STAGE},
        AidKind.TEMPORARY: {RowKind.TIER},
    }[AidKind(kind)]
    if kinds != wanted:
        raise BadTable()
    end: int | None = 0
    for row in (row for row in table if row.what == RowKind.BAND):
        if end is None or row.floor != end:
            raise BadTable(_("自付分段要从0开始，一段接一段，不能有空缺或重叠。"))
        end = row.ceiling
    shares = [_int(row.share_bp) for row in table if row.what == RowKind.STAGE]
    if shares and sum(shares) != WHOLE:
        raise BadTable(_("各期比例加起来要等于100%。"))


class BadTable(BadInput):
    code = "bad_table"
    message = _("这张标准表不完整：缺少这个中心要用的行，或有别的中心的行。")


def _row(table: list[Row], what: str, key: str, field: str) -> Row:
    for row in table:
        if row.what == what and row.key == key:
            return row
    raise FactsMissing(_("现行标准里没有这一类，请重新选择。"), field=field)


def _word(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    if not isinstance(value, str) or not value:
        raise FactsMissing(field=name)
    return value


def _fen(facts: Mapping[str, Any], name: str) -> int:
    value = facts.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**12:
        raise FactsMissing(field=name)
    return value


def _int(value: int | None) -> int:
    assert value is not None
    return value
