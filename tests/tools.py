"""Programs beside the packages that some tests need: found, or the test is skipped by name with the command that
installs them. With CI=true such a skip is a failure: there nothing may be missing."""

from __future__ import annotations

import ctypes.util
import os
import shutil
from pathlib import Path

import pytest

from charity_site.stack.elasticsearch import ARTIFACT, VERSION

ROOT = Path(__file__).resolve().parent.parent
GO_BIN = ROOT / "var" / "tools" / "bin"
MAVEN = ROOT / "var" / "tools" / "elasticsearch"
ELASTICSEARCH_FETCH = [
    "mvn",
    "-q",
    "-B",
    "dependency:copy",
    f"-Dartifact={ARTIFACT}",
    f"-DoutputDirectory={MAVEN}",
]
GO_INSTALL = f"GOBIN={GO_BIN} go install"


def missing(name: str, command: str) -> None:
    """This will skip the present test, or fail it where CI=true."""
    words = f"{name} is missing; install it with: {command}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(words)
    pytest.skip(words)


def need(name: str, command: str, *candidates: str | Path) -> str:
    """This will give the path of a program, the first of the candidates that exists."""
    for candidate in candidates or (name,):
        found = shutil.which(str(candidate))
        if found:
            return found
    missing(name, command)
    raise AssertionError("unreachable")


def chromium() -> str:
    """This will give the system's Chromium."""
    return need("chromium", "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")


def stripe_mock() -> str:
    """This will give Stripe's own mock server."""
    return need(
        "stripe-mock",
        f"{GO_INSTALL} github.com/stripe/stripe-mock@v0.197.0",
        GO_BIN / "stripe-mock",
        "stripe-mock",
    )


def stateful_mock() -> str:
    """This will give the stateful Stripe mock that others wrote for Node."""
    folder = ROOT / "var" / "tools" / "npm"
    return need(
        "stripe-stateful-mock",
        f"npm install --prefix {folder} stripe-stateful-mock@0.0.16",
        folder / "node_modules" / ".bin" / "stripe-stateful-mock",
    )


def compose_checker() -> str:
    """This will give the Compose Specification's own checker."""
    return need(
        "compose-go", f"{GO_INSTALL} github.com/compose-spec/compose-go/v2/cmd@v2.16.2", GO_BIN / "cmd"
    )


def elasticsearch_archive() -> Path:
    """This will give where tools/test_tools.py puts Elasticsearch's distribution."""
    return MAVEN / f"elasticsearch-{VERSION}.zip"


def elasticsearch() -> tuple[Path, Path]:
    """This will give Elasticsearch's archive and a Java new enough to run it."""
    from charity_site.stack.elasticsearch import JAVA, find_java

    java = find_java()
    if java is None:
        missing(f"Java {JAVA} or newer", f"apt-get install openjdk-{JAVA}-jdk-headless, or set JAVA_HOME")
    archive = elasticsearch_archive()
    if not archive.is_file():
        missing("Elasticsearch", " ".join(ELASTICSEARCH_FETCH))
    assert java is not None
    return archive, java


PARTS = {"pango": "libpango-1.0-0 libpangoft2-1.0-0", "chinese font": "fontconfig fonts-wqy-microhei"}


def needs(part: str) -> pytest.MarkDecorator:
    """This will mark tests that need a part of the system's own (a library, a font)."""
    from apps.core.documents import chinese_font

    found = ctypes.util.find_library("pango-1.0") if part == "pango" else chinese_font()
    words = f"{part} is missing; install it with: apt-get install {PARTS[part]}"
    if not found and os.environ.get("CI", "").lower() == "true":
        raise pytest.UsageError(words)
    return pytest.mark.skipif(not found, reason=words)
