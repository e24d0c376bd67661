"""What autovacuum does in its own time on a site, done at once: statistics for the planner, visibility for indexes."""

from __future__ import annotations

from typing import Any


def settle(server: Any, database: str) -> None:
    """This will vacuum and analyze a database. The bench's server commits asynchronously: until such a commit is on
    disk, VACUUM takes its rows for not yet seen by all, so one synchronous commit comes first."""
    with server.connect(database) as line:
        line.execute("SET synchronous_commit = on")
        line.execute("ANALYZE")
        line.execute("VACUUM")
