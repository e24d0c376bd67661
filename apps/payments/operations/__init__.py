"""Writes of payments: opening, the webhook inbox, applying what the provider proved, closing gaps."""

from apps.payments.operations.applying import apply_snapshots
from apps.payments.operations.inbox import process_inbox, receive_event
from apps.payments.operations.opening import open_payment, start_checkout
from apps.payments.operations.polling import poll_events, poll_payments

__all__ = [
    "apply_snapshots",
    "open_payment",
    "poll_events",
    "poll_payments",
    "process_inbox",
    "receive_event",
    "start_checkout",
]
