"""The whole of `make run`, and the embedded servers alone (`manage.py stack start`)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from charity_site.stack import keys
from charity_site.stack.addresses import BASE_DIR, HOST, Addresses
from charity_site.stack.ports import refuse_taken
from charity_site.stack.processes import Child, StackError, tail, wait_until
from charity_site.stack.supervisor import Supervisor, locked, log_file, read_state, servers, stop_supervisor

MOST_WORKERS = 4
"""Web workers of a demonstration at most; production sets WEB_WORKERS or takes one per core."""


def say(text: str) -> None:
    """This will print at once, also into a pipe."""
    print(text, flush=True)


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """This will give one hash of files (name, size, time of change) and words."""
    digest = hashlib.sha256("\n".join(words).encode())
    for path in sorted(paths):
        facts = path.stat()
        digest.update(f"{path.relative_to(BASE_DIR)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


class Site:
    """One `make run`: prepares what changed, then keeps servers, web process and worker running."""

    def __init__(self, where: Addresses, *, with_parent: bool) -> None:
        self.where = where
        self.parent = os.getppid() if with_parent else None
        self.supervisor = Supervisor(where, "site")
        self.environment = {**os.environ, "DATA_DIR": str(where.data_dir), "PORT": str(where.port)}
        self.environment.setdefault("MODE", "demonstration")
        self.environment["PYTHONUNBUFFERED"] = "1"
        self.demonstration = self.environment["MODE"] == "demonstration"
        self.notes_file = where.data_dir / "prepared.json"
        self.notes: dict[str, Any] = {}

    def run(self) -> int:
        """This will run the site until it is stopped; gives the exit status."""
        began = time.monotonic()
        self.supervisor.listen_to_signals()
        try:
            self._start(began)
            self.supervisor.keep(say, self.parent)
        except KeyboardInterrupt:
            pass
        except StackError as error:
            say(f"\n{error}")
            return 1
        finally:
            if self.supervisor.children.children:
                say("\nStopping …")
            self.supervisor.finish()
        say("Stopped. Nothing is left running; the data stays in " + str(self.where.data_dir))
        return 0

    def _start(self, began: float) -> None:
        where, supervisor = self.where, self.supervisor
        if locked(where) and read_state(where).get("kind") == "servers":
            say("The embedded servers were already running alone; they now run with the site.")
            stop_supervisor(where)
        supervisor.take_lock()
        refuse_taken(where.port, "the site")
        self._start_servers()
        self.notes = self._read_notes()
        if self.demonstration:
            keys.make_key_files(where.keys)
        self._prepare()
        supervisor.add("web", self._web)
        if self.demonstration and not self.notes.get("demonstration"):
            # The story runs in its own time: a worker that looked at the clock meanwhile would find its duties late.
            self._tell_story()
        supervisor.add("worker", self._worker)
        self._greet(time.monotonic() - began)

    def _start_servers(self) -> None:
        own_database = not (self.environment.get("DATABASE_URL") or self.environment.get("DATABASE_URL_FILE"))
        own_broker = not (
            self.environment.get("CELERY_BROKER_URL") or self.environment.get("CELERY_BROKER_URL_FILE")
        )
        if not (own_database or own_broker):
            return
        _, postgres, valkey = servers(self.where)
        children = self.supervisor.children
        if own_broker:
            log_file(self.where, "broker")
            self.supervisor.add("broker", lambda: valkey.start(children))
        if own_database:
            log_file(self.where, "database")
            if not postgres.data.exists():
                say("Making the database …")
            if postgres.make():
                self.notes_file.unlink(missing_ok=True)
            self.supervisor.add("database", lambda: postgres.start(children))

    # What is done only when something changed

    def _read_notes(self) -> dict[str, Any]:
        try:
            notes = json.loads(self.notes_file.read_text())
        except (OSError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}

    def _note(self, name: str, value: Any) -> None:
        self.notes[name] = value
        self.notes_file.write_text(json.dumps(self.notes))

    def _prepare(self) -> None:
        lock = (BASE_DIR / "requirements.lock").read_text()
        rooms = [BASE_DIR / name for name in ("apps", "cms", "search", "charity_site")]
        sources = [path for room in rooms for path in room.rglob("*.py")]
        database = self.environment.get("DATABASE_URL", "embedded")
        work = [
            (
                "migrations",
                fingerprint([path for path in sources if "migrations" in path.parts], lock, database),
                "Preparing the database …",
                [["migrate", "--verbosity", "0"]],
            ),
            (
                "translations",
                fingerprint((BASE_DIR / "locale").rglob("*.po")),
                "Preparing the translations …",
                [["compile_translations"]],
            ),
            (
                "static",
                fingerprint(
                    [
                        path
                        for folder in [BASE_DIR / "static", *rooms]
                        for path in folder.rglob("*")
                        if path.is_file() and "static" in path.relative_to(BASE_DIR).parts
                    ],
                    lock,
                ),
                "Preparing styles and scripts …",
                [["collectstatic", "--noinput", "--verbosity", "0"]],
            ),
        ]
        for name, now, words, commands in work:
            if self.notes.get(name) == now:
                continue
            say(words)
            for command in commands:
                self._manage(command)
            self._note(name, now)

    def _manage(self, command: list[str], *, show: bool = False) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=BASE_DIR,
            env=self.environment,
            stdout=None if show else subprocess.PIPE,
            stderr=None if show else subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise StackError(f"`manage.py {' '.join(command)}` failed:\n{tail(done.stdout or '', 30)}")

    def _tell_story(self) -> None:
        if not any(BASE_DIR.glob("*/**/management/commands/demo.py")):
            return
        say("Filling the demonstration city (once; its people and organizations are fictional) …")
        try:
            self._manage(["demo", "--scale", self.environment.get("DEMO_SCALE") or "small"], show=True)
        except StackError as error:
            say(f"The demonstration city is not complete. {error}")
        else:
            self._note("demonstration", True)

    # The processes of the site

    def _web(self) -> Child:
        log = log_file(self.where, "web")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = self.environment.get("WEB_WORKERS", "").strip() or str(min(cores, MOST_WORKERS))
        child = self.supervisor.children.spawn(
            "web",
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(self.where.port),
                "--workers", workers, "--blocking-threads", "1", "--no-ws", "--respawn-failed-workers",
                "--workers-kill-timeout", "5", "charity_site.wsgi:application",
            ],
            log=log,
            environment=self.environment,
            folder=BASE_DIR,
        )  # fmt: skip
        wait_until(
            lambda: self._answers() or not child.alive() or "refuse" in log.read_text(errors="replace"),
            60,
            0.1,
        )
        if not child.alive() or not self._answers():
            self.supervisor.children.stop(child)
            raise StackError(f"The site did not start ({log}):\n{tail(log.read_text(errors='replace'), 25)}")
        return child

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.where.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return True  # it answers, if only that this host name is not its own
        except OSError:
            return False

    def _worker(self) -> Child:
        return self.supervisor.children.spawn(
            "worker",
            [
                sys.executable, "-m", "celery", "-A", "charity_site.celery", "worker", "--concurrency", "1", "--beat",
                "--schedule", str(self.where.data_dir / "beat-schedule"), "--loglevel", "INFO",
                "--without-gossip", "--without-mingle", "--without-heartbeat",
            ],
            log=log_file(self.where, "worker"),
            environment=self.environment,
            folder=BASE_DIR,
            stop_signals=(signal.SIGTERM, signal.SIGQUIT),
            patience=6.0,
        )  # fmt: skip

    def _greet(self, seconds: float) -> None:
        say(f"\nThe site is ready after {seconds:.1f} s: http://localhost:{self.where.port}/")
        accounts = self.where.data_dir / "demonstration-accounts.txt"
        if self.demonstration and accounts.exists():
            say(accounts.read_text().rstrip())
        say(f"Logs: {self.where.logs}/   Mails: {self.where.data_dir / 'mail'}/")
        say("Stop with Ctrl-C here, or `make stop` elsewhere.\n")


def run_servers(where: Addresses, *, with_parent: bool = False) -> int:
    """This will keep the embedded servers alone running until stopped."""
    supervisor = Supervisor(where, "servers")
    parent = os.getppid() if with_parent else None
    supervisor.listen_to_signals()
    try:
        supervisor.take_lock()
        _, postgres, valkey = servers(where)
        log_file(where, "broker")
        log_file(where, "database")
        if postgres.make():
            (where.data_dir / "prepared.json").unlink(missing_ok=True)
        supervisor.add("broker", lambda: valkey.start(supervisor.children))
        supervisor.add("database", lambda: postgres.start(supervisor.children))
        supervisor.keep(say, parent)
    except KeyboardInterrupt:
        pass
    except StackError as error:
        say(str(error))
        return 1
    finally:
        supervisor.finish()
    return 0


def start_servers(where: Addresses) -> None:
    """This will start the embedded servers in the background and return when both answer."""
    if locked(where):
        say(f"Already running on ports {where.database_port} and {where.broker_port}.")
        return
    # What a killed supervisor wrote of itself would be taken for the new one's word.
    where.state.unlink(missing_ok=True)
    where.logs.mkdir(parents=True, exist_ok=True)
    log = log_file(where, "stack")
    environment = {**os.environ, "DATA_DIR": str(where.data_dir), "PORT": str(where.port)}
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "charity_site.stack", "servers"],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_until(lambda: process.poll() is not None or read_state(where).get("phase") == "running", 150, 0.1)
    if process.poll() is not None:
        raise StackError(tail(log.read_text(errors="replace")))
    say(
        f"Running: database on port {where.database_port}, broker on port {where.broker_port}. Stop with: make stop"
    )


def status(where: Addresses) -> int:
    """This will print what runs; 0 when both servers answer, else 3."""
    _, postgres, valkey = servers(where)
    held, state = locked(where), read_state(where)
    say(f"supervisor  {'process ' + str(state.get('pid')) if held else 'not running'}   {where.data_dir}")
    answers = {"database": postgres.ready(), "broker": valkey.ready()}
    for name, port in (("database", where.database_port), ("broker", where.broker_port)):
        say(f"{name:<11} {'answers' if answers[name] else 'does not answer'} on {HOST}:{port}")
    return 0 if all(answers.values()) else 3


def reset(where: Addresses, *, yes: bool) -> int:
    """This will delete the demonstration data after asking."""
    if not where.data_dir.exists():
        say(f"There is nothing in {where.data_dir}.")
        return 0
    if not yes:
        say(f"This deletes the demonstration's database, mails, uploads and keys in {where.data_dir}.")
        try:
            answer = input("Type yes to delete: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            say("Nothing was deleted.")
            return 1
    stop_supervisor(where)
    folder = where.data_dir / "servers"
    if folder.is_symlink():
        shutil.rmtree(folder.resolve(), ignore_errors=True)
        folder.unlink()
    for name in ("servers", "keys", "logs", "mail", "media", "static"):
        shutil.rmtree(where.data_dir / name, ignore_errors=True)
    for pattern in (
        "prepared.json",
        "stack.json",
        "stack.lock",
        "beat-schedule*",
        "demonstration-accounts.txt",
    ):
        for path in where.data_dir.glob(pattern):
            path.unlink(missing_ok=True)
    say("Deleted. `make run` makes a new demonstration.")
    return 0
