"""kill -9 of everything at random while gifts come in: web workers, the Celery worker, a PostgreSQL backend, Valkey and
the postmaster; Valkey is emptied as well. What was acknowledged is there exactly once.

60 gifts; with --long 500. The seed is printed; KILL_SEED=… repeats it.
"""

from __future__ import annotations

import http.cookiejar
import os
import random
import re
import secrets
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import Error, connections

from apps.core import clock
from apps.core.invariants import ordered
from apps.donations.models import Gift, Receipt
from apps.ledger.models import Entry
from apps.payments.models import SandboxSession
from apps.payments.providers.sandbox import make_event, settle
from charity_site.stack.addresses import OWNER
from charity_site.stack.placement import place
from charity_site.stack.ports import free_port
from charity_site.stack.postgres import Postgres
from charity_site.stack.processes import Child, wait_until
from charity_site.stack.valkey import Valkey
from tests import world as w
from tests.conftest import CHILDREN, _point
from tests.databases import ROOT, Server, own_server

DONORS = 6
PATIENCE = 60
"""Seconds a donor tries again; an upper bound of waiting, as is RECOVERY."""
RECOVERY = 60
KINDS = ("web", "worker", "backend", "broker", "flush", "web", "postmaster", "worker")
SWEEPER = """
import django; django.setup()
import time
from charity_site.celery import app
while True:
    for name in ("payments.tasks.process_inbox", "core.tasks.sweep_outbox", "payments.tasks.poll_payments"):
        app.send_task("apps." + name)
    time.sleep(1)
"""
"""What beat does every 30 seconds, every second."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Site:
    """Every process of a site of the test's own, each of which may be killed and started again."""

    folder: Path
    postgres: Postgres
    server: Server
    broker: Valkey
    port: int
    environment: dict[str, str]
    children: dict[str, Child] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> None:
        log = self.folder / "logs" / f"{name}.log"
        arguments = {
            "web": ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "2",
                    "--blocking-threads", "1", "--no-ws", "--respawn-failed-workers", "charity_site.wsgi:application"],
            "worker": ["celery", "-A", "charity_site.celery", "worker", "--concurrency", "1", "--loglevel", "WARNING",
                       "--without-gossip", "--without-mingle", "--without-heartbeat"],
        }  # fmt: skip
        given = ["-m", *arguments[name]] if name in arguments else ["-c", SWEEPER]
        self.children[name] = CHILDREN.spawn(
            name, [sys.executable, *given], log=log, environment=self.environment, folder=ROOT
        )

    def kill(self, kind: str, dice: random.Random) -> None:
        """This will end processes by SIGKILL, and do what a machine's supervisor does afterwards."""
        self.killed[kind] += 1
        if kind == "web":
            workers = psutil.Process(self.children["web"].pid).children(recursive=True)
            _end(dice.choice(workers))
        elif kind == "worker":
            worker = psutil.Process(self.children["worker"].pid)
            for process in [worker, *worker.children(recursive=True)]:
                _end(process)
            CHILDREN.stop(self.children["worker"])
            self.start("worker")
        elif kind == "backend":
            # Whichever is at work just now; the postmaster then restarts all of them.
            found = [
                each for each in self.postgres.processes()[1:] if "charity_app" in " ".join(each.cmdline())
            ]
            if found:
                _end(dice.choice(found))
        elif kind == "broker":
            for process in self.broker.processes():
                _end(process)
            CHILDREN.stop(self.children["broker"])
            self.children["broker"] = self.broker.start(CHILDREN)
        elif kind == "flush":
            import redis

            redis.Redis.from_url(self.broker.url).flushall()
        else:
            _end(self.postgres.processes()[0])
            CHILDREN.stop(self.children["database"])
            self.children["database"] = self.postgres.start(CHILDREN)


