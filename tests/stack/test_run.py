"""`make run` whole: servers, web process, worker and beat, started twice, and all gone when told so or when killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from charity_site.stack.processes import tail, wait_until
from charity_site.stack.supervisor import read_state
from tests.stack.test_servers import ROOT, SECONDS, Stack, stack  # noqa: F401  (a fixture)

FIRST = 500.0


@pytest.fixture
def site(stack: Stack) -> Iterator[Stack]:
    yield stack


def run(site: Stack, log: Path) -> subprocess.Popen[bytes]:
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "charity_site.stack", "run"],
            cwd=ROOT, env=site.environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    ready = wait_until(
        lambda: read_state(site.where).get("phase") == "running" or process.poll() is not None, FIRST, 0.2
    )
    assert ready and process.poll() is None, tail(log.read_text(), 40)
    return process


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def all_gone(processes: list[psutil.Process]) -> bool:
    return wait_until(
        lambda: not any(item.is_running() and item.status() != psutil.STATUS_ZOMBIE for item in processes),
        SECONDS,
        0.2,
    )


@pytest.mark.timeout(1200)
def test_first_start_second_start_and_every_end(site: Stack, tmp_path: Path) -> None:
    first = run(site, tmp_path / "first.log")
    began = descendants(first)
    said = (tmp_path / "first.log").read_text()
    assert f"http://localhost:{site.where.port}/" in said
    assert "Ctrl-C" in said
    for path in ("/", "/en/", "/accounts/login/", "/readyz"):
        with urllib.request.urlopen(f"http://localhost:{site.where.port}{path}") as answer:
            assert answer.status == 200
    worker = site.where.logs / "worker.log"
    assert wait_until(lambda: "ready." in worker.read_text(errors="replace"), SECONDS, 0.2), tail(
        worker.read_text()
    )
    busy = run_refused(site)
    assert "already running" in busy
    first.send_signal(signal.SIGINT)
    assert first.wait(SECONDS) == 0
    assert all_gone(began) and site.ends()

    second = run(site, tmp_path / "second.log")
    assert "Preparing" not in (tmp_path / "second.log").read_text()
    began = descendants(second)
    assert site.command("stop").stdout.strip() == "Stopped."
    assert second.wait(SECONDS) == 0
    assert all_gone(began) and site.ends()

    third = run(site, tmp_path / "third.log")
    began = descendants(third)
    third.kill()
    third.wait()
    assert all_gone(began) and site.ends()


def run_refused(site: Stack) -> str:
    done = site.command("run")
    assert done.returncode == 1
    return done.stdout


def test_the_sites_own_port_is_taken(site: Stack) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", site.where.port))
        other.listen()
        said = run_refused(site)
    assert f"Port {site.where.port}, which the site needs, is taken by" in said
    assert site.ends()
