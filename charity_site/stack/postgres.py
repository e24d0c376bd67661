"""The embedded PostgreSQL 18: made once, listening on loopback only, two roles with random passwords."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from charity_site.stack.addresses import APPLICATION, DATABASE, HOST, OWNER
from charity_site.stack.placement import Place
from charity_site.stack.ports import refuse_taken
from charity_site.stack.processes import Child, Children, StackError, plain_environment, run, tail, wait_until

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "jit": "off",
    "io_method": "sync",
    "timezone": "Asia/Shanghai",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # statements carry personal data
    "log_parameter_max_length_on_error": "0",
    "idle_in_transaction_session_timeout": "300s",
    "max_wal_size": "512MB",
}
RULES = f"""# Written at every start. Only these two roles, only from this machine.
host all {OWNER},{APPLICATION} {HOST}/32 scram-sha-256
"""
ADMINISTRATOR = "charity_administrator"


class Postgres:
    """One database server of a data folder."""

    def __init__(
        self,
        place: Place,
        keys: Path,
        port: int,
        log: Path,
        *,
        extra: dict[str, str] | None = None,
        tests: bool = False,
    ) -> None:
        self.place = place
        self.keys = keys
        self.port = port
        self.log = log
        self.data = place.folder / "postgres"
        self.settings = {**SETTINGS, **(extra or {})}
        self.tests = tests

    def program(self, name: str) -> Path:
        """This will give one of PostgreSQL's programs."""
        return self.place.postgres / "bin" / name

    def make(self) -> bool:
        """This will make the data folder when there is none; True when it is new. It is made beside and renamed, so
        that a broken-off start leaves nothing that looks whole."""
        self._judge_existing()
        if self.data.exists():
            return False
        fresh = self.data.with_name("postgres.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        self.place.own(fresh)
        run(
            [
                self.program("initdb"), "-D", fresh, "-U", ADMINISTRATOR, "--encoding=UTF8", "--no-sync", "--no-locale",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth=reject", "--data-checksums",
                *(["--wal-segsize=4"] if self.tests else []),
            ],
            user=self.place.user,
        )  # fmt: skip
        database = f"CREATE DATABASE {DATABASE} OWNER {OWNER};"
        self._single(fresh, [*self._roles("CREATE"), database])
        fresh.rename(self.data)
        return True

    def _judge_existing(self) -> None:
        data = self.data
        if not data.exists():
            return
        if not any(data.iterdir()):
            data.rmdir()
            return
        version = data / "PG_VERSION"
        if not version.exists() or not (data / "global" / "pg_control").exists():
            raise StackError(
                f"{data} is no complete database: PG_VERSION or global/pg_control is missing. Nothing was changed. Put "
                "the missing files back, or move the folder away (make reset deletes it) and start again."
            )
        if version.read_text().strip() != "18":
            raise StackError(
                f"{data} was made by PostgreSQL {version.read_text().strip()}, and this site brings 18. "
                "Dump it with the old version, move it away, start again and restore the dump."
            )

    def _roles(self, verb: str) -> list[str]:
        owner = (self.keys / OWNER).read_text().strip()
        application = (self.keys / APPLICATION).read_text().strip()
        may = "CREATEDB" if self.tests else "NOCREATEDB"
        return [
            f"{verb} ROLE {OWNER} LOGIN NOSUPERUSER {may} PASSWORD '{owner}';",
            f"{verb} ROLE {APPLICATION} LOGIN NOSUPERUSER NOCREATEDB PASSWORD '{application}';",
        ]

    def _single(self, data: Path, statements: list[str]) -> None:
        said = run(
            [self.program("postgres"), "--single", "-D", data, "-c", "log_min_messages=error", "postgres"],
            user=self.place.user,
            stdin="\n".join(statements) + "\n",
        )
        if "ERROR:" in said or "FATAL:" in said:
            raise StackError(f"The database could not be prepared:\n{tail(said)}")

    def renew_passwords(self) -> None:
        """This will set the roles' passwords to those of the keys folder (needed when that was lost)."""
        self._single(self.data, self._roles("ALTER"))

    def processes(self) -> list[psutil.Process]:
        """This will find every process at work in our data folder, the postmaster first, whoever started it."""
        found = []
        for process in psutil.process_iter(["name", "cwd"]):
            if "postgres" in (process.info["name"] or "") and process.info["cwd"] == str(self.data):
                found.append(process)
        return sorted(found, key=lambda item: item.create_time())

    def end_leftovers(self) -> None:
        """This will stop a server of ours that outlived its parent, and clear a stale pid file."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        for number, patience in ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            left = self.processes()
            if not left:
                break
            for process in left if number == signal.SIGKILL else left[:1]:
                try:
                    process.send_signal(number)
                except psutil.NoSuchProcess:
                    continue
            wait_until(lambda: not self.processes(), patience, 0.1)
        # Nobody works in the folder: the number in the file may by now be any other process, which would stop a start.
        pid_file.unlink(missing_ok=True)

    def start(self, children: Children) -> Child:
        """This will start the server and wait until it answers (a recovery after a crash may take a while)."""
        self.end_leftovers()
        refuse_taken(self.port, "the database")
        rules = self.data / "pg_hba.conf"
        rules.write_text(RULES)
        child = children.spawn(
            "database",
            [
                self.program("postgres"), "-D", self.data, "-p", str(self.port),
                *(part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            user=self.place.user,
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            patience=15.0,
        )  # fmt: skip
        end = time.monotonic() + 120
        while not self.ready():
            if not child.alive() or time.monotonic() > end:
                children.stop(child)
                raise StackError(f"The database did not start:\n{tail(self.log.read_text(errors='replace'))}")
            time.sleep(0.05)
        return child

    def ready(self) -> bool:
        """This will ask pg_isready."""
        done = subprocess.run(
            [str(self.program("pg_isready")), "-q", "-h", HOST, "-p", str(self.port)],
            env=plain_environment(),
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return done.returncode == 0

    def url(self, role: str, database: str = DATABASE) -> str:
        """This will give a role's address of a database."""
        return f"postgres://{role}:{(self.keys / role).read_text().strip()}@{HOST}:{self.port}/{database}"


def memory(pid: int) -> int:
    """This will give a process' own share of memory in bytes, shared pages divided among their users."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    except (OSError, ValueError):
        try:
            return int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return 0


def family(pid: int) -> list[int]:
    """This will list a process and all it started."""
    try:
        return [pid, *(item.pid for item in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return [pid] if os.path.exists(f"/proc/{pid}") else []
