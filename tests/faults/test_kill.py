"""kill -9 of everything at random while gifts come in: web workers, the Celery worker, a PostgreSQL backend, Valkey and
the postmaster; Valkey is emptied as well. What was acknowledged is there exactly once.

The seed is printed; KILL_SEED=… repeats it.
"""

from __future__ import annotations

import os
import random
import re
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import Error, connections

from apps.core import clock
from apps.core.invariants import ordered
from apps.donations.models import Gift, Receipt
from apps.ledger.models import Entry
from charity_site.stack.placement import place
from charity_site.stack.ports import free_port
from charity_site.stack.processes import wait_until
from charity_site.stack.valkey import Valkey
from tests import world as w
from tests.conftest import CHILDREN, _point
from tests.databases import own_server
from tests.faults.killing import PATIENCE, Donor, Site, environment

GIFTS, DONORS = 500, 6
RECOVERY = 60
"""Seconds to wait at most after the last start."""
KINDS = ("web", "worker", "backend", "broker", "flush", "web", "postmaster", "worker")


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
    found = Site(folder, postgres, server, broker, port, environment(folder, server, "kill", broker, port))
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
            found.stop()


def _mails(site: Site) -> Counter[str]:
    text = "".join(path.read_text(errors="replace") for path in (site.folder / "mail").glob("*.log"))
    return Counter(re.findall(r"^To: (donor\d+@example\.org)$", text, re.M))


def test_what_was_acknowledged_is_there_once(site: Site) -> None:
    seed = int(os.environ.get("KILL_SEED") or secrets.randbelow(10**6))
    print(f"KILL_SEED={seed}")
    dice = random.Random(seed)
    w.build(now=clock.now(), target=1_000_000_000)
    for name in ("web", "worker", "sweeper"):
        site.start(name)
    acknowledged: set[int] = set()
    gave_up: list[BaseException] = []
    waiting = iter(range(GIFTS))
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

    def through(mark: int) -> None:
        def reached() -> bool:
            site.keep()
            return len(acknowledged) >= mark or bool(gave_up)

        wait_until(reached, PATIENCE if mark < GIFTS else 3 * PATIENCE, 0.1)

    threads = [threading.Thread(target=donate) for _ in range(DONORS)]
    for thread in threads:
        thread.start()
    kinds = [*KINDS, *(dice.choice(KINDS) for _ in range(GIFTS // 25))]
    dice.shuffle(kinds)
    for n, kind in enumerate(kinds):
        # Killed when so many gifts are through, so that every kill falls among gifts, however slow the machine is.
        mark = GIFTS * (n + 1) // (len(kinds) + 2)
        through(mark)
        if gave_up:
            break
        site.kill(kind, dice)
    through(GIFTS)
    for thread in threads:
        thread.join()
    assert not gave_up, gave_up
    assert len(acknowledged) == GIFTS and set(site.killed) == set(KINDS)
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
    assert numbers == list(range(1, GIFTS + 1)), "no number is left out"
    assert Entry.objects.filter(kind="gift").count() == GIFTS
    mails = _mails(site)
    assert set(mails) == wanted, "every mail was sent, though the broker forgot everything"
    # A mail leaves before its row is committed: a kill in between sends that one again, never none.
    assert sum(mails.values()) - GIFTS <= site.killed.total()
    for invariant in ordered():
        if invariant.number <= 4:
            found = invariant.check()
            assert not found.broken, (invariant.name, found.broken)
