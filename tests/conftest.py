"""What all tests stand on.

`db` (pytest-django's): rolled back after each test, on this worker's clone, as the application role.
`committed_db`: a fresh clone for one test that commits (threads, servers, browsers); `live_site`: the site in a thread
on such a clone; `granian_site`: the real server as a process; `valkey`: a real broker. The network ends at loopback.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from charity_site.stack.addresses import HOST, OWNER
from charity_site.stack.placement import place
from charity_site.stack.ports import free_port
from charity_site.stack.processes import Child, Children, tail, wait_until
from charity_site.stack.valkey import Valkey
from tests import nodes, scheduling
from tests.databases import ROOT, Server, start_server

CHILDREN = Children()
_server: Server | None = None
_numbers = itertools.count(1)


def _run_dir() -> Path:
    return Path(os.environ["TEST_RUN_DIR"])


def _the_server() -> Server:
    """This will give the run's server; only the first process of a run ever starts it."""
    global _server
    if _server is None:
        _server = start_server(CHILDREN, _run_dir())
    return _server


class ForWorkers:
    """Hooks that exist only where xdist does."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["server"] = dataclasses.asdict(_the_server())
        nodes.answer_workers(CHILDREN, _run_dir())

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        return scheduling.by_test(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-addresses", action="store_true", help="write tests/accounts/addresses.csv anew")
    parser.addoption(
        "--long", action="store_true", help="let the state machine and the kill test run far longer"
    )


def pytest_configure(config: pytest.Config) -> None:
    global _server
    config.pluginmanager.register(ForWorkers())
    given = getattr(config, "workerinput", {}).get("server")
    if given:
        _server = Server(**given)
    elif not hasattr(config, "workerinput"):
        CHILDREN.remove_at_end(_run_dir())
        _compile_english()


def _compile_english() -> None:
    """A fresh clone has no compiled catalogue yet, and pages in English are tested as well."""
    parts = max(path.stat().st_mtime for path in (ROOT / "locale" / "en" / "parts").glob("*.po"))
    compiled = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.mo"
    if not compiled.exists() or compiled.stat().st_mtime < parts:
        from django.core.management import call_command

        call_command("compile_translations", verbosity=0)


def pytest_unconfigure(config: pytest.Config) -> None:
    CHILDREN.stop_all()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    scheduling.longest_first(items)
    for item in items:
        marker = item.get_closest_marker("django_db")
        flushes = marker is not None and marker.kwargs.get("transaction")
        if flushes or "transactional_db" in getattr(item, "fixturenames", ()):
            raise pytest.UsageError(
                f"{item.nodeid}: a committing test takes the fixture committed_db; transaction=True would flush, "
                "and history refuses TRUNCATE"
            )


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> Iterator[None]:
    """No test speaks to anything but this machine."""
    real, real_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse(line: socket.socket, address: Any) -> None:
        if line.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            if not (host.startswith("127.") or host in ("::1", "localhost", "0.0.0.0", "")):
                raise RuntimeError(f"tests may not speak to {host}")

    def connect(self: socket.socket, address: Any) -> None:
        refuse(self, address)
        real(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        refuse(self, address)
        return real_ex(self, address)

    socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]
    yield
    socket.socket.connect, socket.socket.connect_ex = real, real_ex  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """No test meets the limits that those before it used up."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(autouse=True)
def one_language() -> Iterator[None]:
    """A test that turned the language leaves it as it was."""
    from django.conf import settings
    from django.utils import translation

    translation.activate(settings.LANGUAGE_CODE)
    yield
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(scope="session")
def database_server() -> Server:
    """The run's private PostgreSQL."""
    return _the_server()


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _point(server: Server, name: str) -> None:
    """This will turn Django to a database: the dictionary is shared by all threads, present and to come."""
    from django.db import connections

    connections.close_all()
    place_ = connections["default"].settings_dict
    place_.update(
        NAME=name,
        HOST=HOST,
        PORT=str(server.port),
        USER="charity_app",
        PASSWORD=server.password("charity_app"),
    )
    _forget_rows()


def _forget_rows() -> None:
    from django.contrib.contenttypes.models import ContentType
    from django.core.cache import cache

    ContentType.objects.clear_cache()
    cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, database_server: Server
) -> Iterator[None]:
    """This worker's clone of the template, for tests that are rolled back."""
    from django.db import connections

    name = f"worker_{_worker()}"
    database_server.clone(name)
    with django_db_blocker.unblock():
        _point(database_server, name)
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@dataclass(frozen=True, slots=True)
class Database:
    """A test's own database."""

    name: str
    server: Server

    def url(self, role: str = "charity_app") -> str:
        return self.server.url(self.name, role)

    def connect(self, role: str = OWNER, **options: Any) -> psycopg.Connection[Any]:
        """This will connect beside Django, as the owner unless another role is named."""
        return self.server.connect(self.name, role, **options)


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any, database_server: Server
) -> Iterator[Database]:
    """A fresh clone for this test alone; everything commits, and threads see the same database."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        raise pytest.UsageError(f"{request.node.nodeid}: take db or committed_db, not both")
    from django.db import connections

    before = connections["default"].settings_dict["NAME"]
    name = f"clone_{_worker()}_{next(_numbers)}"
    database_server.clone(name)
    with django_db_blocker.unblock():
        _point(database_server, name)
        try:
            yield Database(name, database_server)
        finally:
            _point(database_server, before)
    database_server.drop(name)


@pytest.fixture
def site_environment(committed_db: Database) -> dict[str, str]:
    """The environment in which a process of the site works on this test's database."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": committed_db.url(),
        "MIGRATION_DATABASE_URL": committed_db.url(OWNER),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }


