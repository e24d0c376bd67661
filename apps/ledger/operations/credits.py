"""Money that comes in: set-based, lock-free, one statement for any number of credits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from apps.core.actors import Actor
from apps.ledger.states import AccountRole, EntryKind

_POST = """
WITH want AS (
  SELECT * FROM unnest(%(key)s::text[], %(earmark)s::bigint[], %(amount)s::bigint[], %(origin)s::bigint[],
                       %(settled)s::timestamptz[], %(channel)s::text[], %(into)s::text[], %(income)s::text[],
                       %(kind)s::text[])
    AS t(key, earmark_id, amount, origin, settled_at, channel, into_role, income_role, kind)
), placed AS (
  SELECT w.*, e.currency, e.book_id, c.id AS channel_id,
         debit.id AS debit_id, credit.id AS credit_id
  FROM want w JOIN ledger_earmark e ON e.id = w.earmark_id
  JOIN ledger_account debit ON debit.book_id = e.book_id AND debit.currency = e.currency AND debit.role = w.into_role
  JOIN ledger_account credit ON credit.book_id = e.book_id AND credit.currency = e.currency AND
    credit.role = w.income_role
  LEFT JOIN ledger_channel c ON c.code = w.channel
), entries AS (
  INSERT INTO ledger_entry (kind, idempotency_key, currency, line_count, effective_at, actor_person, actor_label)
  SELECT kind, key, currency, 2, settled_at, %(person)s, %(label)s FROM placed ORDER BY key
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING id, idempotency_key
), lines AS (
  INSERT INTO ledger_line (entry_id, n, account_id, bears_earmark, earmark_id, channel_id, currency, amount)
  SELECT en.id, x.n, CASE x.n WHEN 1 THEN p.debit_id ELSE p.credit_id END, x.n = 2,
         CASE x.n WHEN 2 THEN p.earmark_id END, p.channel_id, p.currency, CASE x.n WHEN 1 THEN p.amount
         ELSE -p.amount END
  FROM entries en JOIN placed p ON p.key = en.idempotency_key CROSS JOIN (VALUES (1), (2)) AS x(n)
  RETURNING id, entry_id, n
), deltas AS (
  INSERT INTO ledger_delta (line_id, earmark_id, kind, amount, settled_at, origin)
  SELECT l.id, p.earmark_id, CASE p.kind WHEN 'gift' THEN 'raised' ELSE 'income' END, p.amount, p.settled_at, p.origin
  FROM lines l JOIN entries en ON en.id = l.entry_id JOIN placed p ON p.key = en.idempotency_key WHERE l.n = 2
)
SELECT idempotency_key, id FROM entries
"""


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that came in for an earmark.

    `amount` in minor units, `settled_at` when the provider or bank had it, `origin` the gift, `into` the account role
    it landed on (clearing, bank or cash), `key` unique for ever.
    """

    key: str
    earmark: int
    amount: int
    settled_at: dt.datetime
    origin: int | None = None
    channel: str | None = None
    into: str = AccountRole.CLEARING
    income: str = AccountRole.GIFT_INCOME
    kind: str = EntryKind.GIFT


def post_credits(*, actor: Actor, credits: Sequence[Credit]) -> dict[str, int]:
    """This will post credits in one statement: an entry, two lines and a delta each, no lock taken.

    Returns {key: entry id} of those that were new; known keys are left as they are (safe to repeat).
    """
    if not credits:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _POST,
            {
                "key": [c.key for c in credits],
                "earmark": [c.earmark for c in credits],
                "amount": [c.amount for c in credits],
                "origin": [c.origin for c in credits],
                "settled": [c.settled_at for c in credits],
                "channel": [c.channel for c in credits],
                "into": [str(c.into) for c in credits],
                "income": [str(c.income) for c in credits],
                "kind": [str(c.kind) for c in credits],
                "person": actor.person_id,
                "label": actor.label[:80],
            },
        )
        return dict(cursor.fetchall())


def post_credit(*, actor: Actor, credit: Credit) -> int | None:
    """This will post one credit; returns its entry id, or None when its key was known."""
    return post_credits(actor=actor, credits=[credit]).get(credit.key)
