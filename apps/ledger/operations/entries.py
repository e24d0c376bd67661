"""Writing an entry with its lines; every posting except the set-based credits goes through here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from apps.core.actors import Actor
from apps.ledger.models import Account, Channel, Entry, Line

RULE = 2
"""The version of the allocation rule in force (AllocationRule)."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line to be: debit positive, credit negative, minor units."""

    role: str
    amount: int
    earmark: int | None = None
    budget_line: int | None = None
    channel: str | None = None


def known_entry(key: str) -> Entry | None:
    """This will find the entry that an idempotency key already made."""
    return Entry.objects.filter(idempotency_key=key).first()


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """An entry to be."""

    key: str
    postings: Sequence[Posting]
    effective_at: dt.datetime
    reverses: Entry | None = None


def write_entry(
    *, kind: str, key: str, book: int, currency: str, postings: Sequence[Posting], effective_at: dt.datetime,
    actor: Actor, reverses: Entry | None = None,
) -> Entry:  # fmt: skip
    """This will insert an entry and its lines (zero amounts are left out).

    Raises IntegrityError when the key is known: callers look it up under their lock first.
    """
    draft = EntryDraft(key, postings, effective_at, reverses)
    return write_entries(kind=kind, book=book, currency=currency, drafts=[draft], actor=actor)[0]


def write_entries(
    *, kind: str, book: int, currency: str, drafts: Sequence[EntryDraft], actor: Actor
) -> list[Entry]:
    """This will insert entries of a kind and their lines, in the same few statements for any number of them.

    Raises IntegrityError when a key is known.
    """
    lines = [[posting for posting in draft.postings if posting.amount] for draft in drafts]
    kept = [posting for mine in lines for posting in mine]
    roles = {posting.role for posting in kept}
    accounts = {
        account.role: account
        for account in Account.objects.filter(book=book, currency=currency, role__in=roles)
    }
    codes = {posting.channel for posting in kept if posting.channel}
    channels = dict(Channel.objects.filter(code__in=codes).values_list("code", "id")) if codes else {}
    entries = Entry.objects.bulk_create(
        Entry(
            kind=kind, idempotency_key=draft.key, currency=currency, line_count=len(mine), reverses=draft.reverses,
            effective_at=draft.effective_at, actor_person=actor.person_id, actor_label=actor.label[:80],
        )
        for draft, mine in zip(drafts, lines, strict=True)
    )  # fmt: skip
    Line.objects.bulk_create(
        Line(
            entry=entry, n=n, account=accounts[posting.role], bears_earmark=accounts[posting.role].bears_earmark,
            earmark_id=posting.earmark, budget_line=posting.budget_line,
            channel_id=channels[posting.channel] if posting.channel else None, currency=currency, amount=posting.amount,
        )
        for entry, mine in zip(entries, lines, strict=True)
        for n, posting in enumerate(mine, start=1)
    )  # fmt: skip
    return entries


def claim_entry(**fields: object) -> Entry | None:
    """This will write an entry unless its key is known (then None), also when two writers race for a key."""
    key = str(fields["key"])
    if known_entry(key):
        return None
    try:
        with transaction.atomic():
            return write_entry(**fields)  # type: ignore[arg-type]
    except IntegrityError:
        if known_entry(key):
            return None
        raise
