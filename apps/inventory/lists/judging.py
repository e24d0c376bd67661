"""What a list's lines mean: quantity, unit, pack. What can't be known is asked, never guessed."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Text
from apps.core.tables.cells import day, folded
from apps.core.tables.faults import CellFault
from apps.inventory.models import Unit, UnitAlias
from apps.publication.privacy import find_personal

QUESTIONS: dict[str, Text] = {
    "amount_missing": _("没有数量。请写数量和单位，例如 2箱；不是一批物资就写“跳过”。"),
    "amount_unreadable": _("数量“%(detail)s”读不出来。请写成 2箱；有几样就用分号隔开：2箱；3盒。"),
    "amount_not_positive": _("数量“%(detail)s”不大于零。请改正，或写“跳过”。"),
    "unit_missing": _("只有数字“%(detail)s”，没有单位。请写数量和单位。"),
    "unit_differs": _("数量里和单位列里写的单位不同（%(detail)s）。请写清数量和单位。"),
    "unit_unknown": _("不认识单位“%(detail)s”。请选一个已有的单位，或作为新单位添加。"),
    "fraction": _("“%(detail)s”：这个单位不能有小数。请改数量或单位。"),
    "item_missing": _("没有品名。请写品名；与上一行相同就写“同上”。"),
    "item_private": _("品名或规格里有个人信息，会公开。请改写品名。"),
    "party_missing": _("没有捐赠或接收单位。请写单位名；不知道就写“未写明”。"),
    "day_unreadable": _("日期“%(detail)s”读不出来。请写成 2020-01-28。"),
}
ANSWERED_AS = {"item": "item", "party": "party", "day": "day"}
"""Which answer settles a question, by how its code begins; the rest is settled by a quantity."""

SKIP = ("跳过", "skip")
SAME = ("同上", "same")
NEW = "new"
_ONE = re.compile(
    r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*([^\d\s.,，、;；~～至—+×xX*/()（）:：-]{0,10})"
)
_PACK = re.compile(r"(\d+(?:\.\d+)?)\s*([^\d\s/*×()（）.]{1,6})\s*/\s*([^\d\s/*×()（）.]{1,6})")
_BETWEEN = re.compile(r"[;；]")


@dataclass(frozen=True, slots=True)
class Question:
    """Something a person has to say: about a cell (`row`, `column`), or once for all rows of a unit (`unit`)."""

    code: str
    row: int
    column: str
    detail: str = ""
    rows: int = 1

    @property
    def message(self) -> str:
        """This will ask in the reader's language."""
        return str(QUESTIONS[self.code]) % {"detail": self.detail}

    @property
    def name(self) -> str:
        """This will name the field that answers it: unit:提, amount:49, item:20."""
        what = (
            "unit" if self.code == "unit_unknown" else ANSWERED_AS.get(self.code.partition("_")[0], "amount")
        )
        return f"{what}:{self.detail if what == 'unit' else self.row}"


@dataclass(frozen=True, slots=True)
class GoodsRow:
    """What a line will become: a lot, or a dispatch."""

    row: int
    last_row: int
    party: str
    carried: bool
    item: str
    spec: str
    quantity: Decimal
    unit: str
    day: dt.date
    note: str
    key: str
    base: str
    per_unit: Decimal | None = None
    inner_unit: str = ""


@dataclass(slots=True)
class Judged:
    rows: list[GoodsRow] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    new_units: dict[str, int] = field(default_factory=dict)