def _end(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        pass


@pytest.fixture
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[Site]:
    """A whole site beside the run's own servers, whose database writes to its log before it acknowledges."""
    folder = Path(os.environ["TEST_RUN_DIR"]) / f"kill-{secrets.token_hex(4)}"
    folder.mkdir()
    folder.chmod(0o755)
    server, postgres = own_server(CHILDREN, folder, synchronous_commit="on", full_page_writes="on")
    (folder / "broker").mkdir()
    (folder / "broker").chmod(0o755)
    (folder / "keys" / "broker").write_text(secrets.token_hex(16))
    home = place(folder / "broker")
    CHILDREN.remove_at_end(home.folder)
    broker = Valkey(home, folder / "keys", free_port(), folder / "logs" / "broker.log", durable=False)
    port = free_port()
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": server.url("kill"), "MIGRATION_DATABASE_URL": server.url("kill", OWNER),
        "CACHE_URL": broker.url + "/1", "CELERY_BROKER_URL": broker.url + "/0", "PROXY_HOPS": "1",
        "EMAIL_URL": f"file://{folder}/mail", "SITE_URL": f"http://localhost:{port}",
        "SECRET_KEY": settings.SECRET_KEY,  # events are signed in this process
    }  # fmt: skip
    found = Site(folder, postgres, server, broker, port, environment)
    before = dict(connections["default"].settings_dict)
    found.children["database"] = postgres.start(CHILDREN)
    found.children["broker"] = broker.start(CHILDREN)
    server.clone("kill")
    with django_db_blocker.unblock():
        _point(server, "kill")
        try:
            yield found
        finally:
            connections.close_all()
            connections["default"].settings_dict.update(before)
            for name in ("sweeper", "worker", "web", "broker", "database"):
                if name in found.children:
                    CHILDREN.stop(found.children[name])


class Donor:
    """A browser of its own (own cookies, own address) that gives once, trying again as people do."""

    def __init__(self, site: Site, n: int) -> None:
        self.site, self.n = site, n
        self.end = time.monotonic() + PATIENCE
        self.opener = urllib.request.build_opener(
            NoRedirect, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str, str]:
        url = path if path.startswith("http") else f"http://localhost:{self.site.port}{path}"
        address = f"10.{self.n // 250}.{self.n % 250}.7"
        request = urllib.request.Request(url, data, {"X-Forwarded-For": address, "Referer": url, **headers})
        try:
            with self.opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode(), ""
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(), answer.headers.get("Location", "")

    def until(self, done: Callable[[tuple[int, str, str]], bool], path: str, data: bytes | None = None,
              **headers: str) -> tuple[int, str, str]:  # fmt: skip
        last: object = None
        while time.monotonic() < self.end:
            try:
                last = answer = self.ask(path, data, **headers)
                if done(answer):
                    return answer
            except (OSError, HTTPException) as error:
                last = error
            time.sleep(0.2)
        raise AssertionError(f"donor {self.n} gave up at {path}: {str(last)[:300]}")

    def give(self) -> None:
        page = "/projects/dabing/give/"
        _, body, _ = self.until(lambda a: a[0] == 200, page)
        form = {
            "csrfmiddlewaretoken": _value(body, "csrfmiddlewaretoken"), "key": _value(body, "key"), "preset": "other",
            "amount": f"{10 + self.n % 7}", "method": "card", "shown_as": "anonymous", "frequency": "once",
            "email": f"donor{self.n}@example.org",
        }  # fmt: skip
        sent = urllib.parse.urlencode(form).encode()
        where = self.until(lambda a: a[0] == 302 and "/cashier/" in a[2], page, sent)[2]
        if self.n % 2:
            _, body, _ = self.until(lambda a: a[0] == 200, where)
            pay = {"csrfmiddlewaretoken": _value(body, "csrfmiddlewaretoken"), "action": "succeed"}
            # A cashier that died between taking the money and telling so shows its page: the provider then tells.
            answer = self.until(lambda a: a[0] in (200, 302), where, urllib.parse.urlencode(pay).encode())
            if answer[0] == 302:
                return
        self.tell(where.rstrip("/").rpartition("/")[2])

    def tell(self, ref: str) -> None:
        """The provider takes the money and sends its signed event until it is answered."""
        while True:
            try:
                session = SandboxSession.objects.get(ref=ref)
                settle(session, clock.now())
                break
            except Error:
                connections.close_all()
                assert time.monotonic() < self.end
                time.sleep(0.2)
        headers, body = make_event(session, "session.paid", clock.now())
        headers["Content-Type"] = "application/json"
        self.until(lambda a: 200 <= a[0] < 300, "/payments/sandbox/webhook/", body, **headers)


