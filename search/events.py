from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class ExportFinished(Event):
    """A file of matches is ready, and somebody wanted to be told by mail."""

    name: ClassVar[str] = "search.export_finished"
    job_id: int
