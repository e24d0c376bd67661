"""What a private value looks like once it is written down the same way each time, and what it says by itself."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from apps.core.errors import BadInput

OLDEST = 120
"""Years; nobody older is registered without a corrected number."""

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"
_RUN = re.compile(rf"[{_CJK}]+")
_SPOT = re.compile(
    rf"([{_CJK}]{{2,12}})(\d{{1,5}})(?=(?:之|-)?\d*(?:号|栋|幢|座|单元|室|房|组|弄|巷|队|楼|层))"
)


class BadIdNumber(BadInput):
    code = "bad_id_number"
    message = _("身份证号的校验位或出生日期不对，请对照证件核对18位号码。")
    field = "id_number"


class BadPhone(BadInput):
    code = "bad_phone"
    message = _("电话号码要有7到15位数字，请核对。")
    field = "phone"


class BadAccount(BadInput):
    code = "bad_account"
    message = _("银行账号只能是8到30位数字。")
    field = "bank_account"


def folded(text: str) -> str:
    """This will write a text the one way all comparisons use: NFKC, without invisible signs and white space."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(
        sign for sign in plain if not sign.isspace() and unicodedata.category(sign) not in ("Cf", "Cc")
    )


def checked_id(number: str, *, field: str = "id_number") -> str:
    """This will give an ID number in its one form (18 signs, X in capitals), or raise BadIdNumber (python-stdnum)."""
    try:
        return str(ric.validate(folded(number).upper()))
    except ValidationError as error:
        raise BadIdNumber(field=field) from error


def checked_phone(phone: str) -> str:
    """This will give a phone number's digits, without the country's 86, or raise BadPhone."""
    digits = re.sub(r"[^\d]", "", folded(phone))
    if len(digits) > 11 and digits.startswith("86"):
        digits = digits[2:]
    if not 7 <= len(digits) <= 15:
        raise BadPhone()
    return digits


def checked_account(text: str) -> str:
    """This will give a bank account's digits, or raise BadAccount."""
    digits = re.sub(r"[\s\-]", "", folded(text))
    if not digits.isascii() or not digits.isdecimal() or not 8 <= len(digits) <= 30:
        raise BadAccount()
    return digits


def born_on(number: str) -> dt.date:
    """This will read the birth date in a checked ID number."""
    return dt.datetime.strptime(number[6:14], "%Y%m%d").date()


def is_male(number: str) -> bool:
    """This will read the sex in a checked ID number: odd is male."""
    return int(number[16]) % 2 == 1


def age_on(born: dt.date, day: dt.date) -> int:
    """This will give full years of age on a civil date (Asia/Shanghai)."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def name_traces(name: str) -> set[str]:
    """This will give what a name is recognised by in a text: itself, or the parts of a longer one (at most 4 signs
    each, because texts are searched in windows of 2 to 4)."""
    parts = _RUN.findall(folded(name))
    return {part[:4] for part in parts if len(part) >= 2}


def address_traces(address: str) -> set[str]:
    """This will give the places with a number in an address ("博爱路16"), each under its last 3 signs before the
    number, and its last 2 where there are no more."""
    return {_spot(match)[-1] for match in _SPOT.finditer(folded(address))}


def name_windows(text: str) -> Iterator[tuple[str, int]]:
    """This will give every run of 2 to 4 Chinese signs in a folded text, with its place."""
    for run in _RUN.finditer(text):
        signs = run.group()
        for start in range(len(signs) - 1):
            for length in range(2, min(4, len(signs) - start) + 1):
                yield signs[start : start + length], run.start() + start


def address_windows(text: str) -> Iterator[str]:
    """This will give every place with a number in a folded text, in each way an address may have it."""
    for match in _SPOT.finditer(text):
        yield from _spot(match)


def _spot(match: re.Match[str]) -> list[str]:
    street, number = match.groups()
    return [street[-size:] + number for size in (2, 3) if len(street) >= size]


def number_windows(text: str, sizes: Iterable[int] = range(7, 31)) -> set[str]:
    """This will give every stretch of digits (and a final X) in a folded text, without what separates its digits:
    whole, and each window of the lengths an ID number, a mobile number or a usual card has."""
    found: set[str] = set()
    wanted = set(sizes)
    for run in re.finditer(r"\d(?:[\-\u2010-\u2015_·.\u2212]*[\dXx])+", text):
        digits = re.sub(r"[^\dXx]", "", run.group()).upper()
        if len(digits) in wanted:
            found.add(digits)
        for size in (11, 16, 17, 18, 19):
            found.update(digits[start : start + size] for start in range(len(digits) - size + 1))
    return found
