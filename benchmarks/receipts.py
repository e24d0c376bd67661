"""Receipts as PDF, a minute and core: one process, one thread, as the bundle's worker makes them."""

from __future__ import annotations

import time
from typing import Any

COUNT = 200
AIM = 1_000


def run() -> dict[str, Any]:
    """This will make the PDFs of 200 receipts, each another number and payer, after one that warms the fonts."""
    import datetime as dt

    from apps.donations.documents import receipt_pdf
    from apps.donations.models import Receipt
    from benchmarks.gifts import _project
    from charity_site.start import settle_memory

    _project()
    now = dt.datetime.now(dt.UTC)
    rows = [
        Receipt(code="44990126", number=f"{n:010d}", check_code=f"{n:06x}", payer=f"石桥第{n}织布厂", item="大病救助",
                amount=10_000 + n, currency="CNY", issued_at=now)
        for n in range(1, COUNT + 2)
    ]  # fmt: skip
    settle_memory()  # as a worker does when it starts
    receipt_pdf(rows[0])
    started, processor = time.perf_counter(), time.process_time()
    sizes = [len(receipt_pdf(row)) for row in rows[1:]]
    return {"seconds": time.perf_counter() - started, "processor": time.process_time() - processor,
            "bytes": sum(sizes) / len(sizes)}  # fmt: skip


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    return (
        f"receipts as PDF, one core\n{COUNT / figures['processor'] * 60:,.0f} a minute of processor time (aim >= "
        f"{AIM:,}), {COUNT / figures['seconds'] * 60:,.0f} a minute by the clock\n{figures['bytes'] / 1024:.1f} KB each"
    )
