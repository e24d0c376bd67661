"""What is marked is what matched, and nothing gets out unescaped."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from search.highlight import highlight, ranges, snippet
from search.language import parse, positive


def marks(text: str, query: str) -> str:
    return str(highlight(text, positive(parse(query))))


def test_marks() -> None:
    assert marks("石桥镇危房修缮", "危房") == "石桥镇<mark>危房</mark>修缮"
    assert marks("危房危房", "危房") == "<mark>危房危房</mark>"
    assert marks("《慈善法》规定", '"慈善法规定"') == "《<mark>慈善法》规定</mark>"
    assert marks("ＮＥＷ York", "new -york") == "<mark>ＮＥＷ</mark> York"
    assert marks("Donation", "don*") == "<mark>Donation</mark>"
    assert marks("<b>危房</b>", "危房") == "&lt;b&gt;<mark>危房</mark>&lt;/b&gt;"
    assert marks("危，房", "危房") == "危，房"


def test_snippet_shows_the_match() -> None:
    text = "甲" * 300 + "危房" + "乙" * 300
    cut = str(snippet(text, positive(parse("危房"))))
    assert "<mark>危房</mark>" in cut and cut.startswith("…") and cut.endswith("…") and len(cut) < 130
    assert str(snippet("短文", [])) == "短文"


@given(st.text(max_size=200), st.text(max_size=30))
def test_any_text_is_safe(text: str, query: str) -> None:
    try:
        fragments = positive(parse(query))
    except ValueError:
        return
    html = str(highlight(text, fragments))
    assert "<" not in re.sub(r"</?mark>", "", html)
    for start, end in ranges(text, fragments):
        assert 0 <= start < end <= len(text)
