"""What the dying process does: one gift, or one payment, each step only where it hasn't been done yet."""

from __future__ import annotations

import datetime as dt

from apps.accounts.models import Person
from apps.core.actors import PUBLIC, Actor, Grant
from apps.core.events import deliver_due
from apps.core.money import Money
from apps.disbursements import operations as disbursements
from apps.disbursements.models import Batch, Disbursement
from apps.donations import operations as donations
from apps.donations.models import Gift, Refund
from apps.donations.operations import GiftRequest
from apps.funds.models import Project
from apps.organizations.models import Organization
from apps.payments.models import PaymentRefund, SandboxSession
from apps.payments.operations import process_inbox, receive_event, send_refunds
from apps.payments.providers.sandbox import make_event, play, settle
from tests import world as w


def give() -> None:
    project = Project.objects.select_related("fund").get()
    gift = donations.open_gift(
        actor=PUBLIC, request=GiftRequest(Money(20_000), "card", "one-form"), fund=project.fund, project=project,
        now=w.NOW,
    )  # fmt: skip
    if gift.status == "opened":
        donations.start_gift_checkout(actor=PUBLIC, gift=gift, return_url="/x", cancel_url="/", now=w.NOW)
        session = SandboxSession.objects.get()
        settle(session, w.NOW)
        headers, body = make_event(session, "session.paid", w.NOW)
        receive_event(provider_name="sandbox", headers=headers, body=body, now=w.NOW)
    process_inbox(now=w._far())
    deliver_due(now=w._far())


def pay_out() -> None:
    item = Disbursement.objects.get()
    assert item.town is not None
    organization = Organization.objects.get()
    if item.status == "applied":
        reviewer = _actor("reviewer", "town_reviewer", "town", item.town.pk)
        disbursements.verify_disbursement(actor=reviewer, disbursement=item, answers=w.ANSWERS, now=w.NOW)
    item.refresh_from_db()
    if item.status == "verified":
        manager = _actor("manager", "manager", "organization", organization.pk)
        disbursements.approve_disbursement(actor=manager, disbursement=item, answers=w.ANSWERS, now=w.NOW)
    item.refresh_from_db()
    cashier = _actor("cashier", "cashier", "organization", organization.pk)
    if item.status == "approved":
        disbursements.release_batch(
            actor=cashier, organization=organization, disbursement_ids=[item.pk], now=w.NOW
        )
    batch = Batch.objects.get()
    outcomes = [disbursements.LineOutcome(line.n, line.amount, True) for line in batch.lines.all()]
    disbursements.record_results(actor=cashier, batch=batch, outcomes=outcomes, effective_at=w.NOW, now=w.NOW)


def give_back() -> None:
    """A refund's way, each step only where it hasn't been done yet: asked, approved, sent, made, posted."""
    gift = Gift.objects.get()
    refund = Refund.objects.first() or donations.ask_refund(
        actor=PUBLIC, gift=gift, money=Money(5_000), reason="", now=w.NOW
    )
    if refund.status == "requested":
        manager = _actor("manager", "manager", "organization", Organization.objects.get().pk)
        donations.approve_refund(actor=manager, refund=refund, now=w.NOW)
    tries = PaymentRefund.objects.values_list("tries", flat=True).first() or 0
    send_refunds(now=w.NOW + dt.timedelta(hours=tries))
    session = SandboxSession.objects.get()
    play(session, "refund_succeed", w.NOW)
    headers, body = make_event(session, "refund.updated", w.NOW)
    receive_event(provider_name="sandbox", headers=headers, body=body, now=w.NOW)
    process_inbox(now=w._far())
    deliver_due(now=w._far())


def lose_dispute() -> None:
    """The provider takes a disputed payment back, and the inbox and outbox are worked off."""
    session = SandboxSession.objects.get()
    for action in ("dispute_open", "dispute_lose"):
        play(session, action, w.NOW)
    headers, body = make_event(session, "dispute.closed", w.NOW)
    receive_event(provider_name="sandbox", headers=headers, body=body, now=w.NOW)
    process_inbox(now=w._far())
    deliver_due(now=w._far())


def _actor(label: str, role: str, kind: str, scope: int) -> Actor:
    person = Person.objects.filter(display_name__startswith=label).order_by("id")[0]
    return Actor("person", label, person.pk, None, True, frozenset({Grant(role, kind, scope)}))
