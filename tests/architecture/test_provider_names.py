"""Nothing outside payments knows a provider's name: the interface is the only door."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = re.compile(
    r"stripe|wechatpay|weixin|(?<!'none'; )sandbox", re.IGNORECASE
)  # the CSP has a directive of that name
SEARCHED = ("apps", "cms", "search", "charity_site", "templates", "static")
ALLOWED = (
    "apps/payments/", "templates/payments/",
    # The composition root: which are configured, what production refuses, and who plays the bank in the demonstration.
    "charity_site/settings.py", "charity_site/wechatpay.py", "charity_site/checks.py", "charity_site/demonstration/",
)  # fmt: skip


def test_only_payments_and_the_settings_name_a_provider() -> None:
    found = []
    for folder in SEARCHED:
        for file in (ROOT / folder).rglob("*"):
            name = file.relative_to(ROOT).as_posix()
            if file.suffix not in (".py", ".html", ".txt", ".css", ".js") or name.startswith(ALLOWED):
                continue
            found += [
                f"{name}:{n}" for n, line in enumerate(file.read_text().splitlines(), 1) if NAMES.search(line)
            ]
    assert not found
