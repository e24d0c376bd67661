"""Aid at the scale of a city's years: one gift's trace among many, a large batch's allocations, the privacy gate.

Histories are filler rows, made by INSERT ... SELECT FROM generate_series as the application's role, so that every
constraint and trigger of the tables accepted them (the look-ups, not the writing of them, are measured). What is timed
is the product's own query or operation.
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from benchmarks.cases import _FILL as HOUSEHOLDS

FIRST = 10**9
"""The number of the first filler gift."""
PER_PAYMENT = 50
"""Gifts that one payment of the history used up."""
ASKED = 200

_PAYMENTS = """
INSERT INTO ledger_entry (kind, idempotency_key, currency, line_count, effective_at, actor_label)
SELECT 'payment', 'bench:' || n, 'CNY', 2, now(), 'bench' FROM generate_series(%(start)s, %(end)s) AS n;
"""
_LINES = """
INSERT INTO ledger_line (entry_id, n, account_id, bears_earmark, earmark_id, budget_line, currency, amount)
SELECT e.id, s.n, CASE s.n WHEN 1 THEN %(cost)s ELSE %(bank)s END, s.n = 1, CASE s.n WHEN 1 THEN %(mark)s::bigint END,
       CASE s.n WHEN 1 THEN %(line)s::bigint END, 'CNY', CASE s.n WHEN 1 THEN 1 ELSE -1 END * 10000 * %(per)s
FROM ledger_entry e, (VALUES (1), (2)) AS s(n) WHERE e.idempotency_key LIKE 'bench:%%' AND NOT EXISTS
  (SELECT 1 FROM ledger_line l WHERE l.entry_id = e.id)
"""
_LOTS = """
INSERT INTO ledger_lot (earmark_id, seq, origin, entry_id, amount, settled_at)
SELECT %(mark)s, %(base)s + n, %(first)s + n, (SELECT min(id) FROM ledger_entry), 10000, now()
FROM generate_series(%(from)s, %(to)s) AS n
"""
_USED = """
INSERT INTO ledger_allocation (lot_id, entry_id, kind, amount, rule)
SELECT l.id, e.id, 'spent', 10000, 1 FROM ledger_lot l
JOIN ledger_entry e ON e.idempotency_key = 'bench:' || ((l.origin - %(first)s) / %(per)s)
WHERE l.origin BETWEEN %(first)s + %(from)s AND %(first)s + %(to)s
"""
PER_RELEASE = 100
"""Payments that one release of the history told."""

_SHOWN = """
WITH pay AS (
  SELECT id, split_part(idempotency_key, ':', 2)::bigint AS n FROM ledger_entry e
  WHERE idempotency_key LIKE 'bench:%%' AND NOT EXISTS (SELECT 1 FROM publication_aiditem i WHERE i.entry = e.id)
), told AS (
  INSERT INTO publication_release (public_id, earmark, category, town, period, starts_on, amount, currency, households,
                                   confirmed, released_at)
  SELECT 'c' || lpad((n / %(each)s)::text, 15, '0'), %(mark)s, 'illness', %(town)s, 'month', '2025-01-01',
         count(*) * %(per)s * 10000, 'CNY', count(*), 0, now() FROM pay GROUP BY n / %(each)s RETURNING id, public_id
)
INSERT INTO publication_aiditem (entry, disbursement, household, earmark, category, town, month, amount, currency,
                                 confirmed, dropped, release_id)
SELECT pay.id, -pay.id, pay.n, %(mark)s, 'illness', %(town)s, '2025-01-01', %(per)s * 10000, 'CNY', false, false,
       told.id FROM pay JOIN told ON told.public_id = 'c' || lpad((n / %(each)s)::text, 15, '0')
