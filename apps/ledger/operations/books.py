from __future__ import annotations

from apps.ledger.models import Account, Book, Earmark, EarmarkBalance
from apps.ledger.states import EARMARKED_NATURES, NATURE_OF


def open_book(*, code: str, name: str, currency: str = "CNY", owner: int | None = None) -> Book:
    """This will open a book with all accounts of a currency, or add a currency to it; safe to repeat.

    `owner` is the organization whose book it is, opaque here.
    """
    book, _ = Book.objects.get_or_create(code=code, defaults={"name": name, "owner": owner})
    Account.objects.bulk_create(
        [
            Account(
                book=book,
                role=role,
                nature=nature,
                currency=currency,
                bears_earmark=nature in EARMARKED_NATURES,
            )
            for role, nature in NATURE_OF.items()
        ],
        ignore_conflicts=True,
    )
    return book


def open_earmark(*, book: Book, kind: str, owner: int, currency: str = "CNY") -> Earmark:
    """This will open the earmark of an owner in a currency with an empty balance; safe to repeat."""
    open_book(code=book.code, name=book.name, currency=currency)
    earmark, _ = Earmark.objects.get_or_create(
        kind=kind, owner=owner, currency=currency, defaults={"book": book}
    )
    EarmarkBalance.objects.get_or_create(earmark=earmark)
    return earmark
