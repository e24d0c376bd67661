from __future__ import annotations

from apps.casework.models import Household
from apps.core.actors import Actor
from apps.core.policies import policy


@policy("casework.register_household")
def can_register_household(actor: Actor, town_id: int) -> bool:
    """A caseworker of the town."""
    return actor.has("caseworker", "town", town_id)


@policy("casework.read_household")
def can_read_household(actor: Actor, household: Household) -> bool:
    """The town's caseworkers and reviewers; always with a reason, always leaving a row (C2)."""
    return actor.has("caseworker", "town", household.town_id) or actor.has(
        "town_reviewer", "town", household.town_id
    )


@policy("casework.read_bank_details")
def can_read_bank_details(actor: Actor, organization_id: int) -> bool:
    """The cashier who pays the batch reads the account it goes to."""
    return actor.has("cashier", "organization", organization_id)


@policy("casework.change_household")
def can_change_household(actor: Actor, household: Household) -> bool:
    return actor.has("caseworker", "town", household.town_id)


@policy("casework.manage_registry")
def can_manage_registry(actor: Actor) -> bool:
    """The city's reviewer brings in the lists of other departments."""
    return actor.has("city_reviewer")


@policy("casework.answer_alert")
def can_answer_alert(actor: Actor, town_id: int) -> bool:
    """Caseworkers and reviewers of one of the two towns."""
    return actor.has("caseworker", "town", town_id) or actor.has("town_reviewer", "town", town_id)


@policy("casework.ask_erasure")
def can_ask_erasure(actor: Actor, household: Household) -> bool:
    return can_read_household(actor, household)


@policy("casework.approve_erasure")
def can_approve_erasure(actor: Actor, household: Household) -> bool:
    """The town's reviewer or the city's; never the one who asked (database constraint)."""
    return actor.has("town_reviewer", "town", household.town_id) or actor.has("city_reviewer")


@policy("casework.replay_erasures")
def can_replay_erasures(actor: Actor) -> bool:
    """Commands only: after a backup was restored."""
    return actor.is_system


@policy("casework.reindex_traces")
def can_reindex_traces(actor: Actor) -> bool:
    """Commands only: it opens values to hash them and shows nobody any."""
    return actor.is_system


@policy("casework.read_phone_for_code")
def can_read_phone_for_code(actor: Actor, household: Household) -> bool:
    """The task that sends a one-time code, nobody else: whoever reads the file does so by its own rule."""
    return actor.is_system