"""
_TOLD = """
WITH told AS (
  INSERT INTO publication_release (public_id, earmark, category, town, period, starts_on, amount, currency, households,
                                   confirmed, released_at)
  SELECT 'b' || lpad(n::text, 15, '0'), %(mark)s + n %% 500, 'illness', %(town)s, 'month', '2025-01-01', 5000, 'CNY',
         50, 0, now() FROM generate_series(1, %(releases)s) AS n RETURNING id, earmark
), numbered AS (SELECT id, earmark, row_number() OVER () AS n FROM told)
INSERT INTO publication_aiditem (entry, disbursement, household, earmark, category, town, month, amount, currency,
                                 confirmed, dropped, release_id)
SELECT -i.n, i.n, %(family)s + i.n %% %(families)s, numbered.earmark, 'illness', %(town)s, '2025-01-01', 100, 'CNY',
       false, false, numbered.id
FROM generate_series(1, %(rows)s) AS i(n) JOIN numbered ON numbered.n = 1 + i.n %% %(releases)s
"""
_WAITING = """
INSERT INTO publication_aiditem (entry, disbursement, household, earmark, category, town, month, amount, currency,
                                 confirmed, dropped)
SELECT -%(told)s - n, %(told)s + n, %(family)s + (n * 7919) %% %(families)s, %(mark)s + n %% %(marks)s,
       (ARRAY['illness', 'education', 'housing'])[1 + n %% 3], n %% 24, make_date(2026, (1 + n %% 6)::int, 1), 100 + n,
       'CNY', false, false
FROM generate_series(1, %(rows)s) AS n
"""


def _run(sql: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _number(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def run(*, gifts: int, lines: int, rows: int, analyze: Callable[[], Any]) -> dict[str, Any]:
    """This will measure a trace at 10,000 and at `gifts` gifts, a batch of `lines` payments, and the gate over `rows`
    rows of which one in fifty waits. `analyze` takes the statistics, which only the tables' owner may."""
    from tests import world as w

    city = w.build(now=dt.datetime.now(w.SHANGHAI), target=10**14)
    figures: dict[str, Any] = {"gifts": gifts, "lines": lines, "rows": rows}
    figures["batch"], figures["allocations"] = _batch(city, lines)
    base = _number("SELECT coalesce(max(seq), 0) FROM ledger_lot")
    filled = 0
    for size in (10_000, gifts):
        _fill(city, base, filled, size)
        analyze()
        filled = size
        figures[f"trace {size}"] = _trace(size)
        print(f"trace at {size}", figures[f"trace {size}"], flush=True)
    small, big = figures["trace 10000"], figures[f"trace {gifts}"]
    assert small["statements"] == big["statements"], "the statements of a trace don't grow with the ledger"
    print(f"batch {figures['batch']:.1f} s", flush=True)
    figures["gate"] = _gate(city, rows, analyze)
    return figures


def _fill(city: Any, base: int, start: int, end: int) -> None:
    from apps.ledger.models import Account

    cost, bank = (Account.objects.get(role=role, currency="CNY").pk for role in ("programme", "bank"))
    _run(
        _PAYMENTS + _LINES, start=start // PER_PAYMENT, end=(end - 1) // PER_PAYMENT, cost=cost, bank=bank,
        mark=city.earmark, line=city.line.pk, per=PER_PAYMENT,
    )  # fmt: skip
    span = {"first": FIRST, "from": start, "to": end - 1}
    _run(_LOTS, mark=city.earmark, base=base + 1, **span)
    _run(_USED, per=PER_PAYMENT, **span)
    _run(_SHOWN, mark=city.earmark, town=city.towns[0].pk, per=PER_PAYMENT, each=PER_RELEASE)


