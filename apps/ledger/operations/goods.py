"""Goods at their value: what was given in kind, used, given back, lost or sold. Earmarks of kind `goods` hold it: they
are never spendable and stand outside lots and balances (money.md), so a posting only inserts and takes no lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.actors import Actor
from apps.ledger.models import Book, Earmark, Entry
from apps.ledger.operations.books import open_book
from apps.ledger.operations.entries import EntryDraft, Posting, write_entries
from apps.ledger.states import AccountRole, EarmarkKind, EntryKind


@dataclass(frozen=True, slots=True)
class GoodsPosting:
    """Value (fen, positive) that enters inventory (`incoming`) against an income or expense role, or leaves it."""

    key: str
    value: int
    against: str
    incoming: bool
    effective_at: dt.datetime


def open_goods_earmark(*, book: Book, organization: int, currency: str = "CNY") -> Earmark:
    """This will open the goods earmark of an organization in a book; safe to repeat.

    It gets no balance, because nothing is ever spent from it.
    """
    open_book(code=book.code, name=book.name, currency=currency)
    earmark, _ = Earmark.objects.get_or_create(
        kind=EarmarkKind.GOODS, owner=organization, currency=currency, defaults={"book": book}
    )
    return earmark


def post_goods(*, actor: Actor, earmark: Earmark, postings: Sequence[GoodsPosting]) -> list[Entry]:
    """This will post goods at their value, an entry each: inventory against the named role, on the goods earmark.

    Raises IntegrityError when a key is known.
    """
    drafts = [
        EntryDraft(one.key, effective_at=one.effective_at, postings=[
            Posting(AccountRole.INVENTORY, one.value if one.incoming else -one.value),
            Posting(one.against, -one.value if one.incoming else one.value, earmark=earmark.pk, channel="goods"),
        ])
        for one in postings
    ]  # fmt: skip
    return write_entries(
        kind=EntryKind.GOODS, book=earmark.book_id, currency=earmark.currency, drafts=drafts, actor=actor
    )