def _value(page: str, name: str) -> str:
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag)
    found = re.search(r'value="([^"]*)"', tag)
    assert found
    return found[1]


def _mails(site: Site) -> Counter[str]:
    text = "".join(path.read_text(errors="replace") for path in (site.folder / "mail").glob("*.log"))
    return Counter(re.findall(r"^To: (donor\d+@example\.org)$", text, re.M))


def test_what_was_acknowledged_is_there_once(site: Site, request: pytest.FixtureRequest) -> None:
    gifts = 500 if request.config.getoption("--long") else 60
    seed = int(os.environ.get("KILL_SEED") or secrets.randbelow(10**6))
    print(f"KILL_SEED={seed}")
    dice = random.Random(seed)
    w.build(now=clock.now(), target=1_000_000_000)
    for name in ("web", "worker", "sweeper"):
        site.start(name)
    acknowledged: set[int] = set()
    gave_up: list[BaseException] = []
    waiting = iter(range(gifts))
    lock = threading.Lock()

    def donate() -> None:
        try:
            while True:
                with lock:
                    n = next(waiting, None)
                if n is None:
                    return
                Donor(site, n).give()
                with lock:
                    acknowledged.add(n)
        except BaseException as error:
            gave_up.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=donate) for _ in range(DONORS)]
    for thread in threads:
        thread.start()
    kinds = [*KINDS, *(dice.choice(KINDS) for _ in range(gifts // 25))]
    dice.shuffle(kinds)
    for n, kind in enumerate(kinds):
        # Killed when so many gifts are through, so that every kill falls among gifts, however slow the machine is.
        mark = gifts * (n + 1) // (len(kinds) + 2)
        wait_until(lambda: len(acknowledged) >= mark or bool(gave_up), PATIENCE)  # noqa: B023
        if gave_up:
            break
        site.kill(kind, dice)
    for thread in threads:
        thread.join()
    assert not gave_up, gave_up
    assert len(acknowledged) == gifts and set(site.killed) == set(KINDS)
    connections.close_all()
    wanted = {f"donor{n}@example.org" for n in acknowledged}

    def recovered() -> bool:
        try:
            having = Receipt.objects.filter(gift__status="received").values_list("gift__email", flat=True)
            return set(having) == wanted == set(_mails(site))
        except Error:
            connections.close_all()
            return False

    wait_until(recovered, RECOVERY, 0.3)
    received = Counter(Gift.objects.filter(status="received").values_list("email", flat=True))
    assert received == Counter(wanted), "each acknowledged gift is there exactly once"
    having = Counter(Receipt.objects.values_list("gift__email", flat=True))
    assert having == Counter(wanted), "one receipt each"
    numbers = sorted(int(number) for number in Receipt.objects.values_list("number", flat=True))
    assert numbers == list(range(1, gifts + 1)), "no number is left out"
    assert Entry.objects.filter(kind="gift").count() == gifts
    mails = _mails(site)
    assert set(mails) == wanted, "every mail was sent, though the broker forgot everything"
    # A mail leaves before its row is committed: a kill in between sends that one again, never none.
    assert sum(mails.values()) - gifts <= site.killed.total()
    for invariant in ordered():
        if invariant.number <= 4:
            found = invariant.check()
            assert not found.broken, (invariant.name, found.broken)
