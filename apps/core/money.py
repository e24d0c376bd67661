"""Money: integer minor units and a currency. Goods: a decimal and a unit. Nothing here rounds in silence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput

DIGITS = {"CNY": 2, "HKD": 2, "MOP": 2, "TWD": 2, "USD": 2, "EUR": 2, "GBP": 2, "SGD": 2, "AUD": 2, "CAD": 2,
          "JPY": 0, "KRW": 0, "VND": 0, "KWD": 3}  # fmt: skip
"""Minor-unit digits by ISO 4217 of the currencies that gifts have come in."""

SYMBOLS = {"CNY": "¥", "USD": "US$", "EUR": "€", "GBP": "£", "HKD": "HK$", "VND": "₫", "JPY": "JP¥"}

MAX_MINOR = 10**15
"""Ten trillion yuan in fen: far above any real sum, far below bigint."""

_NUMBER = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?|\.\d+")


class BadAmount(BadInput):
    code = "bad_amount"
    message = _("金额写法不对。请写成数字，例如 200 或 200.50。")
    field = "amount"


class CurrencyMismatch(BadInput):
    code = "currency_mismatch"
    message = _("币种不一致，不能相加。请分币种填写。")


@dataclass(frozen=True, order=False, slots=True)
class Money:
    """An amount: `minor` units (fen for CNY) of `currency`."""

    minor: int
    currency: str = "CNY"

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError("Money takes integer minor units")
        if self.currency not in DIGITS:
            raise BadAmount(_("不认识这个币种。请用 ISO 4217 三字母代码，例如 CNY。"), field="currency")
        if abs(self.minor) > MAX_MINOR:
            raise BadAmount(_("金额过大，请检查是否多写了零。"))

    @classmethod
    def parse(cls, text: str, currency: str = "CNY") -> Money:
        """This will read an amount as people type it: full-width digits, a currency sign, thousands by comma.

        Raises BadAmount for signs, exponents, more decimals than the currency has, or anything else.
        """
        folded = unicodedata.normalize("NFKC", text).strip().lstrip("¥￥").removesuffix("元").strip()
        if not _NUMBER.fullmatch(folded) or len(folded) > 24:
            raise BadAmount()
        try:
            value = Decimal(folded.replace(",", ""))
        except InvalidOperation as error:  # pragma: no cover - the pattern above lets nothing else through
            raise BadAmount() from error
        return cls.from_major(value, currency)

    @classmethod
    def from_major(cls, value: Decimal, currency: str = "CNY") -> Money:
        """This will turn yuan into fen exactly, or raise BadAmount when there are too many decimals."""
        if currency not in DIGITS:
            raise BadAmount(_("不认识这个币种。请用 ISO 4217 三字母代码，例如 CNY。"), field="currency")
        scaled = value.scaleb(DIGITS[currency])
        if scaled != scaled.to_integral_value():
            raise BadAmount(_("金额最多精确到该币种的最小单位（人民币是分）。"))
        return cls(int(scaled), currency)

    @property
    def major(self) -> Decimal:
        return Decimal(self.minor).scaleb(-DIGITS[self.currency])

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return format_money(self)

    def as_json(self) -> dict[str, int | str]:
        """This will give the API's form: {"amount": 123456, "currency": "CNY"}."""
        return {"amount": self.minor, "currency": self.currency}

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """This will split the amount by non-negative weights so that the parts sum to the whole, the spare units
        going to the largest remainders, earlier parts first."""
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights must be non-negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        parts = [whole * weight // total for weight in weights]
        spare = whole - sum(parts)
        order = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
        for i in order[:spare]:
            parts[i] += 1
        return [Money(sign * part, self.currency) for part in parts]

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch()


def zero(currency: str = "CNY") -> Money:
    """This will give no money of a currency."""
    return Money(0, currency)


def format_money(money: Money) -> str:
    """This will write money for people: ¥1,234.50, the minus as U+2212."""
    digits = DIGITS[money.currency]
    sign = "\u2212" if money.minor < 0 else ""
    symbol = SYMBOLS.get(money.currency, money.currency + " ")
    return f"{sign}{symbol}{abs(money.major):,.{digits}f}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of goods; different units never add."""

    value: Decimal
    unit: str

    def __add__(self, other: Quantity) -> Quantity:
        if self.unit != other.unit:
            raise BadInput(_("单位不同，不能相加。"), field="unit")
        return Quantity(self.value + other.value, self.unit)
