"""Invariant 4 of quality.md: one ledger entry per provider fact and entry kind, and none without its fact."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import invariants
from apps.core.invariants import Finding

_OF_KIND = "CASE f.kind WHEN 'settled' THEN 'gift' ELSE f.kind END"
_HANDLER = """CASE WHEN f.refund_id IS NOT NULL OR f.dispute_id IS NOT NULL THEN 'settle_returned'
  WHEN f.kind = 'settled' THEN CASE o.name WHEN 'payments.subscription_charged' THEN 'settle_month'
  ELSE 'settle_gifts' END ELSE 'settle_fee' END"""
_MISSING = f"""
SELECT 'gift ' || g.id FROM donations_gift g
LEFT JOIN payments_providerfact f ON f.payment_id = g.payment_id AND f.kind = 'settled'
LEFT JOIN ledger_entry e ON e.idempotency_key = 'fact:' || f.id || ':gift'
WHERE g.source = 'online' AND g.status = 'received' AND e.id IS NULL
UNION ALL
SELECT 'fact ' || f.id FROM payments_providerfact f
JOIN core_outboxevent o ON o.name IN ('payments.payment_settled', 'payments.fee_charged',
  'payments.subscription_charged', 'payments.money_returned')
  AND (o.payload->>'fact_id')::bigint = f.id
JOIN core_outboxdelivery d ON d.event_id = o.id AND d.done_at IS NOT NULL
LEFT JOIN ledger_entry e ON e.idempotency_key = 'fact:' || f.id || ':' || {_OF_KIND}
WHERE e.id IS NULL AND f.amount > 0 AND d.handler = 'apps.donations.handlers.' || {_HANDLER}
UNION ALL
SELECT 'entry ' || e.id FROM ledger_entry e
LEFT JOIN payments_providerfact f ON f.id = split_part(e.idempotency_key, ':', 2)::bigint
WHERE e.idempotency_key LIKE 'fact:%' AND (f.id IS NULL OR split_part(e.idempotency_key, ':', 3)
  NOT IN ({_OF_KIND}, replace(f.kind, '_back', '_rest')))
UNION ALL
SELECT 'offline gift ' || g.id FROM donations_gift g
LEFT JOIN ledger_entry e ON e.idempotency_key = 'offline:' || g.offline_key
WHERE g.source = 'offline' AND e.id IS NULL
UNION ALL
SELECT 'refund ' || r.number FROM donations_refund r
LEFT JOIN ledger_reservation v ON v.purpose = 'refund:' || r.id AND v.status = 'open'
WHERE (r.status = 'approved') <> (v.id IS NOT NULL)
UNION ALL
SELECT 'refunds of gift ' || r.gift_id FROM donations_refund r JOIN donations_gift g ON g.id = r.gift_id
WHERE r.status IN ('approved', 'paid') AND r.source <> 'provider'
GROUP BY r.gift_id, g.amount HAVING sum(r.amount) > g.amount
LIMIT 20
"""  # noqa: S608  (put together from the constants above)


def facts_have_entries() -> Finding:
    """This will check that every provider fact and every gift has exactly its own ledger entry."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING)
        broken = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM payments_providerfact")
        return Finding(str(cursor.fetchone()[0]), broken)


def register_all() -> None:
    """This will register the invariants of donations with core."""
    invariants.register(4, "donations.facts", _("支付机构的每项事实恰好对应一笔分录"), facts_have_entries)
