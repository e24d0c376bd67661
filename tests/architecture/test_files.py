"""The tree keeps its shape: names, sizes, nothing left half done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TREES = ("apps", "cms", "search", "charity_site", "tests", "tools", "benchmarks", "verifier")
FORBIDDEN = {"utils", "util", "helpers", "helper", "services", "service", "managers", "common", "misc"}
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"]))
LONGEST = 400


def sources() -> list[Path]:
    return sorted(
        path for tree in TREES for path in (ROOT / tree).rglob("*.py") if "migrations" not in path.parts
    )


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_module_is_named_for_nothing() -> None:
    assert [name(path) for path in sources() if {path.stem, path.parent.name} & FORBIDDEN] == []


def test_no_file_is_longer_than_a_reader_bears() -> None:
    long = {name(path): len(path.read_text().splitlines()) for path in sources()}
    assert {path: lines for path, lines in long.items() if lines > LONGEST} == {}


def test_nothing_is_left_half_done() -> None:
    found = [
        f"{name(path)}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line) and path != Path(__file__)
    ]
    assert found == []


def test_skips_name_their_reason() -> None:
    bare = re.compile(r"mark\.(skip|xfail)\s*(\(\s*\)|$)", re.M)
    assert [
        name(path) for path in sources() if path != Path(__file__) and bare.search(path.read_text())
    ] == []


@pytest.mark.parametrize("tree", ["templates", "static"])
def test_pages_take_nothing_from_elsewhere(tree: str) -> None:
    third_party = re.compile(
        r"(?:src|href|@import|url\()\s*=?\s*[\"'(]?\s*(?:https?:)?//(?!www\.w3\.org)", re.I
    )
    allowed = re.compile(r"<a\s[^>]*href", re.I)
    found = []
    for path in (ROOT / tree).rglob("*"):
        if path.suffix in (".html", ".css", ".js", ".svg"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if third_party.search(line) and not allowed.search(line):
                    found.append(f"{name(path)}:{number}")
    assert found == []