def _trace(size: int) -> dict[str, Any]:
    """The look-up's plan with what it read, and the whole trace with its statements."""
    from django.test.utils import CaptureQueriesContext

    from apps.donations.models import Gift
    from apps.ledger.queries import _ALLOCATIONS
    from apps.tracing.queries import trace_gift

    rng = random.Random(size)
    times, blocks = [], []
    for _ in range(ASKED):
        gift = Gift(pk=FIRST + rng.randrange(size), amount=10_000, currency="CNY")
        began = time.perf_counter()
        trace = trace_gift(gift)
        times.append((time.perf_counter() - began) * 1000)
        assert trace.unspent == 0 and len(trace.uses) == 1
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + _ALLOCATIONS, [gift.pk])
            plan = cursor.fetchone()[0][0]["Plan"]
        scans = _scans(plan)
        # Of a few hundred payments the planner may read all; of a whole city's never.
        assert len(scans) == 3 and (size <= 10_000 or not [each for each in scans if "Seq" in each]), scans
        blocks.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
    with CaptureQueriesContext(connection) as asked:
        trace_gift(gift)
    ledger = [each for each in asked.captured_queries if "ledger_lot" in each["sql"]]
    assert len(ledger) == 1, "the ledger is asked once for a gift"
    return {"median": statistics.median(times), "blocks": statistics.median(blocks), "statements": len(asked),
            "scans": sorted(scans)}  # fmt: skip


def _scans(plan: dict[str, Any]) -> list[str]:
    own = [f"{plan['Node Type']} {plan['Relation Name']}"] if "Relation Name" in plan else []
    return own + [each for part in plan.get("Plans", []) for each in _scans(part)]


