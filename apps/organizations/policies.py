from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy


@policy("organizations.register_organization")
def can_register_organization(actor: Actor) -> bool:
    """The supervisor registers charities and audit firms; set-up commands do for the demonstration."""
    return actor.is_system or actor.has("supervisor")
