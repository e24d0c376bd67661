from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event

MOST = 500
"""Rows one event names: a large report tells of its rows in several."""


@dataclass(frozen=True, slots=True)
class RowsChanged(Event):
    """Public rows were published, changed or withdrawn: an index outside the database has to follow (S3)."""

    name: ClassVar[str] = "publication.rows_changed"
    rows: tuple[int, ...]
