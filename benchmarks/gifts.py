"""A settled gift end to end (signed event -> inbox -> fetched -> ledger -> outbox), against the same statements bare.

Both run in one process per client on one database. "bare" is the ORM writing the same rows without rules, checks,
signatures or locks. "one by one" works every event off alone; "in batches" lets events gather and works off a hundred.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import secrets
import time
from typing import Any

GIFTS = 400
"""Per client."""


def _prepare(clients: int, per_client: int) -> list[list[tuple[dict[str, str], bytes]]]:
    """Opens gifts with paid sandbox sessions, and signs their events; none of it is timed."""
    from apps.core.models import OutboxDelivery
    from apps.donations.models import Gift
    from apps.donations.states import GiftStatus
    from apps.payments.models import Payment, SandboxSession
    from apps.payments.providers.sandbox import make_event
    from tests import world as w

    now = dt.datetime.now(dt.UTC)
    project, fund = _project()
    OutboxDelivery.objects.filter(done_at=None).update(
        done_at=now
    )  # what building the city left for other rooms
    total = clients * per_client
    payments = Payment.objects.bulk_create(
        Payment(purpose="", provider="sandbox", method="card", amount=10_000, currency="CNY", status="open",
                session_ref=f"sbx_{secrets.token_hex(12)}", created_at=now, expires_at=now + dt.timedelta(hours=1))
        for _ in range(total)
    )  # fmt: skip
    gifts = Gift.objects.bulk_create(
        Gift(fund=fund, project=project, amount=10_000, currency="CNY", channel="card", opened_at=now, payment=payment,
             status=GiftStatus.OPENED)
        for payment in payments
    )  # fmt: skip
    for payment, gift in zip(payments, gifts, strict=True):
        payment.purpose = f"gift:{gift.pk}"
    Payment.objects.bulk_update(payments, ["purpose"], batch_size=500)
    sessions = SandboxSession.objects.bulk_create(
        SandboxSession(ref=payment.session_ref, reference=str(payment.uuid), amount=10_000,
            currency="CNY", method="card",
                       description="x", return_url="/", status="paid", paid_at=now, expires_at=payment.expires_at)
        for payment in payments
    )  # fmt: skip
    signed = [make_event(session, "session.paid", now) for session in sessions]
    assert w.SETUP
    return [signed[i * per_client : (i + 1) * per_client] for i in range(clients)]


def _project() -> tuple[Any, Any]:
    from apps.funds.models import Project
    from tests import world as w

    project = Project.objects.select_related("fund").first()
    if project is None:
        project = w.build(now=dt.datetime.now(w.SHANGHAI), target=10**12).project
    return project, project.fund


def _only_settling() -> None:
    """Leaves the one handler that posts gifts; receipts, mails and fees are other rooms' work."""
    from apps.core import events
    from apps.donations.handlers import settle_gifts
    from apps.payments.events import PaymentSettled

    events._HANDLERS.clear()
    events.register(PaymentSettled, settle_gifts)
    events.on_publish(lambda ids: None)


def _one_by_one(signed: list[tuple[dict[str, str], bytes]]) -> None:
    _work(signed, 1)


def _in_batches(signed: list[tuple[dict[str, str], bytes]]) -> None:
    _work(signed, 100)


def _work(signed: list[tuple[dict[str, str], bytes]], batch: int) -> None:
    """Receives events and works off `batch` of them at a time, until nothing waits."""
    from apps.core.events import deliver_due
    from apps.payments.operations import process_inbox, receive_event

    _only_settling()
    for start in range(0, len(signed), batch):
        for headers, body in signed[start : start + batch]:
            receive_event(provider_name="sandbox", headers=headers, body=body, now=dt.datetime.now(dt.UTC))
        process_inbox(now=dt.datetime.now(dt.UTC), limit=batch)
        deliver_due(now=dt.datetime.now(dt.UTC), limit=batch)
    while True:
        now = dt.datetime.now(dt.UTC)
        if not process_inbox(now=now, limit=batch) + deliver_due(now=now, limit=batch):
            return


