"""The embedded Valkey: the broker's doorbell and the cache. It keeps what it has by appending to a file."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import psutil

from charity_site.stack.addresses import HOST
from charity_site.stack.placement import Place
from charity_site.stack.ports import refuse_taken
from charity_site.stack.processes import Child, Children, StackError, tail, wait_until


class Valkey:
    """One Valkey server of a data folder."""

    def __init__(self, place: Place, keys: Path, port: int, log: Path, *, durable: bool = True) -> None:
        self.place = place
        self.port = port
        self.log = log
        self.data = place.folder / "valkey"
        self.durable = durable
        self.password = (keys / "broker").read_text().strip()

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}"

    def processes(self) -> list[psutil.Process]:
        """This will find the server at work in our data folder, whoever started it."""
        found = []
        for process in psutil.process_iter(["name", "cwd"]):
            if "valkey" in (process.info["name"] or "") and process.info["cwd"] == str(self.data):
                found.append(process)
        return found

    def end_leftovers(self) -> None:
        """This will stop a server of ours that outlived its parent: an orphan would keep the port."""
        if not self.data.exists():
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = self.processes()
            for process in left:
                process.send_signal(number)
            if wait_until(lambda: not self.processes(), 5.0 if left else 0.0, 0.1):
                return

    def configuration(self) -> bytes:
        """This will write the configuration; it is given on standard input, so that no list of processes shows
        the password."""
        lines = [
            f"port {self.port}",
            f"bind {HOST}",
            f"dir {self.data}",
            f"requirepass {self.password}",
            "daemonize no",
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            "maxmemory 64mb",
            # Only what carries an end may go (the cache); the queue has none and stays.
            "maxmemory-policy volatile-lru",
        ]
        return ("\n".join(lines) + "\n").encode()

    def start(self, children: Children) -> Child:
        """This will start the server and wait for its answer. A queue file that can't be read is set aside: what the
        broker holds can be made anew from the database."""
        self.end_leftovers()
        refuse_taken(self.port, "the broker")
        self.place.own(self.data)
        child = self._try(children)
        if child is None:
            broken = self.data / "appendonlydir"
            if broken.exists():
                broken.rename(broken.with_name(f"appendonlydir.broken-{int(time.time())}"))
                child = self._try(children)
        if child is None:
            raise StackError(f"The broker did not start:\n{tail(self.log.read_text(errors='replace'))}")
        return child

    def _try(self, children: Children) -> Child | None:
        child = children.spawn(
            "broker",
            [self.place.valkey, "-"],
            log=self.log,
            folder=self.place.folder,
            user=self.place.user,
            stdin=self.configuration(),
        )
        wait_until(lambda: self.ready() or not child.alive(), 20)
        if child.alive() and self.ready():
            return child
        children.stop(child)
        return None

    def ready(self) -> bool:
        """This will ask for a PONG."""
        try:
            with socket.create_connection((HOST, self.port), 0.5) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                said = b""
                while b"PONG" not in said:
                    more = line.recv(128)
                    if not more:
                        return False
                    said += more
                return True
        except OSError:
            return False
