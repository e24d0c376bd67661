"""A whole site as processes that may be killed and started again, and donors who give through its pages."""

from __future__ import annotations

import http.cookiejar
import os
import random
import re
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import Error, connections

from apps.core import clock
from apps.payments.models import SandboxSession
from apps.payments.providers.sandbox import make_event, settle
from charity_site.stack.addresses import OWNER
from charity_site.stack.postgres import Postgres
from charity_site.stack.processes import Child
from charity_site.stack.valkey import Valkey
from tests.conftest import CHILDREN
from tests.databases import ROOT, Server

PATIENCE = 60
"""Seconds a donor tries again: an upper bound of waiting."""
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
            if workers := _children(self.children["web"].pid):
                _end(dice.choice(workers))
        elif kind == "worker":
            worker = psutil.Process(self.children["worker"].pid)
            for process in [worker, *_children(worker.pid)]:
                _end(process)
            CHILDREN.stop(self.children["worker"])
            self.start("worker")
        elif kind == "backend":
            # Whichever is at work just now; the postmaster then restarts all of them.
            found = [each for each in self.postgres.processes()[1:] if "charity_app" in _line(each)]
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

    def keep(self) -> None:
        """This will start the web server again if it gave up: granian ends after two worker deaths within 5.5 s (a
        "crash loop"), and the machine's supervisor brings it back."""
        if not self.children["web"].alive():
            CHILDREN.stop(self.children["web"])
            self.start("web")

    def stop(self) -> None:
        """This will end every process, the database last."""
        for name in ("sweeper", "worker", "web", "broker", "database"):
            if name in self.children:
                CHILDREN.stop(self.children[name])


def environment(folder: Path, server: Server, name: str, broker: Valkey, port: int) -> dict[str, str]:
    """This will give the environment of a site's processes on database `name`; events are signed in this process."""
    return {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": server.url(name), "MIGRATION_DATABASE_URL": server.url(name, OWNER),
        "CACHE_URL": broker.url + "/1", "CELERY_BROKER_URL": broker.url + "/0", "PROXY_HOPS": "1",
        "EMAIL_URL": f"file://{folder}/mail", "SITE_URL": f"http://localhost:{port}",
        "SECRET_KEY": settings.SECRET_KEY,
    }  # fmt: skip


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _end(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        pass


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
