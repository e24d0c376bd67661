from __future__ import annotations

import datetime as dt

from celery import shared_task

from apps.core import clock
from apps.core.actors import system
from apps.payments import operations
from apps.payments.operations import reconciling
from apps.payments.providers import sandbox, sandbox_monthly
from apps.payments.registry import providers


@shared_task(name="apps.payments.tasks.process_inbox")  # type: ignore[misc]
def process_inbox() -> int:
    """This will work off the webhook inbox in batches until it is empty."""
    done = 0
    while step := operations.process_inbox(now=clock.now()):
        done += step
    return done


@shared_task(name="apps.payments.tasks.poll_payments")  # type: ignore[misc]
def poll_payments() -> int:
    return operations.poll_payments(now=clock.now())


@shared_task(name="apps.payments.tasks.poll_events")  # type: ignore[misc]
def poll_events() -> int:
    return operations.poll_events(now=clock.now())


@shared_task(name="apps.payments.tasks.send_refunds")  # type: ignore[misc]
def send_refunds() -> int:
    """This will send refunds that wait and ask after those on their way."""
    return operations.send_refunds(now=clock.now())


@shared_task(name="apps.payments.tasks.poll_disputes")  # type: ignore[misc]
def poll_disputes() -> int:
    return operations.poll_disputes(now=clock.now())


@shared_task(name="apps.payments.tasks.read_balances")  # type: ignore[misc]
def read_balances() -> int:
    """This will read the providers' balances and payouts, and match what came."""
    return reconciling.read_balances(actor=system("payments.balances"), now=clock.now())


def _collect_in_sandbox(now: dt.datetime) -> None:
    """The test cashier has no clock of its own: where it is configured, its months are collected here."""
    if not any(each.name == sandbox.SandboxProvider.name for each in providers()):
        return
    for order in sandbox_monthly.advance(now):
        headers, body = sandbox.make_event(order, "subscription.charged", now)
        operations.receive_event(
            provider_name=sandbox.SandboxProvider.name, headers=headers, body=body, now=now
        )


@shared_task(name="apps.payments.tasks.follow_subscriptions")  # type: ignore[misc]
def follow_subscriptions() -> int:
    """This will send changes of standing orders that wait, and ask after those nobody has spoken of."""
    now = clock.now()
    _collect_in_sandbox(now)
    return operations.send_orders(now=now) + operations.poll_subscriptions(now=now)
