"""The query language: examples, the reading in words, the limits, and that parsing never fails."""

from __future__ import annotations

import pytest
from django.utils.translation import override
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.language import (
    MAX_DEPTH,
    And,
    Fragment,
    Node,
    Not,
    Or,
    QueryTooDeep,
    QueryTooLong,
    QueryTooManyWords,
    parse,
    positive,
)
from search.reading import reading


def F(text: str) -> Fragment:
    return Fragment(tuple(text.split(" ")) if " " in text else tuple(text))


DANGER, AID, REFUND = F("危房"), F("助学"), F("退款")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ('贫困学生 "危房改造" OR 助学 -退款', And((F("贫困学生"), Or((F("危房改造"), AID)), Not(REFUND)))),
        ("危房 AND 助学", And((DANGER, AID))),
        ("危房 & 助学", And((DANGER, AID))),
        ("危房|助学", Or((DANGER, AID))),
        ("NOT 退款", Not(REFUND)),
        ("---退款", Not(REFUND)),
        ("NOT NOT 退款", REFUND),
        ("（危房 助学）", And((DANGER, AID))),
        ("“危房”「助学」", And((DANGER, AID))),
        ("危房修缮款", And((DANGER, F("修缮款")))),
        ('"!!!"', None),
        ("", None),
        ("   ", None),
        ("OR AND NOT", None),
        (")))危房(((", DANGER),
        ('"危房', DANGER),
        ('"危房，助学"', And((DANGER, AID))),
        ("don*", Fragment(("don",), prefix=True)),
        ("d*", Fragment(("d",))),
        ("New-York", And((Fragment(("new",)), Fragment(("york",))))),
        ("2026年", Fragment(("2026", "年"))),
        ("危房 危房", DANGER),
        ("a or b", And((Fragment(("a",)), Fragment(("or",)), Fragment(("b",))))),
        ("後勤發展", And((F("后勤"), F("发展")))),
        ("危房 OR", DANGER),
        ("OR 危房", DANGER),
    ],
)
def test_trees(query: str, tree: Node | None) -> None:
    assert parse(query) == tree


def test_the_reading_says_the_tree_in_words() -> None:
    query = '贫困学生 "危房改造" OR 助学 -退款'
    assert reading(parse(query)) == "“贫困学生”，并且“危房改造”或“助学”，并且不含“退款”"
    assert reading(None) == ""
    assert reading(parse("-(危房 OR 助学)")) == "不含“危房”或“助学”"
    with override("en"):
        assert "退款" in reading(parse(query))


def test_positive_fragments_only() -> None:
    assert positive(parse("危房 -退款 -(-助学)")) == [DANGER, AID]


@settings(max_examples=1500, deadline=None)
@given(
    st.text(alphabet="危房助学a1 -()（）\"“”「」|&ANDORNOT。,\x00\ud800*'\\", max_size=256)
    | st.text(max_size=120)
)
@example("-" * 256)
@example("(" * 8 + "危" + ")" * 8)
@example("|" * 256)
@example('"' * 255)
@example("NOT " * 64)
def test_parsing_never_fails(query: str) -> None:
    try:
        tree = parse(query)
    except (QueryTooDeep, QueryTooManyWords):
        return
    reading(tree)
    for fragment in positive(tree):
        assert fragment.units and all(fragment.units)


def test_limits_are_refused_with_words() -> None:
    with pytest.raises(QueryTooLong):
        parse("危" * 257)
    with pytest.raises(QueryTooManyWords):
        parse(" ".join(f"w{number}" for number in range(33)))
    assert parse(" ".join(f"w{number}" for number in range(32)))
    with pytest.raises(QueryTooDeep):
        parse("(" * (MAX_DEPTH + 1) + "危")
