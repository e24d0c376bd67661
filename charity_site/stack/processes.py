"""Starting processes that never outlive us, and stopping them.

Each child leads a session of its own, so that a Ctrl-C in the terminal reaches only us and we stop the others in
order. Should we be killed, two things end them: on Linux the kernel's parent-death signal, and everywhere the watchdog,
a tiny process that holds the other end of a pipe.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WATCHDOG = Path(__file__).with_name("watchdog.py")
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


class StackError(Exception):
    """The embedded servers can't do what was asked; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """The system user a server runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> User | None:
        """This will look a user up, or give None."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @classmethod
    def numbered(cls, uid: int) -> User | None:
        """This will look a user up by number, or give None."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


def as_user(user: User | None) -> dict[str, object]:
    """This will give subprocess' arguments that change the user (none: stay who we are)."""
    return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}


def run(args: Sequence[str | Path], *, user: User | None = None, stdin: str | None = None) -> str:
    """This will run a program to its end and give its output; raises StackError with the last lines when it fails."""
    done = subprocess.run(
        [str(arg) for arg in args],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env=plain_environment(),
        **as_user(user),  # type: ignore[call-overload]
    )
    if done.returncode:
        raise StackError(f"{Path(args[0]).name} failed:\n{tail(done.stdout)}")
    return str(done.stdout)


def plain_environment() -> dict[str, str]:
    """This will give the environment of the servers: nothing of the site's secrets."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def tail(text: str, lines: int = 15) -> str:
    """This will give a text's last lines."""
    return "\n".join(text.strip().splitlines()[-lines:])


def end_with_parent(number: int, parent: int) -> Callable[[], None] | None:
    """This will give what a child runs before its program, so that the kernel signals it when its parent dies."""
    libc = LIBC
    if libc is None:
        return None

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


@dataclass(slots=True)
class Child:
    """One process we started."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signals: tuple[int, ...]
    patience: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None


@dataclass(slots=True)
class Children:
    """All processes we started, with the watchdog that ends them when we are gone."""

    children: list[Child] = field(default_factory=list)
    _watchdog: subprocess.Popen[str] | None = None

    def tell(self, line: str) -> None:
        """This will write one line to the watchdog, starting it first when there is none."""
        if self._watchdog is None or self._watchdog.poll() is not None:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", str(WATCHDOG)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
                cwd="/",
                env=plain_environment(),
            )
            for child in self.children:
                self._write(self._order(child))
        self._write(line)

    def _write(self, line: str) -> None:
        if self._watchdog is not None and self._watchdog.stdin is not None:
            try:
                self._watchdog.stdin.write(line + "\n")
                self._watchdog.stdin.flush()
            except OSError:
                self._watchdog = None

    @staticmethod
    def _order(child: Child) -> str:
        return f"end {child.pid} {child.patience} {','.join(str(int(item)) for item in child.stop_signals)}"

    def remove_at_end(self, folder: Path) -> None:
        """This will have the watchdog delete a folder once all processes have ended."""
        self.tell(f"remove {folder}")

    def spawn(
        self,
        name: str,
        args: Sequence[str | Path],
        *,
        log: Path,
        environment: dict[str, str] | None = None,
        folder: Path = Path("/"),
        user: User | None = None,
        stdin: bytes | None = None,
        stop_signals: Sequence[int] = (signal.SIGTERM,),
        patience: float = 8.0,
    ) -> Child:
        """This will start a process whose output goes to `log`. `stop_signals` are sent one after the other, each with
        `patience` seconds, before SIGKILL."""
        signals = tuple(stop_signals)
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [str(arg) for arg in args],
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=folder,
                env=plain_environment() if environment is None else environment,
                preexec_fn=end_with_parent(signals[0], os.getpid()),
                **as_user(user),  # type: ignore[call-overload]
            )
        child = Child(name, process, signals, patience)
        self.tell(self._order(child))
        self.children.append(child)
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        return child

    def stop(self, child: Child) -> None:
        """This will stop a process in its own way, then by force, and with it what it left behind."""
        for number in child.stop_signals:
            if not child.alive():
                break
            child.process.send_signal(number)
            try:
                child.process.wait(child.patience)
            except subprocess.TimeoutExpired:
                continue
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        child.process.wait()
        self.forget(child)

    def forget(self, child: Child) -> None:
        """This will take an ended process off the list."""
        if child in self.children:
            self.children.remove(child)
            self.tell(f"forget {child.pid}")

    def stop_all(self) -> None:
        """This will stop everything, last started first, and let the watchdog go."""
        for child in reversed(list(self.children)):
            self.stop(child)
        if self._watchdog is not None and self._watchdog.stdin is not None:
            try:
                self._watchdog.stdin.close()
                self._watchdog.wait(30)
            except (OSError, subprocess.TimeoutExpired):
                self._watchdog.kill()
            self._watchdog = None


def wait_until(ready: Callable[[], bool], seconds: float, pause: float = 0.03) -> bool:
    """This will ask again and again until something is ready; False when the time is over."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
