"""A broker or cache that is away, or there and silent, costs a request next to nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from celery import shared_task

from charity_site.cache import PatientCache
from charity_site.celery import CONFIGURATION, PatientCelery
from charity_site.stack.ports import free_port

LONGEST = 2.0
"""Seconds that the first request may lose; those after it lose nothing for a while."""


@pytest.fixture(autouse=True)
def broker_by_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery itself reads this variable before any argument."""
    monkeypatch.delenv("CELERY_BROKER_URL")


@pytest.fixture(params=["refused", "silent"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "refused":
        yield f"redis://127.0.0.1:{free_port()}/0"
        return
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield f"redis://127.0.0.1:{silent.getsockname()[1]}/0"


def test_sending_a_task(address: str) -> None:
    app = PatientCelery("test", broker=address, set_as_current=False)
    app.conf.update(CONFIGURATION)
    began = time.monotonic()
    assert app.send_task("anything") is None
    first = time.monotonic() - began
    began = time.monotonic()
    for _ in range(100):
        assert app.send_task("anything") is None
    assert time.monotonic() - began < 0.5
    assert first < LONGEST


def test_a_broker_that_answers_gets_the_task(valkey) -> None:
    import redis

    app = PatientCelery("test", broker=f"{valkey.url}/0", set_as_current=False)
    app.conf.update(CONFIGURATION)
    assert app.send_task("anything") is not None
    assert redis.Redis.from_url(f"{valkey.url}/0").llen("celery:celery") == 1


def test_the_cache(address: str) -> None:
    cache = PatientCache(address, {})
    began = time.monotonic()
    assert cache.get("key", "missed") == "missed"
    assert time.monotonic() - began < LONGEST
    began = time.monotonic()
    for _ in range(100):
        cache.set("key", 1)
        assert cache.get("key") is None
    assert cache.get_many(["key"]) == {}
    assert time.monotonic() - began < 0.5


def test_a_cache_that_answers(valkey) -> None:
    cache = PatientCache(f"{valkey.url}/1", {})
    cache.set("key", "值")
    assert cache.get("key") == "值"
    assert cache.incr("number", 1) if cache.add("number", 1) else False


def test_shared_tasks_are_sent_through_the_patient_app() -> None:
    @shared_task(name="tests.probe")
    def probe() -> None:
        return None

    assert isinstance(probe.app, PatientCelery)
