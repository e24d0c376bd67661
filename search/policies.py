from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy


@policy("search.take_export")
def can_take_export(actor: Actor) -> bool:
    """Anyone: what is exported is public already (S4). How often is a matter of limits."""
    return True


@policy("search.save_search")
def can_save_search(actor: Actor) -> bool:
    """Whoever has an account keeps searches of their own (S6)."""
    return actor.person_id is not None
