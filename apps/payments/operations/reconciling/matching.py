"""Matching, set-based: by identity first, then by day and amount, then by amount and a near day. One to one, for
ever."""

from __future__ import annotations

from django.db import connection, transaction

from apps.core.actors import Actor
from apps.ledger.models import Book

NEAR_DAYS = 5

_OURS = """
ours AS (
  SELECT l.id, l.amount, l.currency, (e.effective_at AT TIME ZONE 'Asia/Shanghai')::date AS day, e.idempotency_key
  FROM ledger_line l JOIN ledger_account a ON a.id = l.account_id JOIN ledger_entry e ON e.id = l.entry_id
  WHERE a.book_id = %(book)s AND a.role = 'bank'
    AND NOT EXISTS (SELECT 1 FROM payments_match m WHERE m.line_id = l.id)
), theirs AS (
  SELECT b.id, b.amount, o.currency, b.day, b.key
  FROM payments_bankline b JOIN payments_bankaccount o ON o.id = b.account_id
  WHERE o.book_id = %(book)s AND NOT EXISTS (SELECT 1 FROM payments_match m WHERE m.bank_line_id = b.id)
)
"""

_INSERT = """
INSERT INTO payments_match (bank_line_id, line_id, theirs, ours, how, made_by)
SELECT t, o, theirs, ours, %(how)s, %(person)s FROM pairs
"""

_BY_KEY = f"""
WITH {_OURS}, pairs AS (
  SELECT t.id AS t, o.id AS o, t.amount AS theirs, o.amount AS ours
  FROM theirs t JOIN ours o ON o.idempotency_key = 'offline:' || t.key AND o.currency = t.currency
)
{_INSERT}
"""  # noqa: S608

_BY_DAY = f"""
WITH {_OURS}, a AS (
  SELECT *, row_number() OVER (PARTITION BY day, amount, currency ORDER BY id) AS n FROM ours
), b AS (
  SELECT *, row_number() OVER (PARTITION BY day, amount, currency ORDER BY id) AS n FROM theirs
), pairs AS (
  SELECT b.id AS t, a.id AS o, b.amount AS theirs, a.amount AS ours
  FROM a JOIN b ON (a.day, a.amount, a.currency, a.n) = (b.day, b.amount, b.currency, b.n)
)
{_INSERT}
"""  # noqa: S608

# Only where nothing else could be meant: the amount stands once on each side within the days looked at.
_NEAR = f"""
WITH {_OURS}, possible AS (
  SELECT t.id AS t, o.id AS o, t.amount AS theirs, o.amount AS ours,
         count(*) OVER (PARTITION BY t.id) AS for_t, count(*) OVER (PARTITION BY o.id) AS for_o
  FROM theirs t JOIN ours o ON o.amount = t.amount AND o.currency = t.currency
    AND o.day BETWEEN t.day - {NEAR_DAYS} AND t.day + {NEAR_DAYS}
), pairs AS (
  SELECT t, o, theirs, ours FROM possible WHERE for_t = 1 AND for_o = 1
)
{_INSERT}
"""  # noqa: S608

_PROVIDER = """
WITH theirs AS (
  SELECT b.* FROM payments_balanceline b
  WHERE b.provider = %(provider)s AND NOT EXISTS (SELECT 1 FROM payments_match m WHERE m.balance_line_id = b.id)
), facts AS (
  SELECT t.id AS t, f.id AS fact, f.kind
  FROM theirs t JOIN payments_providerfact f ON f.provider = t.provider AND f.fact_ref IN (t.ref, t.source_ref)
  UNION
  SELECT t.id, s.id, s.kind
  FROM theirs t JOIN payments_providerfact f ON f.provider = t.provider AND f.kind = 'fee' AND f.fact_ref = t.ref
  JOIN payments_providerfact s ON s.payment_id = f.payment_id AND s.kind = 'settled'
  WHERE t.kind = 'charge'
  UNION
  SELECT t.id, s.id, s.kind
  FROM theirs t
  JOIN payments_payment p ON p.provider = t.provider AND p.charge_ref = t.source_ref AND p.charge_ref <> ''
  JOIN payments_providerfact s ON s.payment_id = p.id AND s.kind = 'settled'
  WHERE t.kind = 'charge'
), keys AS (
  SELECT t.id AS t, 'fact:' || f.fact || ':' || s.suffix AS key
  FROM theirs t JOIN facts f ON f.t = t.id AND (f.kind IN ('fee', 'fee_back')) = (t.part = 'fee' OR t.kind = 'fee')
  CROSS JOIN (VALUES ('gift'), ('fee'), ('fee_back'), ('refund'), ('refund_back'), ('dispute'), ('dispute_back'))
    AS s(suffix)
  UNION ALL
  SELECT id, 'payout:' || provider || ':' || source_ref FROM theirs WHERE kind = 'payout' AND amount < 0
  UNION ALL
  SELECT id, 'payout:' || provider || ':' || source_ref || ':failed' FROM theirs WHERE kind = 'payout' AND amount > 0
), pairs AS (
  -- A refund that came back has two lines of one reference: the sign tells them apart, an equal amount goes first.
  SELECT DISTINCT ON (l.id) t.id AS t, l.id AS o, t.amount AS theirs, l.amount AS ours
  FROM keys k JOIN ledger_entry e ON e.idempotency_key = k.key JOIN theirs t ON t.id = k.t
  JOIN ledger_line l ON l.entry_id = e.id AND sign(l.amount) = sign(t.amount)
  JOIN ledger_account a ON a.id = l.account_id AND a.role = 'clearing'
  WHERE NOT EXISTS (SELECT 1 FROM payments_match m WHERE m.line_id = l.id)
  ORDER BY l.id, (l.amount = t.amount) DESC, t.id
)
INSERT INTO payments_match (balance_line_id, line_id, theirs, ours, how, made_by)
SELECT DISTINCT ON (t) t, o, theirs, ours, 'key', NULL FROM pairs ORDER BY t, (theirs = ours) DESC, o
"""


@transaction.atomic
def match_bank(*, actor: Actor, book: Book) -> int:
    """This will match a book's bank lines with its ledger, one to one; returns how many were new. Safe to repeat."""
    Book.objects.select_for_update(no_key=True).get(pk=book.pk)
    done = 0
    with connection.cursor() as cursor:
        for how, sql in (("key", _BY_KEY), ("day", _BY_DAY), ("near", _NEAR)):
            cursor.execute(sql, {"book": book.pk, "how": how, "person": actor.person_id})
            done += cursor.rowcount
    return done


@transaction.atomic
def match_provider(*, book: Book, provider: str) -> int:
    """This will match a provider's balance lines with the ledger by the facts they are of; gives how many were new."""
    Book.objects.select_for_update(no_key=True).get(pk=book.pk)
    with connection.cursor() as cursor:
        cursor.execute(_PROVIDER, {"provider": provider})
        return int(cursor.rowcount)


def match_all(*, actor: Actor, book: Book, providers: list[str]) -> int:
    """This will match everything of a book anew, as entries have come in since."""
    return match_bank(actor=actor, book=book) + sum(
        match_provider(book=book, provider=name) for name in providers
    )
