"""Finding a family's file by an ID number through the blind index, on 200,000 households."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from typing import Any

from django.db import connection

HOUSEHOLDS = 200_000
ASKED = 300

_FILL = """
WITH made AS (
  INSERT INTO casework_household (file_number, key_name, town_id, income_tier, people, data_key, registered_by_id,
                                  registered_at, consented_at)
  SELECT 'H-' || n, lpad(n::text, 16, '0'), (ARRAY[%(one)s, %(two)s])[1 + n %% 2], 'dibao', 3, '\\x00', %(person)s,
         now(), now() FROM generate_series(1, %(count)s) AS n
  RETURNING id
)
INSERT INTO casework_blindindex (household_id, name, digest)
SELECT id, kind, encode(sha256((kind || id)::bytea), 'hex')
FROM made, unnest(ARRAY['id_number', 'phone', 'bank_account']) AS kind
"""


def run() -> dict[str, Any]:
    """This will fill the tables (filler rows straight into them: the index, not the sealing, is measured), register the
    families that are searched, and time the search of the workbench."""
    from apps.casework.queries import find_files
    from tests import world as w

    city = w.build()
    actor = city.people["caseworker_shiqiao"]
    with connection.cursor() as cursor:
        cursor.execute(
            _FILL,
            {
                "one": city.towns[0].pk,
                "two": city.towns[1].pk,
                "person": actor.person_id,
                "count": HOUSEHOLDS,
            },
        )
    families = [w.household(city, n) for n in range(1, 51)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE casework_household")
        cursor.execute("ANALYZE casework_blindindex")
        cursor.execute("SELECT count(*) FROM casework_household")
        count = int(cursor.fetchone()[0])
    times = []
    for n in range(ASKED):
        wanted = n % 50 + 1
        began = time.perf_counter()
        found = list(find_files(actor, "id_number", w.id_number(wanted))[:50])
        times.append((time.perf_counter() - began) * 1000)
        assert [one.pk for one in found] == [families[wanted - 1].pk]
    return {"households": count, "median": statistics.median(times), "worst": max(times),
            "day": dt.date.today().isoformat()}  # fmt: skip


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    return "\n".join(
        [
            f"## Case search by blind index, {figures['households']:,} households",
            "",
            "| what | time |",
            "|---|---|",
            f"| median of {ASKED} searches by ID number, ORM included (aim <= 20) | {figures['median']:.1f} ms |",
            f"| slowest of them | {figures['worst']:.1f} ms |",
            "",
        ]
    )
