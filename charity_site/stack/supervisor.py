"""One supervisor per data folder: starts services in order, starts again what falls over, stops all of it at the end.

It holds a lock on DATA_DIR/stack.lock as long as it lives; the kernel frees it however it ends, so a stale file means
nothing. DATA_DIR/stack.json says who holds it and on which port, for `stack status`, `stack stop` and commands.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from charity_site.stack import keys
from charity_site.stack.addresses import Addresses
from charity_site.stack.placement import Place, place
from charity_site.stack.postgres import Postgres
from charity_site.stack.processes import Child, Children, StackError, wait_until
from charity_site.stack.valkey import Valkey

RESTARTS = (0.0, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the first, second … new start of a service that fell over; a minute of health starts afresh."""


@dataclass(slots=True)
class Service:
    """Something kept running: `start` starts it and waits until it answers."""

    name: str
    start: Callable[[], Child]
    child: Child | None = None
    falls: list[float] = field(default_factory=list)
    due: float = 0.0


class Supervisor:
    """This will keep services running in one data folder until told to stop."""

    def __init__(self, where: Addresses, kind: str) -> None:
        self.where = where
        self.kind = kind
        self.children = Children()
        self.services: list[Service] = []
        self.stopping = False
        self._lock: TextIO | None = None

    # The lock

    def take_lock(self) -> None:
        """This will take the data folder, or raise StackError naming who has it."""
        self.where.data_dir.mkdir(parents=True, exist_ok=True)
        self.where.logs.mkdir(exist_ok=True)
        lock = open(self.where.data_dir / "stack.lock", "a")  # noqa: SIM115  (held as long as we live)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            state = read_state(self.where)
            raise StackError(
                f"The site of {self.where.data_dir} is already running on port {state.get('port', '?')} "
                f"(process {state.get('pid', '?')}). Stop it with: make stop. For a second one beside it choose "
                "another folder and port: PORT=8100 DATA_DIR=… make run"
            ) from None
        self._lock = lock
        self.write_state("starting")

    def write_state(self, phase: str) -> None:
        """This will write down who we are and how far we are."""
        state = {"pid": os.getpid(), "port": self.where.port, "kind": self.kind, "phase": phase}
        fresh = self.where.state.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self.where.state)

    # Running

    def listen_to_signals(self) -> None:
        """This will make Ctrl-C, SIGTERM and a closed terminal stop everything in order."""

        def stop(_number: int, _frame: Any) -> None:
            if not self.stopping:
                self.stopping = True
                raise KeyboardInterrupt

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)

    def add(self, name: str, start: Callable[[], Child]) -> Service:
        """This will start a service and keep it running from now on."""
        service = Service(name, start)
        service.child = start()
        self.services.append(service)
        return service

    def keep(self, say: Callable[[str], None], parent: int | None) -> None:
        """This will watch over the services until we are told to stop or our parent has gone."""
        self.write_state("running")
        while not self.stopping:
            time.sleep(0.5)
            if parent is not None and os.getppid() != parent:
                say("The process that started the site has gone; stopping.")
                return
            for service in self.services:
                self._look_after(service, say)

    def _look_after(self, service: Service, say: Callable[[str], None]) -> None:
        now = time.monotonic()
        if service.child is not None and service.child.alive():
            return
        if service.child is not None:
            code = service.child.process.returncode
            self.children.stop(service.child)
            service.child = None
            service.falls = [moment for moment in service.falls if now - moment < 60] + [now]
            wait = RESTARTS[min(len(service.falls), len(RESTARTS)) - 1]
            service.due = now + wait
            say(f"The {service.name} ended ({code}); starting it again{f' in {wait:.0f} s' if wait else ''}.")
        if now >= service.due:
            try:
                service.child = service.start()
            except StackError as error:
                service.falls.append(now)
                service.due = now + RESTARTS[min(len(service.falls), len(RESTARTS)) - 1]
                say(f"The {service.name} did not come back: {error}")

    def finish(self) -> None:
        """This will stop all we started and let the data folder go."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.stopping = True
        self.children.stop_all()
        if self._lock is not None:
            self.where.state.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None


def read_state(where: Addresses) -> dict[str, Any]:
    """This will read what a supervisor wrote about itself, or nothing."""
    try:
        state = json.loads(where.state.read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def locked(where: Addresses) -> bool:
    """This will tell whether a living supervisor holds the data folder."""
    path = where.data_dir / "stack.lock"
    if not path.exists():
        return False
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def log_file(where: Addresses, name: str) -> Path:
    """This will give a fresh log file; the one before is kept as .1."""
    path = where.logs / f"{name}.log"
    if path.exists() and path.stat().st_size:
        path.replace(path.with_suffix(".log.1"))
    path.touch(mode=0o640)
    return path


def servers(where: Addresses) -> tuple[Place, Postgres, Valkey]:
    """This will settle place and keys of the embedded servers; starts nothing."""
    keys_were_there = (where.keys / "charity_app").exists()
    home = place(where.data_dir)
    keys.make_passwords(where.keys)
    where.logs.mkdir(exist_ok=True)
    postgres = Postgres(home, where.keys, where.database_port, where.logs / "database.log")
    if not keys_were_there and postgres.data.exists():
        postgres.end_leftovers()
        postgres.renew_passwords()
    return home, postgres, Valkey(home, where.keys, where.broker_port, where.logs / "broker.log")


def stop_supervisor(where: Addresses) -> bool:
    """This will stop the supervisor of a data folder and whatever a dead one left; True when there was something."""
    something = False
    if locked(where):
        something = True
        pid = read_state(where).get("pid")
        if isinstance(pid, int):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        if not wait_until(lambda: not locked(where), 60, 0.1):
            raise StackError(
                f"The supervisor (process {pid}) did not stop within a minute; see {where.logs}."
            )
    if (where.data_dir / "servers").exists() and (where.keys / "broker").exists():
        _, postgres, valkey = servers(where)
        something = (
            something or bool(postgres.data.exists() and postgres.processes()) or bool(valkey.processes())
        )
        if postgres.data.exists():
            postgres.end_leftovers()
        valkey.end_leftovers()
    where.state.unlink(missing_ok=True)
    return something
