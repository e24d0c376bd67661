from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy


@policy("places.manage_towns")
def can_manage_towns(actor: Actor) -> bool:
    """Supervisors and set-up commands."""
    return actor.is_system or actor.has("supervisor")


@policy("places.manage_holidays")
def can_manage_holidays(actor: Actor) -> bool:
    """Supervisors and set-up commands."""
    return actor.is_system or actor.has("supervisor")
