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


@policy("accounts.bootstrap_administrators")
def can_bootstrap_administrators(actor: Actor) -> bool:
    """Only the set-up command."""
    return actor.is_system


@policy("accounts.reset_second_factor")
def can_reset_second_factor(actor: Actor) -> bool:
    """An administrator asks, a second one confirms."""
    return actor.has("administrator")


@policy("accounts.join_accounts")
def can_join_accounts(actor: Actor) -> bool:
    return actor.has("administrator")


@policy("accounts.see_people")
def can_see_people(actor: Actor) -> bool:
    return actor.has("administrator")
