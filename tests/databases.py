"""Databases for tests: one private server per run, one migrated template, a clone per worker and per committing test.

The template is migrated once for a state of the sources and kept, as a stopped server's folder, in var/test; a run
copies it, so that runs beside each other share nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from charity_site.stack import keys
from charity_site.stack.addresses import APPLICATION, DATABASE, HOST, OWNER
from charity_site.stack.placement import place
from charity_site.stack.ports import free_port
from charity_site.stack.postgres import Postgres
from charity_site.stack.processes import Children, StackError, tail

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "var" / "test"
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "96MB",
    "min_wal_size": "16MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
KEPT = 3
"""How many templates stay in var/test."""


@dataclass(frozen=True, slots=True)
class Server:
    """A run's database server, as every process of the run sees it."""

    port: int
    keys: str

    def password(self, role: str) -> str:
        return (Path(self.keys) / role).read_text().strip()

    def url(self, database: str, role: str = APPLICATION) -> str:
        """This will give a database's address for a role."""
        return f"postgres://{role}:{quote(self.password(role))}@{HOST}:{self.port}/{database}"

    def connect(self, database: str, role: str = OWNER, **options: Any) -> psycopg.Connection[Any]:
        """This will connect without Django (autocommit unless told otherwise)."""
        return psycopg.connect(self.url(database, role), **{"autocommit": True, **options})

    def clone(self, name: str, template: str = DATABASE) -> None:
        """This will make a database as a copy of the migrated template."""
        with self.connect("postgres") as line:
            line.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            line.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'.encode())

    def drop(self, name: str) -> None:
        """This will drop a database, whoever is still connected: each role may end its own connections only, and a
        thread that is just ending may hold one a moment longer."""
        for again in range(20):
            with self.connect("postgres", "charity_app") as line:
                line.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = %s AND usename = current_user",
                    [name],
                )
            try:
                with self.connect("postgres") as line:
                    line.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
                return
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
                if again == 19:
                    raise
                time.sleep(0.1)


def sources() -> str:
    """This will hash what a migrated database depends on."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    digest.update(repr(sorted(FAST.items())).encode())
    files = [
        path
        for folder in ("apps", "cms", "search", "charity_site")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" in path.parts
        or path.name in ("apps.py", "append_only.py", "mode_mark.py", "postgres.py")
        or path.stem.startswith("models")
        or "models" in path.parts
    ]
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def start_server(children: Children, run: Path) -> Server:
    """This will start a run's server on a copy of the migrated template; makes that first where it is missing."""
    children.remove_at_end(run)
    server, postgres = own_server(children, run)
    postgres.start(children)
    return server


def own_server(children: Children, run: Path, **settings: str) -> tuple[Server, Postgres]:
    """This will copy the migrated template for a server of its own in `run`, not started yet, so that it may be killed
    and started again; `settings` are PostgreSQL's."""
    template = _template(children, run)
    home = place(run)
    if home.folder.parent != run:
        children.remove_at_end(home.folder)
    subprocess.run(["cp", "-a", str(template / "postgres"), str(home.folder / "postgres")], check=True)
    (run / "keys").mkdir(exist_ok=True)
    for path in (template / "keys").iterdir():
        shutil.copy2(path, run / "keys" / path.name)
    port = free_port()
    (run / "logs").mkdir(exist_ok=True)
    log = run / "logs" / "database.log"
    postgres = Postgres(home, run / "keys", port, log, extra={**FAST, **settings}, tests=True)
    return Server(port, str(run / "keys")), postgres


def _template(children: Children, run: Path) -> Path:
    STORE.mkdir(parents=True, exist_ok=True)
    target = STORE / f"template-{sources()}"
    with open(STORE / "template.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (target / "ready").exists():
            (target / "ready").touch()
            return target
        shutil.rmtree(target, ignore_errors=True)
        try:
            _make_template(children, run, target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        old = sorted(STORE.glob("template-*/ready"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in old[KEPT:]:
            shutil.rmtree(path.parent, ignore_errors=True)
    return target


def _make_template(children: Children, run: Path, target: Path) -> None:
    print(
        "Migrating the tests' template database (kept until migrations change) …", file=sys.stderr, flush=True
    )
    build = run / "build"
    build.mkdir()
    build.chmod(0o755)
    home = place(build)
    if home.folder.parent != build:
        children.remove_at_end(home.folder)
    keys.make_passwords(build / "keys")
    port = free_port()
    postgres = Postgres(home, build / "keys", port, build / "database.log", extra=FAST, tests=True)
    postgres.make()
    child = postgres.start(children)
    server = Server(port, str(build / "keys"))
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": server.url(DATABASE, APPLICATION),
            "MIGRATION_DATABASE_URL": server.url(DATABASE, OWNER),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        children.stop(child)
        raise StackError(f"The template database can't be migrated:\n{tail(done.stdout, 30)}")
    with server.connect("postgres") as line:
        line.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false".encode())
    children.stop(child)
    target.mkdir()
    subprocess.run(["cp", "-a", str(home.folder / "postgres"), str(target / "postgres")], check=True)
    shutil.copytree(build / "keys", target / "keys", ignore=shutil.ignore_patterns("secret_key", "broker"))
    shutil.rmtree(home.folder, ignore_errors=True)
    shutil.rmtree(build, ignore_errors=True)
    (target / "ready").touch()
