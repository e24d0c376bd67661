"""Eight donors at once through the whole way by HTTP: give page, form, cashier, webhook, settled with its receipt.

The site is the one `make run` starts: two web workers, one Celery worker, Valkey and PostgreSQL as processes. Its
database writes to disk as tests' do (fsync off). Every donor has an address and cookies of their own.
"""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path
from typing import Any

CLIENTS = 8
GIFTS = 25
"""Per client."""


def run(children: Any, server: Any, run_dir: Path) -> dict[str, Any]:
    """This will measure gifts a second until the donors have their answer, and until all are settled."""
    from apps.core import clock
    from apps.donations.models import Receipt
    from charity_site.stack.placement import place
    from charity_site.stack.ports import free_port
    from charity_site.stack.postgres import Postgres
    from charity_site.stack.processes import wait_until
    from charity_site.stack.valkey import Valkey
    from tests import world as w
    from tests.faults.killing import Donor, Site, environment

    w.build(now=clock.now(), target=10**12)
    folder = run_dir / "giving"
    (folder / "broker").mkdir(parents=True)
    for each in (folder, folder / "broker"):
        each.chmod(0o755)
    (folder / "logs").mkdir()
    (folder / "keys").mkdir()
    (folder / "keys" / "broker").write_text(secrets.token_hex(16))
    broker = Valkey(place(folder / "broker"), folder / "keys", free_port(), folder / "logs" / "broker.log",
                    durable=False)  # fmt: skip
    port = free_port()
    database = Postgres(place(folder), run_dir / "keys", server.port, folder / "logs" / "database.log")
    site = Site(folder, database, server, broker, port,
                environment(folder, server, "bench_giving", broker, port))  # fmt: skip
    site.children["broker"] = broker.start(children)
    for name in ("web", "worker", "sweeper"):
        site.start(name)
    Donor(site, 0).give()  # warmed up: every process has answered once
    wait_until(lambda: Receipt.objects.count() == 1, 60)
    started = time.perf_counter()

    def client(number: int) -> None:
        for n in range(GIFTS):
            Donor(site, 1 + number * GIFTS + n).give()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answered = time.perf_counter() - started
    total = CLIENTS * GIFTS
    if not wait_until(lambda: Receipt.objects.count() == total + 1, 120, 0.1):
        raise RuntimeError(f"{Receipt.objects.count() - 1} of {total} gifts were settled")
    settled = time.perf_counter() - started
    site.stop()
    return {"answered": total / answered, "settled": total / settled, "total": total}


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    return (
        f"giving by HTTP, {CLIENTS} donors at once, {figures['total']} gifts (page, form, cashier, webhook)\n"
        f"answered {figures['answered']:.1f} gifts/s\nsettled with receipt {figures['settled']:.1f} gifts/s"
    )
