"""Who may handle goods. Storekeepers hold their role at one warehouse; a second person decides what takes goods out of
the record (I1, I4)."""

from __future__ import annotations

from apps.core.actors import CITY, Actor
from apps.core.policies import policy
from apps.inventory.models import Dispatch, Warehouse
from apps.inventory.states import Receiver


@policy("inventory.add_warehouse")
def can_add_warehouse(actor: Actor, organization_id: int) -> bool:
    return actor.is_system or actor.has("manager", "organization", organization_id)


@policy("inventory.add_unit")
def can_add_unit(actor: Actor) -> bool:
    """Units are everybody's: any storekeeper or manager may add one, with its decimal places."""
    return actor.is_system or actor.has("storekeeper") or actor.has("manager")


@policy("inventory.keep_goods")
def can_keep_goods(actor: Actor, warehouse: Warehouse) -> bool:
    """Receive, inspect, store, pick, send, count, assemble."""
    return actor.has("storekeeper", "warehouse", warehouse.pk)


@policy("inventory.import_goods")
def can_import_goods(actor: Actor, warehouse: Warehouse) -> bool:
    return actor.is_system or can_keep_goods(actor, warehouse)


@policy("inventory.see_goods")
def can_see_goods(actor: Actor, warehouse: Warehouse) -> bool:
    organization = warehouse.organization_id
    return (
        can_keep_goods(actor, warehouse)
        or any(
            actor.has(role, "organization", organization)
            for role in ("manager", "cashier", "project_officer", "purchaser")
        )
        or actor.has("supervisor")
    )


@policy("inventory.decide_removal")
def can_decide(actor: Actor, warehouse: Warehouse) -> bool:
    """Sales, write-offs, count differences: a manager of the warehouse's organization, never who asked."""
    return actor.has("manager", "organization", warehouse.organization_id)


@policy("inventory.value_lot")
def can_value_lot(actor: Actor, warehouse: Warehouse) -> bool:
    organization = warehouse.organization_id
    return can_keep_goods(actor, warehouse) or actor.has("cashier", "organization", organization)


@policy("inventory.see_dispatch")
def can_see_dispatch(actor: Actor, dispatch: Dispatch) -> bool:
    return (
        can_see_goods(actor, dispatch.warehouse)
        or can_receive(actor, dispatch)
        or (
            dispatch.receiver == Receiver.FAMILIES
            and dispatch.town_id is not None
            and any(actor.has(role, "town", dispatch.town_id) for role in ("caseworker", "town_reviewer"))
        )
    )


@policy("inventory.receive_transfer")
def can_receive(actor: Actor, dispatch: Dispatch) -> bool:
    """A storekeeper of the warehouse the goods go to; that it isn't who sent them, the operation checks."""
    return dispatch.to_warehouse is not None and can_keep_goods(actor, dispatch.to_warehouse)


@policy("inventory.hand_over")
def can_hand_over(actor: Actor, dispatch: Dispatch) -> bool:
    """To families: a caseworker of the dispatch's town. To an institution: the storekeeper who saw it signed for.
    To another warehouse nobody hands over: it is received there."""
    if dispatch.receiver == Receiver.WAREHOUSE:
        return False
    if dispatch.receiver == Receiver.FAMILIES:
        return dispatch.town_id is not None and actor.has("caseworker", "town", dispatch.town_id)
    return can_keep_goods(actor, dispatch.warehouse)


@policy("inventory.state_wants")
def can_state_wants(actor: Actor, town_id: int) -> bool:
    """What a town needs or asks not to be sent: its caseworkers and reviewers. For the whole city (0): a manager or
    the supervisor."""
    if town_id == CITY:
        return actor.has("manager") or actor.has("supervisor")
    return any(actor.has(role, "town", town_id) for role in ("caseworker", "town_reviewer"))


@policy("inventory.note_receipts")
def can_note_receipts(actor: Actor) -> bool:
    """Only the handler that had receipts issued."""
    return actor.is_system
