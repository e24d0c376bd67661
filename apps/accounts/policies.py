from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy


@policy("accounts.invite_staff")
def can_invite_staff(actor: Actor) -> bool:
    return actor.is_system or actor.has("administrator")


@policy("accounts.grant_role")
def can_grant_role(actor: Actor) -> bool:
    """An administrator asks, a second one confirms; the set-up command makes the first two."""
    return actor.is_system or actor.has("administrator")