class Units:
    """Words and the units they stand for, with what a person answered for this list."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.places: dict[str, int] = dict(Unit.objects.values_list("code", "places"))
        self.words = {code: code for code in self.places}
        self.words |= {word.lower(): unit for word, unit in UnitAlias.objects.values_list("word", "unit")}
        self.new: dict[str, int] = {}
        for word, answer in answers.items():
            if answer.startswith(NEW):
                self.new[word] = self.places[word] = int(answer.partition(":")[2] or 0)
                self.words[word] = word
            elif answer in self.places:
                self.words[word] = answer

    def find(self, word: str) -> str | None:
        return self.words.get(word) or self.words.get(word.lower())


def judge(
    rows: Iterable[Any], *, kind: str, source: str, day_given: dt.date, day_in_file: bool,
    answers: Mapping[str, Mapping[str, str]],
) -> Judged:  # fmt: skip
    """This will tell what each line means, with the answers given so far: {"unit": {word: unit or new:places},
    "amount": {row: text}, "item": {...}, "party": {...}, "day": {...}}."""
    units, judged = Units(answers.get("unit", {})), Judged()
    judged.new_units = units.new
    unknown: dict[str, list[tuple[int, str]]] = {}
    seen: Counter[str] = Counter()
    before = ""
    for line in rows:
        mine = {
            what: answers.get(what, {}).get(str(line.row), "").strip()
            for what in ("amount", "item", "party", "day")
        }
        if any(folded(said).casefold() in SKIP for said in mine.values()):
            judged.skipped.append(line.row)
            continue
        problems: list[Question] = []
        item = mine["item"] or line.item
        if folded(item).casefold() in SAME:
            item = before
        before = item or before
        party = mine["party"] or line.party
        at = line.at
        if not item:
            problems.append(Question("item_missing", line.row, at.get("item", "")))
        elif find_personal(f"{item} {line.spec}"):
            problems.append(Question("item_private", line.row, at.get("item", "")))
        if not party:
            problems.append(Question("party_missing", line.row, at.get("party", "")))
        on = day_given
        if mine["day"] or line.day:
            try:
                on = day(mine["day"] or line.day)
            except CellFault as fault:
                problems.append(Question("day_unreadable", line.row, at.get("day", ""), fault.detail[:40]))
        parts = _amounts(mine["amount"] or line.amount, "" if mine["amount"] else line.unit_word, line, units)
        for part in parts:
            if isinstance(part, Question):
                if part.code == "unit_unknown":
                    unknown.setdefault(part.detail, []).append((part.row, part.column))
                else:
                    problems.append(part)
        judged.questions += problems
        if problems or any(isinstance(part, Question) for part in parts):
            continue
        for quantity, unit in (part for part in parts if not isinstance(part, Question)):
            said = (day_in_file or bool(line.day)) and on.isoformat()
            base = "\x1f".join(folded(str(each)) for each in (
                kind, source, said or "", party, item, line.spec, f"{quantity.normalize():f}", unit))  # fmt: skip
            seen[base] += 1
            pack = _pack(line.spec, unit, units)
            judged.rows.append(
                GoodsRow(line.row, line.last_row, party, line.carried, item, line.spec, quantity, unit, on, line.note,
                         key_of(base, seen[base]), base, *pack)
            )  # fmt: skip
    judged.questions += [
        Question("unit_unknown", places[0][0], places[0][1], word, len(places))
        for word, places in unknown.items()
    ]
    judged.questions.sort(key=lambda each: (each.row, each.code))
    return judged


def key_of(base: str, n: int) -> str:
    """This will give the identity of the n-th time that the same line stands in a list."""
    return hashlib.sha256(f"{base}\x1f{n}".encode()).hexdigest()


def _amounts(words: str, unit_word: str, line: Any, units: Units) -> list[tuple[Decimal, str] | Question]:
    place = line.at.get("amount", "")

    def ask(code: str, detail: str = "") -> list[tuple[Decimal, str] | Question]:
        return [Question(code, line.row, place, detail[:40])]

    plain = folded(words)
    if not plain:
        return ask("amount_missing")
    found: list[tuple[Decimal, str] | Question] = []
    for piece in _BETWEEN.split(plain):
        match = _ONE.fullmatch(piece.strip())
        if match is None:
            return ask("amount_unreadable", words)
        quantity, said, column = Decimal(match[1].replace(",", "")), match[2], folded(unit_word)
        if quantity <= 0 or quantity >= 10**9:
            return ask("amount_not_positive", words)
        if not said and not column:
            return ask("unit_missing", words)
        inside, beside = units.find(said) if said else None, units.find(column) if column else None
        if said and column and said != column and (inside is None or inside != beside):
            return ask("unit_differs", f"{said}, {column}")
        unit = inside or beside
        if unit is None:
            where = place if said else line.at.get("unit", "")
            found.append(Question("unit_unknown", line.row, where, said or column))
            continue
        if quantity != round(quantity, units.places[unit]):
            return ask("fraction", words)
        found.append((quantity, unit))
    return found


def _pack(spec: str, unit: str, units: Units) -> tuple[Decimal | None, str]:
    """200个/箱 on a quantity in 箱: each holds 200 个. A pack of another unit than the quantity's is only shown."""
    match = _PACK.fullmatch(folded(spec).strip())
    if match is None:
        return None, ""
    inner, outer = units.find(match[2]), units.find(match[3])
    factor = Decimal(match[1])
    if inner is None or outer != unit or inner == outer or factor <= 0 or factor != round(factor, 3):
        return None, ""
    return factor, inner
