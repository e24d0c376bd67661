from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy


@policy("payments.reconcile_book")
def can_reconcile(actor: Actor, organization_id: int) -> bool:
    """A cashier of the organization whose book it is: statements, explanations, closing a day (G12)."""
    return actor.has("cashier", "organization", organization_id)


@policy("payments.see_differences")
def can_see_differences(actor: Actor, organization_id: int) -> bool:
    """Its cashiers and managers, and the supervisor."""
    return (
        can_reconcile(actor, organization_id)
        or actor.has("manager", "organization", organization_id)
        or actor.has("supervisor", "city", 0)
    )


@policy("payments.read_balances")
def can_read_balances(actor: Actor) -> bool:
    """Only the system asks providers and posts their payouts."""
    return actor.is_system
