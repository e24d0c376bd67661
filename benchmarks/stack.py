"""`make run` on a fresh data directory: first start, second start, and the memory of everything it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from charity_site.stack.ports import free_port

ROOT = Path(__file__).resolve().parent.parent


def _start(port: int, folder: str) -> tuple[subprocess.Popen[str], float]:
    started = time.perf_counter()
    child = subprocess.Popen(
        ["make", "run"], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, "PORT": str(port), "DATA_DIR": folder},
    )  # fmt: skip
    assert child.stdout is not None
    for line in child.stdout:
        if "is ready" in line:
            return child, time.perf_counter() - started
    raise RuntimeError("make run ended before the site was ready")


def _memory(group: int) -> float:
    """Proportional memory in MB of every process of the session, PostgreSQL's own sessions included."""
    total = 0
    families = {group}
    rows = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,sess="], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    table = [tuple(int(cell) for cell in row.split()) for row in rows if row.strip()]
    for _ in range(6):
        families |= {pid for pid, parent, session in table if parent in families or session == group}
    for pid in families:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def _stop(child: subprocess.Popen[str]) -> None:
    os.killpg(child.pid, signal.SIGINT)
    child.wait(60)


def run() -> dict[str, Any]:
    """This will start twice in a new data directory and stop again; packages are there already."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.chmod(folder, 0o755)
        port = free_port()
        child, first = _start(port, folder)
        _stop(child)
        child, second = _start(port, folder)
        time.sleep(5)
        memory = _memory(child.pid)
        _stop(child)
    return {"name": "make run", "first": first, "second": second, "memory": memory}


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    return (
        f"{figures['name']}, packages there\nfirst start, demonstration city included {figures['first']:.1f} s (aim <= 90)\n"  # noqa: E501
        f"second start {figures['second']:.1f} s (aim <= 6)\nmemory, all processes {figures['memory']:.0f} MB (aim <= 800)"  # noqa: E501
    )
