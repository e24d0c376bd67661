"""Provider facts that fall on a gift's own money first: fees, disputes, refunds nobody here asked for. Never refused
for lack of balance."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.core.actors import Actor
from apps.ledger.models import Earmark, EarmarkBalance, Entry
from apps.ledger.operations import lots
from apps.ledger.operations.entries import Posting, known_entry, write_entry
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.states import AccountRole, EarmarkKind, EntryKind


def post_fee(
    *,
    actor: Actor,
    earmark: int,
    origin: int,
    amount: int,
    key: str,
    effective_at: dt.datetime,
    channel: str | None,
    own_money: bool = True,
) -> Entry:
    """This will book a provider's fee (G7): from the gift's own lot as far as free and available, then from operations,
    then as receivable from the federation; without `own_money` the gift's lot stays whole. `amount` in minor units,
    from the balance transaction."""
    return _fall(
        actor, earmark, origin, amount, key, effective_at, channel, kind=EntryKind.FEE, allocation="fee",
        cost=AccountRole.FUNDRAISING, fallback=EarmarkKind.OPERATIONS, own_money=own_money,
    )  # fmt: skip


def post_dispute(
    *,
    actor: Actor,
    earmark: int,
    origin: int,
    amount: int,
    key: str,
    effective_at: dt.datetime,
    channel: str | None,
) -> Entry:
    """This will book money withdrawn by a dispute (G9): from the gift's own lot as far as free and available, then from
    the chargeback reserve, then as receivable from the federation."""
    return _fall(
        actor, earmark, origin, amount, key, effective_at, channel, kind=EntryKind.DISPUTE, allocation="dispute",
        cost=AccountRole.GIFT_INCOME, fallback=EarmarkKind.RESERVE,
    )  # fmt: skip


def post_foreign_refund(
    *,
    actor: Actor,
    earmark: int,
    origin: int,
    amount: int,
    key: str,
    effective_at: dt.datetime,
    channel: str | None,
) -> Entry:
    """This will book a refund that somebody made in the provider's dashboard, so that nothing was held for it: from the
    gift's own lot as far as free and available, then from the chargeback reserve, then as receivable."""
    return _fall(
        actor, earmark, origin, amount, key, effective_at, channel, kind=EntryKind.REFUND, allocation="refund",
        cost=AccountRole.GIFT_INCOME, fallback=EarmarkKind.RESERVE,
    )  # fmt: skip


@transaction.atomic
def _fall(
    actor: Actor, earmark: int, origin: int, amount: int, key: str, effective_at: dt.datetime, channel: str | None, *,
    kind: str, allocation: str, cost: str, fallback: str, own_money: bool = True,
) -> Entry:  # fmt: skip
    own = Earmark.objects.get(pk=earmark)
    second = (
        Earmark.objects.filter(book=own.book_id, kind=fallback, currency=own.currency)
        .exclude(pk=earmark)
        .order_by("id")
        .first()
    )
    lock_earmarks([earmark, *([second.pk] if second else [])])
    done = known_entry(key)
    if done:
        return done
    first = lots.own_lots(earmark, origin, min(amount, _available(earmark))) if own_money else []
    left = amount - lots.total(first)
    then = lots.first_in(second.pk, min(left, _available(second.pk))) if second and left else []
    left -= lots.total(then)
    postings = [Posting(cost, lots.total(first), earmark=earmark)]
    if second:
        postings.append(Posting(cost, lots.total(then), earmark=second.pk))
    postings += [
        Posting(AccountRole.RECEIVABLE, left),
        Posting(AccountRole.CLEARING, -amount, channel=channel),
    ]
    entry = write_entry(
        kind=kind, key=key, book=own.book_id, currency=own.currency, postings=postings, effective_at=effective_at,
        actor=actor,
    )  # fmt: skip
    for mark, parts in ((earmark, first), (second.pk if second else 0, then)):
        if parts:
            lots.allocate(entry, allocation, parts)
            taken = lots.total(parts)
            lots.change_balance(mark, **{lots.COLUMN_OF[allocation]: taken, "available": -taken})
    return entry


def _available(earmark: int) -> int:
    return EarmarkBalance.objects.values_list("available", flat=True).get(earmark=earmark)
