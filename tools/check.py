"""make check: every check that needs no running site, each named with its outcome.

python tools/check.py [NAME …]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TREES = [name for name in ("apps", "cms", "search", "charity_site") if (ROOT / name / "__init__.py").exists()]
MANAGE = [sys.executable, "-W", "ignore", "manage.py"]
CHECKS: dict[str, list[str]] = {
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "lint": [str(BIN / "ruff"), "check", "--quiet", "."],
    "types": [str(BIN / "mypy"), *TREES],
    "imports": [str(BIN / "lint-imports")],
    "templates": [str(BIN / "djlint"), "--lint", "--quiet", "templates"],
    "migrations": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "system": [*MANAGE, "check", "--fail-level", "WARNING"],
    "translations": [sys.executable, "tools/check_translations.py"],
    "settings": [
        sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:randomly",
        "tests/architecture/test_settings_documented.py",
    ],
    "spelling": [str(BIN / "codespell"), "apps", "charity_site", "search", "docs", "tests", "tools", "README.md"],
}  # fmt: skip


def main() -> int:
    wanted = sys.argv[1:] or list(CHECKS)
    unknown = [name for name in wanted if name not in CHECKS]
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. Known: {', '.join(CHECKS)}")
        return 2
    environment = {**os.environ, "MODE": "demonstration", "NO_COLOR": "1"}
    failed = []
    for name in wanted:
        command = [
            part for part in CHECKS[name] if name != "spelling" or "/" in part or (ROOT / part).exists()
        ]
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        print(
            f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name:<13} {time.monotonic() - began:5.1f} s",
            flush=True,
        )
        if done.returncode:
            failed.append(name)
            print("\n".join("       " + line for line in done.stdout.strip().splitlines()[-60:]), flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}. One alone: .venv/bin/python tools/check.py {failed[0]}")
        return 1
    print("All checks passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
