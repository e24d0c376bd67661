from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.core.events import in_batches
from apps.publication.events import RowsChanged
from search.elastic.writing import note_changed


@in_batches
def note_rows(events: list[RowsChanged], *, now: dt.datetime) -> None:
    """This will note changed rows for the index and ask a worker to write them after commit (S3)."""
    from search.tasks import index_waiting

    note_changed([row for event in events for row in event.rows])
    transaction.on_commit(lambda: index_waiting.delay())
