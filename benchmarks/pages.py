"""An anonymous project page from the cache against a static file, both from the same real server."""

from __future__ import annotations

import http.client
import threading
import time
from typing import Any
from urllib.parse import urlsplit

SECONDS = 4.0
CLIENTS = 4


def _load(url: str, path: str) -> float:
    """Requests a second of keep-alive clients for some seconds; any answer but 200 ends the benchmark."""
    place = urlsplit(url)
    counts = [0] * CLIENTS
    stop = time.perf_counter() + SECONDS

    def client(i: int) -> None:
        line = http.client.HTTPConnection(place.hostname or "", place.port or 80)
        while time.perf_counter() < stop:
            line.request("GET", path)
            answer = line.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
            counts[i] += 1
        line.close()

    threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def run(url: str, page: str, static: str) -> dict[str, Any]:
    """This will measure both addresses of a running site, warmed up first."""
    for path in (page, static):
        _load_once(url, path)
    file = _load(url, static)
    cached = _load(url, page)
    return {"name": "anonymous project page", "cached": cached, "static": file}


def _load_once(url: str, path: str) -> None:
    place = urlsplit(url)
    line = http.client.HTTPConnection(place.hostname or "", place.port or 80)
    for _ in range(5):
        line.request("GET", path)
        line.getresponse().read()
    line.close()


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    ratio = 100 * figures["cached"] / figures["static"]
    return (
        f"{figures['name']}, requests a second, {CLIENTS} clients\n"
        f"static file {figures['static']:.0f}\ncached page {figures['cached']:.0f} ({ratio:.0f}% of the file)\n"
        "aim: >= 50%"
    )
