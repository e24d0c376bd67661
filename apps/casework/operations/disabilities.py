"""The mark of disability: set and taken away by the lists of the disabled, or by a caseworker, with a row each time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction

from apps.casework.models import DisabilityRow, Member
from apps.core.clock import civil_day

_NAMED = """
FROM casework_blindindex b JOIN casework_registryentry e ON e.digest = b.digest
JOIN casework_registrylist l ON l.id = e.list_id AND l.status = 'live' AND l.kind = 'disability'
WHERE b.name = 'id_number' AND b.household_id = m.household_id
  AND (m.id = b.member_id OR (b.member_id IS NULL AND m.relation = 'head'))
  AND e.valid_from <= %(day)s AND (e.valid_until IS NULL OR e.valid_until >= %(day)s)
"""
_RAISE = f"""
WITH marked AS (
  UPDATE casework_member m SET has_disability = true
  FROM (SELECT m.id AS member, found.list FROM casework_member m
        CROSS JOIN LATERAL (SELECT l.id AS list {_NAMED} LIMIT 1) found
        WHERE m.household_id = ANY(%(households)s) AND m.left_at IS NULL AND NOT m.has_disability) named
  WHERE m.id = named.member RETURNING m.id, named.list
)
INSERT INTO casework_disabilityrow (member_id, has_disability, source, registry_list, recorded_at)
SELECT id, true, 'registry', list, %(now)s FROM marked
"""  # noqa: S608  (constants only)
_LOWER = f"""
WITH gone AS (
  UPDATE casework_member m SET has_disability = false
  WHERE m.has_disability AND (%(households)s::bigint[] IS NULL OR m.household_id = ANY(%(households)s))
    AND (SELECT r.source = 'registry' AND r.has_disability FROM casework_disabilityrow r
         WHERE r.member_id = m.id ORDER BY r.id DESC LIMIT 1)
    AND NOT EXISTS (SELECT 1 {_NAMED})
  RETURNING m.id
)
INSERT INTO casework_disabilityrow (member_id, has_disability, source, registry_list, recorded_at)
SELECT id, false, 'registry', %(list)s, %(now)s FROM gone
"""  # noqa: S608  (constants only)


@transaction.atomic
def note_disabilities(household_ids: Iterable[int], now: dt.datetime, *, ended_by: int | None = None) -> None:
    """This will mark the members whom the live list of the disabled names today, and take the mark away from whoever
    has it from a list only and stands in none any more; `ended_by` is the list whose coming did so. Set-based."""
    ids = sorted(set(household_ids))
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, {"households": ids, "day": civil_day(now), "now": now})
        cursor.execute(_LOWER, {"households": ids, "day": civil_day(now), "now": now, "list": ended_by})


@transaction.atomic
def lower_ended_disabilities(*, now: dt.datetime) -> int:
    """This will take away marks of entries whose validity has ended, and return how many; run by the clock."""
    with connection.cursor() as cursor:
        cursor.execute(_LOWER, {"households": None, "day": civil_day(now), "now": now, "list": None})
        return int(cursor.rowcount)


def note_disability_seen(member: Member, person_id: int | None, now: dt.datetime) -> None:
    """This will append what a caseworker saw of a member's certificate."""
    DisabilityRow.objects.create(
        member=member, has_disability=member.has_disability, source=DisabilityRow.Source.CASEWORKER,
        recorded_by=person_id, recorded_at=now,
    )  # fmt: skip
