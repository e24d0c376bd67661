"""The query language: a string becomes a tree of And, Or, Not and Fragment.

    a b            both (also AND, &)              "a b"  “a b” 「a b」   the phrase
    a OR b         either (also |); binds tighter than the space
    -a, NOT a      without                          ( ) （ ）               groups
    don*           words that begin with don

An unquoted run of Chinese is cut into words, each a fragment; a word of one character joins its neighbour. What folds
to nothing disappears. Unbalanced marks are closed. Only the limits can refuse a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput
from apps.core.text import BOUNDARY, fold, is_cjk, marked, spans

MAX_LENGTH = 256
MAX_FRAGMENTS = 32
MAX_DEPTH = 8


class QueryTooLong(BadInput):
    code = "query_too_long"
    message = _("查询词太长，最多256个字。请只留下最要紧的词。")
    field = "q"


class QueryTooManyWords(BadInput):
    code = "query_too_many_words"
    message = _("查询词太多，最多32个。请分几次查。")
    field = "q"


class QueryTooDeep(BadInput):
    code = "query_too_deep"
    message = _("括号套得太深，最多8层。请少用几层括号。")
    field = "q"


@dataclass(frozen=True, slots=True)
class Fragment:
    """Units that must stand next to each other inside one field; `prefix` lets the only one be a beginning."""

    units: tuple[str, ...]
    prefix: bool = False
    said: str = field(default="", compare=False)

    @property
    def line(self) -> str:
        """The units as they stand in a line of marked units."""
        return " ".join(map(marked, self.units))


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


Node = And | Or | Not | Fragment


def positive(node: Node | None) -> list[Fragment]:
    """This will list the fragments that are looked for (not those excluded), each once, in order."""
    found: dict[Fragment, None] = {}

    def walk(item: Node, wanted: bool) -> None:
        if isinstance(item, Fragment):
            if wanted:
                found[item] = None
        elif isinstance(item, Not):
            walk(item.part, not wanted)
        else:
            for part in item.parts:
                walk(part, wanted)

    if node is not None:
        walk(node, True)
    return list(found)


# Tokens

_QUOTES = {'"': '"”“', "“": '”"', "「": "」", "『": "』", "＂": "＂"}
_SPACE = re.compile(r"\s+")
_WORD_END = re.compile(r"[\s\"“”「」『』＂()（）&|＆｜]")
_OPERATORS = {"AND": "and", "OR": "or", "NOT": "not"}
_SIGNS = {"(": "(", "（": "(", ")": ")", "）": ")", "&": "and", "＆": "and", "|": "or", "｜": "or"}


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        char = text[at]
        space = _SPACE.match(text, at)
        if space:
            at = space.end()
        elif char in _QUOTES:
            end = next((i for i in range(at + 1, len(text)) if text[i] in _QUOTES[char]), len(text))
            yield "phrase", text[at + 1 : end]
            at = end + 1
        elif char in _SIGNS:
            yield _SIGNS[char], char
            at += 1
        elif char in "-－−" and at + 1 < len(text) and not text[at + 1].isspace():
            yield "not", char
            at += 1
        else:
            found = _WORD_END.search(text, at + 1)
            end = found.start() if found else len(text)
            word = text[at:end]
            yield _OPERATORS.get(word, "word"), word
            at = end


# Fragments


def _stretches(text: str) -> list[list[str]]:
    result: list[list[str]] = [[]]
    for unit, _start, _end in spans(fold(text)):
        if unit == BOUNDARY:
            result.append([])
        else:
            result[-1].append(unit)
    return [stretch for stretch in result if stretch]


def _said(units: list[str]) -> str:
    text = ""
    for unit in units:
        text += (" " if text and not is_cjk(unit) and not is_cjk(text[-1]) else "") + unit
    return text


def warm_up() -> None:
    """This will load the dictionary that cuts queries into words, so that no visitor waits for it."""
    _words(["善", "款"])


def _phrase(text: str) -> Node | None:
    return _all([Fragment(tuple(stretch), said=_said(stretch)) for stretch in _stretches(text)])


def _words(stretch: list[str]) -> list[list[str]]:
    """A stretch cut into words; a word of one CJK character joins the word before it, or else the one after."""
    words: list[list[str]] = []
    run: list[str] = []

    def cut() -> None:
        import rjieba  # its dictionary takes 33 MB: only processes that answer searches pay for it

        at = 0
        for word in rjieba.cut("".join(run), False):
            words.append(run[at : at + len(word)])
            at += len(word)
        run.clear()

    for unit in stretch:
        if is_cjk(unit):
            run.append(unit)
        else:
            cut()
            words.append([unit])
    cut()
    joined: list[list[str]] = []
    for word in words:
        lone = len(word) == 1 and is_cjk(word[0])
        if joined and (lone or _lone(joined[-1])):
            joined[-1] = joined[-1] + word
        else:
            joined.append(word)
    return joined


def _lone(word: list[str]) -> bool:
    return len(word) == 1 and is_cjk(word[0])


def _word(text: str) -> Node | None:
    parts: list[Node] = []
    for stretch in _stretches(text):
        if len(stretch) == 1 and text.endswith(("*", "＊")) and len(stretch[0]) >= 2 and stretch[0].isascii():
            parts.append(Fragment(tuple(stretch), prefix=True, said=stretch[0] + "*"))
        else:
            parts += [Fragment(tuple(word), said=_said(word)) for word in _words(stretch)]
    return _all(parts)


def _all(parts: list[Node] | list[Fragment]) -> Node | None:
    return _joined(And, list(parts))


def _joined(kind: type[And] | type[Or], parts: list[Node]) -> Node | None:
    flat: dict[Node, None] = {}
    for part in parts:
        for inner in part.parts if isinstance(part, kind) else (part,):
            flat[inner] = None
    if not flat:
        return None
    return next(iter(flat)) if len(flat) == 1 else kind(tuple(flat))


# Grammar:  all := either+    either := sign* one (OR sign* one)*    one := "(" all ")" | phrase | word


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def all(self, depth: int) -> Node | None:
        if depth > MAX_DEPTH:
            raise QueryTooDeep()
        parts: list[Node] = []
        while (kind := self.peek()) and not (kind == ")" and depth):
            if kind in (")", "and", "or"):  # nothing to close or to join: as if it were not there
                self.at += 1
                continue
            part = self.either(depth)
            if part is not None:
                parts.append(part)
        return _joined(And, parts)

    def either(self, depth: int) -> Node | None:
        parts = [self.signed(depth)]
        while self.peek() == "or":
            while self.peek() in ("or", "and"):
                self.at += 1
            if self.peek() in ("", ")"):
                break
            parts.append(self.signed(depth))
        return _joined(Or, [part for part in parts if part is not None])

    def signed(self, depth: int) -> Node | None:
        negative = False
        while self.peek() == "not":
            negative = not negative
            self.at += 1
        kind = self.peek()
        if kind in ("", ")", "or", "and"):
            return None
        text = self.tokens[self.at][1]
        self.at += 1
        if kind == "(":
            node = self.all(depth + 1)
            if self.peek() == ")":
                self.at += 1
        else:
            node = _phrase(text) if kind == "phrase" else _word(text)
        if node is None or not negative:
            return node
        return node.part if isinstance(node, Not) else Not(node)


def parse(text: str) -> Node | None:
    """This will read a query; None means no keyword. Raises only for the limits: 256 characters, 32 fragments,
    depth 8."""
    if len(text) > MAX_LENGTH:
        raise QueryTooLong()
    node = _Parser(text).all(0)
    if node is not None and _count(node) > MAX_FRAGMENTS:
        raise QueryTooManyWords()
    return node


def _count(node: Node) -> int:
    if isinstance(node, Fragment):
        return 1
    if isinstance(node, Not):
        return _count(node.part)
    return sum(map(_count, node.parts))