@dataclass(slots=True)
class LiveSite:
    """A site that answers under `url`."""

    url: str
    database: Database


@pytest.fixture
def live_site(committed_db: Database) -> Iterator[LiveSite]:
    """The site in a thread of this process, on this test's database; static files by their finders."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings
    from django.test.testcases import LiveServerThread

    class Thread(LiveServerThread):
        def run(self) -> None:
            from django.db import connections

            try:
                self.httpd = self._create_server()
                self.port = self.httpd.server_address[1]
                self.httpd.set_app(WSGIHandler())
                self.is_ready.set()
                self.httpd.serve_forever(poll_interval=0.05)
            except Exception as error:
                self.error = error
                self.is_ready.set()
            finally:
                connections.close_all()

    thread = Thread("localhost", None)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait(30)
    if thread.error:
        raise thread.error
    url = f"http://localhost:{thread.port}"
    with override_settings(SITE_URL=url, CSRF_TRUSTED_ORIGINS=[url]):
        yield LiveSite(url, committed_db)
    thread.terminate()


@dataclass(slots=True)
class ServerSite(LiveSite):
    """The real server as a process of its own; may be killed."""

    child: Child
    log: Path


@pytest.fixture
def start_site(
    site_environment: dict[str, str], committed_db: Database
) -> Iterator[Callable[..., ServerSite]]:
    """A function that starts granian with two workers on this test's database: start_site(CRASH_AT="…")."""
    started: list[Child] = []

    def start(port: int | None = None, workers: int = 2, **environment: str) -> ServerSite:
        number = port or free_port()
        url = f"http://localhost:{number}"
        log = _run_dir() / f"web-{_worker()}-{next(_numbers)}.log"
        child = CHILDREN.spawn(
            "web",
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(number),
                "--workers", str(workers), "--blocking-threads", "1", "--no-ws", "--respawn-failed-workers",
                "charity_site.wsgi:application",
            ],
            log=log,
            environment={**site_environment, "SITE_URL": url, **environment},
            folder=ROOT,
        )  # fmt: skip
        started.append(child)

        def answers() -> bool:
            try:
                with urllib.request.urlopen(f"http://{HOST}:{number}/healthz", timeout=2):
                    return True
            except OSError:
                return False

        if not wait_until(lambda: answers() or not child.alive(), 60, 0.1) or not child.alive():
            pytest.fail(f"granian did not start:\n{tail(log.read_text(errors='replace'), 30)}")
        return ServerSite(url, committed_db, child, log)

    yield start
    for child in started:
        CHILDREN.stop(child)


@pytest.fixture
def granian_site(start_site: Callable[..., ServerSite]) -> ServerSite:
    """The real server, two workers, on this test's database."""
    return start_site()


@dataclass(slots=True)
class Broker:
    """A Valkey of the test's own: it may be stopped, started and flushed."""

    server: Valkey
    child: Child | None = None

    @property
    def url(self) -> str:
        return self.server.url

    def start(self) -> None:
        if self.child is None:
            self.child = self.server.start(CHILDREN)

    def stop(self) -> None:
        if self.child is not None:
            CHILDREN.stop(self.child)
            self.child = None

    def flush(self) -> None:
        import redis

        redis.Redis.from_url(self.url).flushall()


@pytest.fixture(scope="session")
def elasticsearch_url() -> str:
    """The run's Elasticsearch, started by the first test that asks and shared by all workers; names of indices begin
    with the worker's."""
    return nodes.shared(CHILDREN, _run_dir(), from_main="PYTEST_XDIST_WORKER" in os.environ)


@pytest.fixture(scope="session")
def _broker() -> Iterator[Broker]:
    folder = _run_dir() / f"broker-{_worker()}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    home = place(folder)
    CHILDREN.remove_at_end(home.folder)
    broker = Broker(Valkey(home, _run_dir() / "keys", free_port(), folder / "valkey.log", durable=False))
    yield broker
    broker.stop()


@pytest.fixture
def valkey(_broker: Broker) -> Iterator[Broker]:
    """A running, empty Valkey; `valkey.url` + "/0" is its address."""
    _broker.start()
    _broker.flush()
    yield _broker
