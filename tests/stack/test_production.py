"""Production for real: each command of docker-compose.yml runs natively on a production database, with secrets from
files; and what is unsafe refuses to start."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from charity_site.stack.keys import make_key_files
from charity_site.stack.ports import free_port
from charity_site.stack.processes import Child, Children, tail, wait_until
from tests.databases import Server

ROOT = Path(__file__).resolve().parent.parent.parent
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
HOST = "give.example.org"


@dataclass(slots=True)
class Production:
    """A production site's environment, with all secrets in files."""

    folder: Path
    environment: dict[str, str]

    def secret(self, name: str, value: str) -> str:
        path = self.folder / name
        path.write_text(value)
        path.chmod(0o600)
        return str(path)

    def command(self, service: str, **places: str) -> list[str]:
        """This will give a service's command as written, with this machine's programs and free places."""
        words = [places.get(word, word) for word in map(str, SERVICES[service]["command"])]
        return [
            sys.executable if words[0] == "python" else str(Path(sys.executable).parent / words[0]),
            *words[1:],
        ]

    def run(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        merged = {name: value for name, value in {**self.environment, **environment}.items() if value}
        return subprocess.run(args, cwd=ROOT, env=merged, capture_output=True, text=True, timeout=400)

    def start(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """This will load the web process' application, which refuses what is unsafe."""
        return self.run(sys.executable, "-c", "import charity_site.wsgi", **environment)


@pytest.fixture(scope="module")
def production(database_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    folder = tmp_path_factory.mktemp("secrets")
    folder.chmod(0o700)
    name = f"production_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with database_server.connect("postgres") as line:
        line.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    site = Production(folder, {})
    make_key_files(folder)
    site.environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "charity_site.settings",
        "PYTHONUNBUFFERED": "1",
        "MODE": "production",
        "SITE_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST,
        "EMAIL_FROM": f"site@{HOST}",
        "PAYMENT_PROVIDERS": "stripe",
        "PROXY_HOPS": "1",
        "DATA_DIR": str(folder / "data"),
        "STATIC_DIR": str(folder / "static"),
        "SECRET_KEY_FILE": site.secret("secret_key", secrets.token_hex(40)),
        "DATABASE_URL_FILE": site.secret("database_url", database_server.url(name, "charity_app")),
        "MIGRATION_DATABASE_URL_FILE": site.secret("owner_url", database_server.url(name, "charity_owner")),
        "CELERY_BROKER_URL_FILE": site.secret("broker_url", "redis://127.0.0.1:1/0"),
        "CACHE_URL_FILE": site.secret("cache_url", "locmem:"),
        "EMAIL_URL_FILE": site.secret("email_url", "smtp+tls://user:word@127.0.0.1:587"),
        "STRIPE_API_KEY_FILE": site.secret("stripe_api_key", "sk" + "_live_" + "0" * 24),
        "STRIPE_WEBHOOK_SECRET_FILE": site.secret("stripe_webhook_secret", "whsec_" + "0" * 24),
        "FIELD_KEY_FILE": str(folder / "field_keys.json"),
        "LOG_SIGNING_KEY_FILE": str(folder / "log_signing.pem"),
    }
    (folder / "data").mkdir()
    migrated = site.run(*site.command("migrate"))
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    collected = site.run(sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0")
    assert collected.returncode == 0, collected.stderr
    yield site
    database_server.drop(name)


@pytest.fixture
def children() -> Iterator[Children]:
    all_of_them = Children()
    yield all_of_them
    all_of_them.stop_all()


def begin(site: Production, children: Children, service: str, **places: str) -> tuple[Child, Path]:
    log = site.folder / f"{service}.log"
    command = site.command(service, **places)
    return children.spawn(service, command, log=log, environment=site.environment, folder=ROOT), log


def test_web_answers(production: Production, children: Children) -> None:
    port = str(free_port())
    child, log = begin(production, children, "web", **{"8000": port, "0.0.0.0": "127.0.0.1"})

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    assert wait_until(lambda: answers() or not child.alive(), 60, 0.2) and child.alive(), tail(
        log.read_text()
    )
    with pytest.raises(urllib.error.HTTPError) as stranger:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/")
    assert stranger.value.code == 400  # not its host name
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/accounts/login/", headers={"Host": HOST, "X-Forwarded-For": "198.51.100.7"}
    )
    opener = urllib.request.build_opener(NoRedirect)
    with pytest.raises(urllib.error.HTTPError) as plain:
        opener.open(request)
    assert plain.value.code == 301  # plain HTTP goes to HTTPS
    assert plain.value.headers["Location"].startswith(f"https://{HOST}/")
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").status == 200
    outside = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"X-Forwarded-For": "198.51.100.7"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(outside)
    assert refused.value.code == 404


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


@pytest.mark.parametrize(("service", "sign"), [("worker", "ready."), ("beat", "beat: Starting")])
def test_background_services_start(
    production: Production, children: Children, valkey, service: str, sign: str
) -> None:
    production.secret("broker_url", f"{valkey.url}/0")
    places = {"/srv/data/beat-schedule": str(production.folder / "data" / "beat-schedule")}
    child, log = begin(production, children, service, **places)
    found = wait_until(lambda: sign in log.read_text(errors="replace") or not child.alive(), 60, 0.2)
    assert found and child.alive(), tail(log.read_text())


def test_the_safe_production_starts(production: Production) -> None:
    done = production.start()
    assert done.returncode == 0, done.stderr
    checked = production.run(
        sys.executable, "manage.py", "check", "--deploy", "--database", "default", "--fail-level", "WARNING"
    )
    assert checked.returncode == 0, checked.stderr


UNSAFE = {
    "DEBUG": ({"DEBUG": "1"}, "DEBUG"),
    "sandbox": ({"PAYMENT_PROVIDERS": "sandbox,stripe"}, "sandbox"),
    "weak secret": ({"SECRET_KEY_FILE": "", "SECRET_KEY": "a" * 60}, "too weak"),
    "no secret": ({"SECRET_KEY_FILE": ""}, "SECRET_KEY: missing"),
    "no field key": ({"FIELD_KEY_FILE": ""}, "FIELD_KEY_FILE: missing"),
    "field key not there": ({"FIELD_KEY_FILE": "/nowhere"}, "/nowhere is missing"),
    "plain address": ({"SITE_URL": "http://give.example.org"}, "https://"),
    "any host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
    "test key": ({"STRIPE_API_KEY_FILE": "", "STRIPE_API_KEY": "sk_test_1"}, "test key"),
    "test server": ({"STRIPE_API_BASE": "http://localhost:12111"}, "test server"),
    "both forms": ({"SECRET_KEY": "b" * 60}, "keep one of them"),
    "unreadable secret": ({"SECRET_KEY_FILE": "/nowhere"}, "can't read /nowhere"),
    "not PostgreSQL": ({"DATABASE_URL_FILE": "", "DATABASE_URL": "sqlite:///x"}, "only PostgreSQL"),
    "unknown mode": ({"MODE": "test"}, "choose one of: demonstration, production"),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_production_is_refused(production: Production, name: str) -> None:
    change, words = UNSAFE[name]
    done = production.start(**change)
    assert done.returncode != 0
    assert words in done.stderr


def test_several_faults_are_told_at_once_without_a_traceback(production: Production) -> None:
    done = production.run(
        sys.executable, "manage.py", "check", DEBUG="1", SITE_URL="http://x", ALLOWED_HOSTS=""
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert {"DEBUG:", "SITE_URL:", "ALLOWED_HOSTS:"} <= set(done.stderr.split())


def test_an_open_key_file_is_refused(production: Production) -> None:
    path = production.folder / "open_keys"
    path.write_text((production.folder / "field_keys.json").read_text())
    path.chmod(0o644)
    done = production.start(FIELD_KEY_FILE=str(path))
    assert done.returncode != 0
    assert "is open to other users" in done.stderr


def test_a_role_that_can_change_history_is_refused(production: Production) -> None:
    done = production.start(DATABASE_URL_FILE=production.environment["MIGRATION_DATABASE_URL_FILE"])
    assert done.returncode != 0
    assert "can change history in" in done.stderr


def test_a_demonstration_may_not_touch_this_database(production: Production) -> None:
    url = Path(production.environment["DATABASE_URL_FILE"]).read_text()
    environment = {
        "PATH": os.environ["PATH"], "MODE": "demonstration", "DATABASE_URL": url, "DATA_DIR": str(production.folder),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--database", "default"],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "was made in production mode and refuses demonstration" in done.stderr


def test_the_mark_of_the_mode_cannot_be_changed(production: Production) -> None:
    import psycopg

    url = Path(production.environment["MIGRATION_DATABASE_URL_FILE"]).read_text()
    with psycopg.connect(url, autocommit=True) as line:
        for statement in (
            b"UPDATE core_databasemode SET mode = 'demonstration'",
            b"DELETE FROM core_databasemode",
            b"TRUNCATE core_databasemode",
        ):
            with pytest.raises(psycopg.errors.RaiseException):
                line.execute(statement)
