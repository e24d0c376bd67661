"""Amounts in Chinese capitals (大写), as receipts print them (G10)."""

from __future__ import annotations

from apps.core.money import BadAmount, Money

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_SMALL = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def in_capitals(money: Money) -> str:
    """This will write a CNY amount from 0.01 to 999,999,999,999.99 yuan in capitals: 人民币贰佰元整.

    Raises BadAmount for other currencies, zero, negative and larger amounts.
    """
    if money.currency != "CNY" or not 0 < money.minor <= 99_999_999_999_999:
        raise BadAmount()
    yuan, rest = divmod(money.minor, 100)
    jiao, fen = divmod(rest, 10)
    text = "人民币"
    if yuan:
        text += _integer(yuan) + "元"
    if not rest:
        return text + "整"
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif yuan:
        text += "零"
    return text + (_DIGITS[fen] + "分" if fen else "整")


def _integer(value: int) -> str:
    groups: list[int] = []
    while value:
        value, group = divmod(value, 10_000)
        groups.append(group)
    text = ""
    gap = False
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if not group:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += "零"
        text += _four(group) + _GROUPS[index]
        gap = False
    return text


def _four(group: int) -> str:
    text = ""
    gap = False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit:
            if gap and text:
                text += "零"
            text += _DIGITS[digit] + _SMALL[place]
            gap = False
        else:
            gap = True
    return text
