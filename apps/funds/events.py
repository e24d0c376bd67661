from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class ProjectStatusChanged(Event):
    """A project moved along its states (F3)."""

    name: ClassVar[str] = "funds.project_status_changed"
    project_id: int
    status: str
