"""Bring the virtual environment and the locked packages. Only the standard library; quick when nothing changed.

python3 tools/install.py [--dev]
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NOTE = VENV / ".locks"


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  (this file alone meets older ones)
        print(
            f"This is Python {sys.version.split()[0]}; the site needs 3.11 or newer: make PYTHON=python3.11 …"
        )
        return 1
    dev = "--dev" in sys.argv
    names = ["requirements-dev.lock", "requirements.lock"] if dev else ["requirements.lock"]
    wanted = [hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in names]
    python = VENV / "bin" / "python"
    if python.exists() and NOTE.exists() and set(wanted) <= set(NOTE.read_text().split()):
        return 0
    if not python.exists() or subprocess.run([python, "-c", "pass"], stderr=subprocess.DEVNULL).returncode:
        print("Making the virtual environment …", flush=True)
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    print(f"Installing the locked packages ({names[0]}) …", flush=True)
    done = subprocess.run(
        [
            str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", *([] if dev else ["--only-binary=:all:"]), "-r", str(ROOT / names[0]),
        ],
        env={**os.environ, "PIP_NO_INPUT": "1"},
    )  # fmt: skip
    if done.returncode:
        print("The packages could not be installed. Is the package index reachable? (pip's words are above)")
        return 1
    NOTE.write_text("\n".join(wanted) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