def _copied(table: str, row: int, count: int, **changed: str) -> None:
    """Copies of a row of a table, with some columns set to an SQL expression over n."""
    parts = ", ".join(f"'{column}', {value}" for column, value in changed.items())
    _run(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object("
        f"'id', nextval(pg_get_serial_sequence('{table}', 'id')), {parts}))).* "
        f"FROM {table} t, generate_series(1, {count}) AS n WHERE t.id = {row} ORDER BY n"
    )


def _batch(city: Any, lines: int) -> tuple[float, int]:
    """One payment of each earmark's gifts goes the whole way to `paying`; the other lines are copies of it."""
    from apps.disbursements import operations
    from apps.disbursements.models import BatchLine, Disbursement
    from apps.ledger.models import Allocation, EarmarkBalance, Reservation
    from tests import world as w

    w.give(city, 100_000)
    item = w.approve(city, w.apply_aid(city, w.household(city, 1), 1_000))
    batch = operations.release_batch(
        actor=city.people["cashier"], organization=city.organization, disbursement_ids=[item.pk], now=city.now
    )
    more = lines - 1
    _copied("disbursements_disbursement", item.pk, more, number="'A-B-' || n")
    _run(
        """INSERT INTO disbursements_batchline (batch_id, n, disbursement_id, amount, result, bank_note)
           SELECT %(batch)s, 1 + row_number() OVER (ORDER BY id), id, amount, '', '' FROM disbursements_disbursement
           WHERE number LIKE 'A-B-%%'""",
        batch=batch.pk,
    )
    held = Reservation.objects.get(purpose=f"disbursement:{item.pk}")
    _run(
        """INSERT INTO ledger_reservation (kind, purpose, earmark_id, amount, status, opened_at)
           SELECT 'spending', 'disbursement:' || id, earmark_id, amount, 'open', now() FROM disbursements_disbursement
           WHERE number LIKE 'A-B-%%'"""
    )
    # Ten small gifts a payment, so that each line makes ten allocations.
    _run(
        """WITH made AS (
             INSERT INTO ledger_lot (earmark_id, seq, origin, entry_id, amount, settled_at)
             SELECT %(mark)s, (SELECT max(seq) FROM ledger_lot WHERE earmark_id = %(mark)s) + n, %(first)s - n,
                    (SELECT min(id) FROM ledger_entry), 100, now() FROM generate_series(1, %(count)s) AS n
             RETURNING id, earmark_id, seq, amount)
           INSERT INTO ledger_lotbalance (lot_id, earmark_id, seq, remaining, held)
           SELECT id, earmark_id, seq, amount, 0 FROM made""",
        mark=city.earmark, first=FIRST, count=more * 10,
    )  # fmt: skip
    balance = EarmarkBalance.objects.get(earmark=city.earmark)
    balance.reserved += more * held.amount
    balance.raised += more * held.amount
    balance.next_seq = _number("SELECT max(seq) + 1 FROM ledger_lot")
    balance.save()
    outcomes = [
        operations.LineOutcome(line.n, line.amount, True) for line in BatchLine.objects.filter(batch=batch)
    ]
    assert len(outcomes) == lines
    began = time.perf_counter()
    operations.record_results(
        actor=city.people["cashier"], batch=batch, outcomes=outcomes, effective_at=city.now, now=city.now
    )
    seconds = time.perf_counter() - began
    assert not Disbursement.objects.filter(status="paying").exists()
    return seconds, Allocation.objects.filter(kind="spent").count()


def _gate(city: Any, rows: int, analyze: Callable[[], Any]) -> dict[str, tuple[float, int]]:
    """One row in fifty waits, over 500 earmarks; then the clock's next look, when nothing is due; then as many rows
    that wait in one earmark alone."""
    from apps.publication.invariants import nothing_forbidden_is_public

    families = max(rows // 50, 100)
    _run(
        HOUSEHOLDS,
        one=city.towns[0].pk,
        two=city.towns[1].pk,
        person=city.people["manager"].person_id,
        count=families,
    )
    values = {
        "mark": 10**6, "town": city.towns[0].pk, "families": families,
        "family": _number("SELECT min(id) FROM casework_household WHERE data_key = '\\x00'"),
    }  # fmt: skip
    told = rows * 49 // 50
    _run(_TOLD, rows=told, releases=max(told // 50, 1), **values)
    _run(_WAITING, rows=rows - told, told=told, marks=500, **values)
    analyze()
    made = {"spread": _release(city, range(10**6, 10**6 + 500))}
    made["again"] = _release(city, range(10**6, 10**6 + 500))
    _run(_WAITING, rows=rows - told, told=2 * rows, marks=1, **{**values, "mark": 10**7})
    analyze()
    made["alone"] = _release(city, [10**7])
    began = time.perf_counter()
    broken = [each for each in nothing_forbidden_is_public().broken if each.startswith("release ")]
    assert not broken, broken
    made["recount"] = (time.perf_counter() - began, 0)
    return made


def _release(city: Any, earmarks: Any) -> tuple[float, int]:
    from apps.publication.releases import release_due

    began = time.perf_counter()
    released = len(release_due(now=city.now, earmarks=earmarks))
    return time.perf_counter() - began, released


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    small, big = figures["trace 10000"], figures[f"trace {figures['gifts']}"]
    waiting = figures["rows"] - figures["rows"] * 49 // 50
    per_line = figures["batch"] / figures["lines"] * 1000
    gate = figures["gate"]
    return "\n".join(
        [
            "aid: a gift's trace, a batch, the gate",
            f"trace among 10,000 gifts, median of {ASKED} {small['median']:.1f} ms, {small['blocks']:.0f} blocks",
            f"trace among {figures['gifts']:,} gifts {big['median']:.1f} ms, {big['blocks']:.0f} blocks (aim: same)",
            f"{big['statements']} statements at both sizes, one of them the ledger's: {', '.join(big['scans'])}",
            f"batch of {figures['lines']:,} lines, {figures['allocations']:,} allocations {figures['batch']:.1f} s, "
            f"{per_line:.1f} ms a line",
            f"gate over {figures['rows']:,} rows, {waiting:,} waiting in 500 earmarks {gate['spread'][0]:.1f} s, "
            f"{gate['spread'][1]:,} releases; the next look {gate['again'][0]:.2f} s",
            f"{waiting:,} rows waiting in one earmark {gate['alone'][0]:.1f} s, {gate['alone'][1]:,} releases",
            f"every release recounted from its rows (invariant 9) {gate['recount'][0]:.1f} s",
        ]
    )
