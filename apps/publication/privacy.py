"""The privacy check on text (C5): nothing that points at a person becomes public through a page or a report."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from apps.core.errors import BadInput, Text

_GAP = r"[\s\-\u2010-\u2015_·.]*"
# Looked for from every digit that begins a number, gaps allowed inside: a house number or a date that stands before a
# number must not hide it.
_ID = re.compile(rf"(?<!\d)(?=(\d(?:{_GAP}\d){{16}}{_GAP}[\dXx])(?![\dXx]))")
_PHONE = re.compile(rf"(?:(?<!\d)|(?<!\d)86)1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)")
_CARD = re.compile(r"(?<!\d)\d{16,19}(?!\d)")
_GAPS = re.compile(rf"(?<=\d){_GAP}(?=[\dXx])")
_LINES = re.compile(r"(?<!\d)\d{4}(?:[\s\-]\d{4}){3}(?:[\s\-]\d{1,3})?(?!\d)")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that must not be published. The value itself is not kept, so that logs stay clean."""

    kind: str
    message: Text


class NotPublishable(BadInput):
    """A text holds personal details; the editor is told which kind, never shown somebody else's."""

    code = "privacy_check"

    def __init__(self, hits: Iterable[Hit], field: str | None = None) -> None:
        self.hits = list(hits)
        kinds = "；".join(dict.fromkeys(str(hit.message) for hit in self.hits))
        super().__init__(
            str(_("没有公布。文字里有个人信息：%(kinds)s。请删去后再试。")) % {"kinds": kinds}, field=field
        )


def find_personal(text: str, private_values: Iterable[str] = ()) -> list[Hit]:
    """This will find ID numbers, mobile numbers, bank cards and given private values in a text (C5).

    Full-width digits and separators between digits are seen through. `private_values` are a case's own
    names and places.
    """
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    plain = _GAPS.sub("", seen)
    hits: list[Hit] = []
    for match in _ID.finditer(seen):
        if _is_id(re.sub(_GAP, "", match.group(1))):
            hits.append(Hit("id_number", _("身份证号")))
    if _PHONE.search(seen):
        hits.append(Hit("phone", _("手机号")))
    cards = {match.group() for each in (seen, plain) for match in _CARD.finditer(each)}
    cards |= {re.sub(r"\D", "", match.group()) for match in _LINES.finditer(seen)}
    if any(_luhn(card) for card in cards):
        hits.append(Hit("bank_card", _("银行卡号")))
    folded = plain.casefold()
    if any(len(value.strip()) >= 2 and value.strip().casefold() in folded for value in private_values):
        hits.append(Hit("case_value", _("家庭档案里的内容")))
    return hits


def check_publishable(text: str, private_values: Iterable[str] = (), *, field: str | None = None) -> None:
    """This will let a text pass or raise NotPublishable."""
    hits = find_personal(text, private_values)
    if hits:
        raise NotPublishable(hits, field)


def _is_id(number: str) -> bool:
    try:
        ric.validate(number.upper())
    except ValidationError:
        return False
    return True


def _luhn(number: str) -> bool:
    digits = [int(d) for d in reversed(number)]
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
