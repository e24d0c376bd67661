"""Fold, units and pairs: the only place where text is understood."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.text import (
    BOUNDARY,
    LONGEST_RUN,
    TooMuchText,
    fold,
    fold_with_offsets,
    is_cjk,
    marked,
    pairs,
    unit_line,
    units,
)

ALPHABET = (
    "危房改造助学金发發後后一丁𠮷𫒡かガｶﾞ한ab Z9é\u0301ßİﬀＡ１，。、,.;:!?！？《》“”「」()（）"
    "-—·#$|/\\'\x00\ud800\u200b\ufe0f\n"
)
texts = st.text(alphabet=ALPHABET, max_size=60) | st.text(max_size=60) | st.text(st.characters(), max_size=30)


def line(text: str) -> list[str]:
    return unit_line([text]).split(" ") if unit_line([text]) else []


def test_the_example_of_the_contract() -> None:
    assert pairs(line("危房改造2026年。")) == ["危房", "房改", "改造", "造2026", "2026|年", "年$"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("《慈善法》规定", ["慈", "善", "法", "规", "定"]),
        ("New-York", ["new", "york"]),
        ("儿童、老人", ["儿", "童", "/", "老", "人"]),
        ("1,234.50元", ["1234.50", "元"]),
        ("１，２３４．５０", ["1234.50"]),
        ("2026.08.15", ["2026", "/", "08", "/", "15"]),
        ("A4,5", ["a4", "/", "5"]),
        ("發展後勤", ["发", "展", "后", "勤"]),
        ("。。，！", []),
        ("…", []),
        ("\x00\ud800", []),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("Straße", ["strasse"]),
        ("x" * 100, ["x" * 48, "x" * 48, "x" * 4]),
    ],
)
def test_units(text: str, expected: list[str]) -> None:
    assert units(text) == expected


def test_both_spellings_of_an_accent_are_one() -> None:
    assert units("Café") == units("Cafe\u0301") == ["cafe"]


def test_fields_never_join() -> None:
    assert unit_line(["石桥", "", "镇危房"]) == "石 桥 / 镇 危 房"
    assert pairs(unit_line(["石桥", "镇"]).split(" ")) == ["石桥", "桥$", "镇$"]


@given(texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(texts)
def test_offsets_point_at_the_source(text: str) -> None:
    folded, offsets = fold_with_offsets(text)
    assert folded == fold(text)
    assert len(offsets) == len(folded)
    assert offsets == sorted(offsets)
    for char, offset in zip(folded, offsets, strict=True):
        assert char in fold(text[offset])


@given(texts)
def test_units_are_clean(text: str) -> None:
    found = units(text)
    assert "" not in found
    assert all(a != BOUNDARY or b != BOUNDARY for a, b in pairwise(found))
    assert not found or (found[0] != BOUNDARY and found[-1] != BOUNDARY)
    for unit in found:
        assert unit == BOUNDARY or is_cjk(unit) or (len(unit) <= LONGEST_RUN and unit == fold(unit))
        assert not set(unit) & set(" |$#\x00") or unit == BOUNDARY


@given(texts)
def test_one_pair_a_unit_and_every_fragment_of_two_is_one(text: str) -> None:
    written = line(text)
    tokens = pairs(written)
    assert len(tokens) == sum(unit != BOUNDARY for unit in written)
    for first, second in pairwise(written):
        if BOUNDARY not in (first, second):
            assert first + second.removesuffix("|") in tokens


@given(st.lists(texts, max_size=4))
def test_different_pairs_never_look_alike(fields: list[str]) -> None:
    written = unit_line(fields).split(" ")
    seen: dict[str, tuple[str, str]] = {}
    for index, unit in enumerate(written):
        if unit in (BOUNDARY, ""):
            continue
        after = written[index + 1] if index + 1 < len(written) else BOUNDARY
        token = pairs(written[index : index + 2])[0]
        assert seen.setdefault(token, (unit, after)) == (unit, after) or token.endswith("$")


def test_too_much_text_is_refused_before_the_index_loses_it() -> None:
    with pytest.raises(TooMuchText):
        unit_line(["字" * 60_001])
    with pytest.raises(TooMuchText):
        unit_line([" ".join(f"{number:040d}" for number in range(12_000))])
    assert unit_line(["字" * 60_000])


def test_marking() -> None:
    assert [marked(unit) for unit in ("字", "york", "5", "/")] == ["字", "york|", "5|", "/"]
