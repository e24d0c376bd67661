from __future__ import annotations

import datetime as dt

from apps.core.actors import Actor
from apps.ledger.models import Entry
from apps.ledger.operations.entries import Posting, claim_entry
from apps.ledger.states import AccountRole, EntryKind


def post_payout(
    *,
    actor: Actor,
    book: int,
    amount: int,
    currency: str,
    key: str,
    effective_at: dt.datetime,
    channel: str | None,
) -> Entry | None:
    """This will book a provider's payout to the bank: Dr bank / Cr provider clearing. None when its key was known."""
    return claim_entry(
        kind=EntryKind.PAYOUT, key=key, book=book, currency=currency, effective_at=effective_at, actor=actor,
        postings=[Posting(AccountRole.BANK, amount, channel="bank"),
                  Posting(AccountRole.CLEARING, -amount, channel=channel)],
    )  # fmt: skip