def _bare(signed: list[tuple[dict[str, str], bytes]]) -> None:
    """The rows of one settled gift, written by the ORM in one transaction, nothing checked."""
    from django.db import transaction

    from apps.core.models import OutboxDelivery, OutboxEvent
    from apps.donations.models import Gift, GiftStatusChange
    from apps.ledger.models import Account, Delta, Earmark, Entry, Line
    from apps.payments.models import Payment, PaymentStatusChange, ProviderEvent, ProviderFact, SandboxSession

    mark = Earmark.objects.filter(kind="project").order_by("id")[0]
    clearing, income = (Account.objects.get(role=r, currency="CNY") for r in ("clearing", "gift_income"))
    for _headers, body in signed:
        now, key = dt.datetime.now(dt.UTC), secrets.token_hex(12)
        with transaction.atomic():
            event = ProviderEvent.objects.create(
                provider="bare", event_ref=key, kind="paid", body=body, occurred_at=now
            )
        ref = body.decode().split('"session": "')[1].split('"')[0]
        session = SandboxSession.objects.get(ref=ref)
        with transaction.atomic():
            payment = Payment.objects.get(session_ref=ref)
            payment.status, payment.paid_at = "paid", now
            payment.save(update_fields=["status", "paid_at"])
            PaymentStatusChange.objects.create(record=payment, to_status="paid", at=now, actor_label="bare")
            fact = ProviderFact.objects.create(payment=payment, provider="bare", kind="settled", fact_ref=key,
                                               amount=session.amount, currency="CNY", occurred_at=now)  # fmt: skip
            told = OutboxEvent.objects.create(name="bare.fact", payload={"fact_id": fact.pk})
            delivery = OutboxDelivery.objects.create(event=told, handler="bare")
            event.processed_at = now
            event.save(update_fields=["processed_at"])
        with transaction.atomic():
            gift = Gift.objects.get(payment=payment)
            gift.status, gift.received_at, gift.earmark = "received", now, mark
            gift.save(update_fields=["status", "received_at", "earmark"])
            GiftStatusChange.objects.create(record=gift, to_status="received", at=now, actor_label="bare")
            entry = Entry.objects.create(kind="gift", idempotency_key=key, currency="CNY", line_count=2,
                effective_at=now,
                                         actor_label="bare")  # fmt: skip
            Line.objects.create(
                entry=entry, n=1, account=clearing, bears_earmark=False, currency="CNY", amount=10_000
            )
            line = Line.objects.create(entry=entry, n=2, account=income, bears_earmark=True,
                earmark=mark, currency="CNY",
                                       amount=-10_000)  # fmt: skip
            Delta.objects.create(
                line=line, earmark=mark, kind="raised", amount=10_000, settled_at=now, origin=gift.pk
            )
            OutboxEvent.objects.create(name="bare.gift", payload={"gift_id": gift.pk})
            delivery.done_at = now
            delivery.save(update_fields=["done_at"])


WAYS = {"bare": _bare, "one by one": _one_by_one, "in batches": _in_batches}


def _client(way: str, signed: list[tuple[dict[str, str], bytes]], ready: Any, go: Any) -> None:
    from django.db import connection

    connection.close()
    connection.ensure_connection()
    ready.release()
    go.wait()
    WAYS[way](signed)


def _rate(way: str, clients: int, per_client: int) -> float:
    from django.db import connection

    shares = _prepare(clients, per_client)
    connection.close()
    context = multiprocessing.get_context("fork")
    ready, go = context.Semaphore(0), context.Event()
    workers = [context.Process(target=_client, args=(way, share, ready, go)) for share in shares]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    start = time.perf_counter()
    go.set()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - start
    _all_received(clients * per_client)
    return clients * per_client / seconds


def _all_received(expected: int) -> None:
    """A rate counts only when every gift of the round arrived."""
    from apps.donations.models import Gift

    received = Gift.objects.order_by("-pk")[:expected].values_list("status", flat=True)
    left = [status for status in received if status != "received"]
    assert not left, f"{len(left)} gifts were not settled"


def run(per_client: int = GIFTS) -> dict[str, Any]:
    """This will measure gifts a second: bare, one by one and in batches, at 1 and 8 clients."""
    rates = {f"{way}, {clients} clients": _rate(way, clients, per_client if clients == 1 else per_client // 2)
             for clients in (1, 8) for way in WAYS}  # fmt: skip
    return {"name": "a settled gift end to end, gifts a second", "rates": rates}


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table with their ratios to the bare loop."""
    rates = figures["rates"]
    rows = [figures["name"], f"{'':24}{'per second':>12}{'of bare':>10}"]
    for name, rate in rates.items():
        bare = rates["bare, " + name.split(", ")[1]]
        rows.append(f"{name:24}{rate:>12.0f}{100 * rate / bare:>9.0f}%")
    return "\n".join([*rows, "aim: one by one >= 50% of bare, in batches >= 100%"])
