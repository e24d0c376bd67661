from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy

ASKERS = ("editor", "caseworker", "town_reviewer", "project_officer", "manager")
DECIDERS = ("city_reviewer", "manager")


@policy("publication.ask_override")
def can_ask_override(actor: Actor) -> bool:
    """Who writes what becomes public."""
    return any(actor.has(role) for role in ASKERS)


@policy("publication.decide_override")
def can_decide_override(actor: Actor) -> bool:
    """The city's reviewer or an organization's manager; never who asked (database constraint)."""
    return any(actor.has(role) for role in DECIDERS)
