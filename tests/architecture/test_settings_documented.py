"""Every setting is documented, and everything documented is a setting."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "settings.md"
OF_THE_SYSTEM = {"PATH", "DJANGO_SETTINGS_MODULE", "CHROME_PATH", "CI", "TEST_RUN_DIR", "PYTEST_XDIST_WORKER",
                 "JAVA_HOME"}  # fmt: skip
READERS = {"text", "parsed", "choice", "words"}


def read_by_settings() -> set[str]:
    from charity_site.settings import env

    return set(env.names)


def read_directly() -> set[str]:
    """Names read from os.environ anywhere in the site's own code."""
    found = set()
    for tree in ("apps", "cms", "search", "charity_site"):
        for path in (ROOT / tree).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                call = (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr == "get"
                )
                if call and "environ" in ast.dump(node.func) and isinstance(node.args[0], ast.Constant):
                    found.add(str(node.args[0].value))
    return found


def documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z0-9_]+)`", DOCUMENT.read_text(), re.M))


def test_every_setting_is_documented() -> None:
    files = {
        name
        for name in read_by_settings()
        if name.endswith("_FILE") and name.removesuffix("_FILE") in read_by_settings()
    }
    assert (read_by_settings() | read_directly()) - files - OF_THE_SYSTEM - documented() == set()


def test_everything_documented_is_a_setting() -> None:
    assert documented() - read_by_settings() - read_directly() == set()


def test_secrets_from_files_are_marked() -> None:
    rows = {row[0]: row[1] for row in re.findall(r"^\| `([A-Z0-9_]+)` \|(.*)\|$", DOCUMENT.read_text(), re.M)}
    names = read_by_settings()
    for name in names:
        if f"{name}_FILE" in names:
            assert "_FILE" in rows[name], f"{name} may come from {name}_FILE; say so"
