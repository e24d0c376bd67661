"""Text as search understands it: fold, units, pairs. Engines only compare the tokens written here (search.md).

- **fold** works character by character, so that offsets survive: NUL, surrogates and combining marks U+0300-036F
  are dropped; NFKC (accents of precomposed letters dropped too, so that both spellings of é are one); traditional
  to simplified Chinese, one to one; case folded.
- **units**: one CJK character (Han of all planes, kana, hangul); a run of letters and digits, cut at 48; a number
  (1,234.50 is 1234.50). `. , ; : ! ? 。 、` and the end of a field are a boundary, "/". Anything else is nothing.
- In a line of units, "|" follows a unit that is not one CJK character.
- **pairs**: each unit writes one token, itself and its successor; "$" stands for "no successor":
  危房改造2026年。 -> 危房 房改 改造 造2026 2026|年 年$
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

BOUNDARY = "/"
LONGEST_RUN = 48
MAX_UNITS = 60_000
MAX_PAIR_BYTES = 900_000

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\U0001b000-\U0001b16f"
_OTHER = "\u3100-\u312f\u3130-\u318f\u31a0-\u31bf\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"
CJK = _HAN + _KANA + _OTHER
_TOKEN = re.compile(
    rf"(?P<number>(?<![0-9a-z.,])(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]+)?|[0-9]+\.[0-9]+)(?![0-9]|[.,][0-9]))"
    rf"|(?P<cjk>[{CJK}])"
    rf"|(?P<run>[^\W_{CJK}]{{1,{LONGEST_RUN}}})"
    r"|(?P<boundary>[.,;:!?。、])"
)
_ONE_CJK = re.compile(f"[{CJK}]")
_MARKS = re.compile("[\u0300-\u036f]")


class TooMuchText(ValueError):
    """A field is too long for the index; the caller cuts it or refuses it."""


def _simplified() -> dict[str, str]:
    path = Path(__file__).parent / "data" / "traditional_simplified.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line[0]: line[1] for line in lines if len(line) == 2}


class _Fold(dict[int, str | None]):
    """The table of `str.translate`, filled as characters come up."""

    def __init__(self) -> None:
        super().__init__()
        self._simple = _simplified()

    def __missing__(self, code: int) -> str | None:
        self[code] = folded = self._folded(code)
        return folded

    def _folded(self, code: int) -> str | None:
        if code == 0 or 0xD800 <= code <= 0xDFFF or 0x300 <= code <= 0x36F:
            return None
        text = self._once(chr(code))
        again = self._once(text)
        while again != text:  # a few characters need a second turn, such as ligatures of accented capitals
            text, again = again, self._once(again)
        return text or None

    def _once(self, text: str) -> str:
        text = unicodedata.normalize("NFKC", text)
        text = "".join(self._simple.get(char, char) for char in text).casefold()
        bare = _MARKS.sub("", unicodedata.normalize("NFD", text))
        return unicodedata.normalize("NFC", bare).replace("\x00", "")


_TABLE = _Fold()


def fold(text: str) -> str:
    """This will bring text into the one form that is compared."""
    return text.translate(_TABLE)


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """This will fold and tell, for each folded character, the index of the character it came from."""
    parts: list[str] = []
    offsets: list[int] = []
    for index, char in enumerate(text):
        folded = _TABLE[ord(char)]
        if folded:
            parts.append(folded)
            offsets.extend([index] * len(folded))
    return "".join(parts), offsets


def is_cjk(unit: str) -> bool:
    """This will tell whether a unit is one CJK character."""
    return len(unit) == 1 and _ONE_CJK.match(unit) is not None


def marked(unit: str) -> str:
    """This will put "|" on a unit that is not one CJK character, as it stands in a line of units."""
    return unit if unit == BOUNDARY or is_cjk(unit) else unit + "|"


def lexeme(text: str) -> str:
    """This will quote a lexeme for `::tsquery`."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def spans(folded: str) -> Iterable[tuple[str, int, int]]:
    """This will give the units of folded text with their places in it; a boundary is "/"."""
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup
        text = match.group()
        if kind == "number":
            text = text.replace(",", "")
            if len(text) > LONGEST_RUN:
                text = text[:LONGEST_RUN]
        elif kind == "boundary":
            text = BOUNDARY
        yield text, match.start(), match.end()


def units(text: str) -> list[str]:
    """This will give the units of a text, boundaries as "/", never two in a row, none at either end."""
    result: list[str] = []
    for unit, _, _ in spans(fold(text)):
        if unit != BOUNDARY or (result and result[-1] != BOUNDARY):
            result.append(unit)
    if result and result[-1] == BOUNDARY:
        result.pop()
    return result


def unit_line(fields: Iterable[str]) -> str:
    """This will write fields as one line of marked units, "/" between fields: what the projection stores.

    Raises TooMuchText beyond 60,000 units or 900,000 bytes of distinct pairs: PostgreSQL would lose lexemes in silence.
    """
    line: list[str] = []
    for field in fields:
        found = units(field)
        if found:
            if line:
                line.append(BOUNDARY)
            line.extend(map(marked, found))
    if len(line) > MAX_UNITS:
        raise TooMuchText(f"{len(line)} units, at most {MAX_UNITS}")
    if len(line) > 10_000 and sum(len(pair.encode()) for pair in set(pairs(line))) > MAX_PAIR_BYTES:
        raise TooMuchText(f"more than {MAX_PAIR_BYTES} bytes of distinct pairs")
    return " ".join(line)


def pairs(line: Sequence[str]) -> list[str]:
    """This will write the tokens of a line of marked units, one per unit."""
    tokens = []
    for index, unit in enumerate(line):
        if unit == BOUNDARY:
            continue
        successor = line[index + 1] if index + 1 < len(line) else BOUNDARY
        tokens.append(unit + ("$" if successor == BOUNDARY else successor.removesuffix("|")))
    return tokens
