"""Counters and who is counted: atomic on a real server, an address behind proxies, a network of IPv6, a device."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from apps.core.limits import count_use, hidden, uncount, used
from apps.core.visitors import network, remember_device, visitor_of
from tests.conftest import Broker


@pytest.fixture
def shared_cache(settings: Any, valkey: Broker) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "charity_site.cache.PatientCache", "LOCATION": f"{valkey.url}/1"}
    }


def test_every_use_gets_a_number_of_its_own(shared_cache: None) -> None:
    numbers: list[int] = []

    def use() -> None:
        for _ in range(50):
            numbers.append(count_use("x", "somebody", seconds=60))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(numbers) == list(range(1, 401))
    assert used("x", "somebody else") == 0


def test_what_was_counted_can_be_taken_back(shared_cache: None) -> None:
    assert count_use("x", "a", seconds=60, by=500) == 500
    uncount("x", "a", by=700)
    assert used("x", "a") == -200
    uncount("x", "never counted")
    assert used("x", "never counted") == 0


def test_a_cache_that_is_away_stops_nobody(settings: Any, valkey: Broker) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "charity_site.cache.PatientCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert max(count_use("x", "a", seconds=60) for _ in range(20)) <= 1
    uncount("x", "a")
    assert "203.0.113.7" not in hidden("203.0.113.7")


@pytest.mark.parametrize(
    ("hops", "forwarded", "seen"),
    [
        (0, "198.51.100.9", "203.0.113.7"),  # nobody vouches: what the client wrote is not believed
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "1.2.3.4, 198.51.100.9", "198.51.100.9"),  # the client put one in front
        (2, "1.2.3.4, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        (1, "nonsense", "203.0.113.7"),
    ],
)
def test_the_address_is_the_one_our_own_proxies_vouch_for(
    settings: Any, hops: int, forwarded: str, seen: str
) -> None:
    settings.PROXY_HOPS = hops
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR=forwarded)
    assert visitor_of(request).address == seen


def test_an_ipv6_network_is_one_visitor() -> None:
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2:ffff::1") != network("2001:db8:1:3::1")
    assert network("::ffff:203.0.113.7") == "203.0.113.7"


def test_a_device_is_known_by_its_signed_cookie_only() -> None:
    bare = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
    response = HttpResponse()
    remember_device(bare, response)
    cookie = response.cookies["device"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    known = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
    known.COOKIES["device"] = cookie.value
    again = HttpResponse()
    remember_device(known, again)
    assert "device" not in again.cookies
    forged = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
    forged.COOKIES["device"] = "x" + cookie.value
    assert visitor_of(forged).device == visitor_of(bare).device == "none@203.0.113.7"
    assert visitor_of(known).device == cookie.value.split(":")[0]
