"""The chargeback reserve (G9): fed from the federation's own unrestricted money, by two people."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict
from apps.core.money import Money
from apps.core.policies import authorize
from apps.donations import policies
from apps.donations.models import ReserveFeed
from apps.donations.operations.deciding import RefundFourEyes
from apps.donations.queries import reserve_earmarks
from apps.ledger.operations import transfer
from apps.organizations.queries import federation


class FeedDone(Conflict):
    code = "reserve_feed_done"
    message = _("这笔划入已经批准过。")


@transaction.atomic
def ask_reserve_feed(*, actor: Actor, money: Money, reason: str, now: dt.datetime) -> ReserveFeed:
    """This will ask to set own unrestricted money aside for chargebacks; nothing moves yet. Raises BadInput."""
    authorize(policies.can_ask_reserve_feed, actor, federation().pk)
    if money.minor <= 0:
        raise BadInput(_("请填写大于零的金额。"), field="amount")
    if not reason.strip():
        raise BadInput(_("请写明理由。"), field="reason")
    assert actor.person_id is not None
    return ReserveFeed.objects.create(
        number=f"F-{civil_day(now):%y%m}-{secrets.token_hex(3)}", amount=money.minor, currency=money.currency,
        reason=reason.strip()[:200], asked_by_id=actor.person_id, asked_at=now,
    )  # fmt: skip


@transaction.atomic
def approve_reserve_feed(*, actor: Actor, feed: ReserveFeed, now: dt.datetime) -> ReserveFeed:
    """This will approve and book a feed of the reserve by a second person: a transfer from the federation's operations.

    Raises RefundFourEyes, FeedDone, NotEnoughMoney.
    """
    locked = ReserveFeed.objects.select_for_update().get(pk=feed.pk)
    authorize(policies.can_approve_reserve_feed, actor, federation().pk)
    if locked.approved_at:
        raise FeedDone()
    if actor.person_id == locked.asked_by_id:
        raise RefundFourEyes()
    operations, reserve = reserve_earmarks(locked.currency)
    transfer(actor=actor, source=operations, target=reserve, amount=locked.amount, key=f"reserve_feed:{locked.pk}",
             effective_at=now)  # fmt: skip
    locked.approved_by_id, locked.approved_at = actor.person_id, now
    locked.save(update_fields=["approved_by", "approved_at"])
    return locked
