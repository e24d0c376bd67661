"""Writes of payments: opening, the webhook inbox, applying what the provider proved, refunds, closing gaps."""

from apps.payments.operations.applying import apply_snapshots
from apps.payments.operations.disputing import apply_disputes, poll_disputes
from apps.payments.operations.inbox import process_inbox, receive_event
from apps.payments.operations.opening import open_payment, start_checkout
from apps.payments.operations.polling import poll_events, poll_payments
from apps.payments.operations.refunding import apply_refunds, open_refund, send_refunds
from apps.payments.operations.subscribing import (
    apply_subscriptions,
    ask_order,
    open_subscription,
    poll_subscriptions,
    send_orders,
    start_subscription,
)

__all__ = [
    "apply_disputes",
    "apply_refunds",
    "apply_snapshots",
    "apply_subscriptions",
    "ask_order",
    "open_payment",
    "open_refund",
    "open_subscription",
    "poll_disputes",
    "poll_events",
    "poll_payments",
    "poll_subscriptions",
    "process_inbox",
    "receive_event",
    "send_orders",
    "send_refunds",
    "start_checkout",
    "start_subscription",
]
