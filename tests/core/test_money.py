"""Money: exact, typed by people, and written in capitals as an independent slow spelling has it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.core.capitals import in_capitals
from apps.core.errors import BadInput
from apps.core.money import BadAmount, CurrencyMismatch, Money, format_money

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ["", "拾", "佰", "仟", "万", "拾", "佰", "仟", "亿", "拾", "佰", "仟"]
TOP = 99_999_999_999_999


def slowly(fen: int) -> str:
    """Spells digit by digit, every place and every zero, and strikes out afterwards what the rule drops."""
    yuan, cents = f"{fen // 100}", f"{fen % 100:02d}"
    text = "".join(DIGITS[int(d)] + PLACES[len(yuan) - 1 - i] for i, d in enumerate(yuan))
    for place in "拾佰仟":
        text = text.replace("零" + place, "零")
    while "零零" in text:
        text = text.replace("零零", "零")
    for group in "亿万":
        text = text.replace("零" + group, group + "零")
    while "零零" in text:
        text = text.replace("零零", "零")
    text = text.replace("亿零万", "亿零").replace("亿万", "亿零")
    while "零零" in text:
        text = text.replace("零零", "零")
    # Where the thousand is there, the zero before it may be left out (the central bank's rule), and receipts do.
    text = re.sub("万零(.仟)", r"万\1", text)
    text = re.sub("亿零(.仟[^亿]*万)", r"亿\1", text)
    text = text.strip("零")
    text = text + "元" if text else ""
    jiao, fen_digit = int(cents[0]), int(cents[1])
    if not jiao and not fen_digit:
        return "人民币" + text + "整"
    if jiao:
        text += DIGITS[jiao] + "角"
    elif text:
        text += "零"
    return "人民币" + text + (DIGITS[fen_digit] + "分" if fen_digit else "整")


@given(st.one_of(st.integers(1, TOP), st.integers(0, 14).flatmap(lambda n: st.integers(1, 10**n))))
@example(1)
@example(10)
@example(101)
@example(100_000_000)
@example(1_000_000_000_001)
@example(10_000_000_000)
@example(10_000_100_000_00)
@example(330_100_000)
@example(10_000_100_000)
@example(1_000_000_100_000)
@example(TOP)
def test_capitals_agree_with_a_slow_spelling(fen: int) -> None:
    assert in_capitals(Money(min(fen, TOP))) == slowly(min(fen, TOP))


@pytest.mark.parametrize(
    ("fen", "text"),
    [(20_000, "人民币贰佰元整"), (1, "人民币壹分"), (10, "人民币壹角整"), (140_950, "人民币壹仟肆佰零玖元伍角整"),
     (600_714, "人民币陆仟零柒元壹角肆分"), (10_700_053, "人民币拾万柒仟元零伍角叁分"),
     (168_032, "人民币壹仟陆佰捌拾元零叁角贰分")],
)  # fmt: skip
def test_capitals_of_published_examples(fen: int, text: str) -> None:
    """The central bank's rule for bills; where it allows a 零 or none before 角, receipts here write none."""
    ours = in_capitals(Money(fen))
    assert ours in (text, text.replace("元零", "元"), text.replace("币拾", "币壹拾"),
                    text.replace("币拾", "币壹拾").replace("元零", "元"))  # fmt: skip


@pytest.mark.parametrize(
    ("fen", "text"),
    [(1_000_000, "壹万元整"), (10_001_000_105, "壹亿零壹万零壹元零伍分"), (2_050, "贰拾元伍角整"), (1, "壹分"),
     (10, "壹角整"), (10_700_053, "壹拾万柒仟元伍角叁分"), (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
     (10_000_000_000, "壹亿元整"), (1_000_001_000, "壹仟万零壹拾元整"), (10_100_000, "壹拾万壹仟元整"),
     (10**14 - 1, "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
     (100_000_000_01, "壹亿元零壹分"), (100_100_000_00, "壹亿零壹拾万元整"),
     (100_000_000_00 * 10 + 100, "壹拾亿零壹元整")],
)  # fmt: skip
def test_capitals_where_zeros_meet(fen: int, text: str) -> None:
    assert in_capitals(Money(fen)) == "人民币" + text


@pytest.mark.parametrize("money", [Money(0), Money(-1), Money(TOP + 1), Money(100, "USD")])
def test_capitals_refuse_what_they_cannot_write(money: Money) -> None:
    with pytest.raises((BadInput, ValueError)):
        in_capitals(money)


@given(st.integers(-TOP, TOP), st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any))
def test_parts_sum_to_the_whole(minor: int, weights: list[int]) -> None:
    parts = Money(minor).allocate(weights)
    assert sum(part.minor for part in parts) == minor
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Decimal(part.minor) - Decimal(minor) * weight / total) < 1


@given(st.integers(0, TOP))
def test_what_is_written_can_be_read(minor: int) -> None:
    assert Money.parse(format_money(Money(minor))) == Money(minor)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1e3",
        "1.005",
        "1,00",
        "１，２",
        "0x10",
        "NaN",
        "Infinity",
        "1 000",
        "1..2",
        "99999999999999999999",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadAmount):
        Money.parse(text)


def test_currencies_never_mix() -> None:
    for act in (lambda: Money(1) + Money(1, "USD"), lambda: Money(1) < Money(1, "USD")):
        with pytest.raises(CurrencyMismatch):
            act()
    with pytest.raises(TypeError):
        Money(1.5)  # type: ignore[arg-type]
