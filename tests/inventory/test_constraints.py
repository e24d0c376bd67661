"""The database holds the rules of goods against SQL that forgets them: each is broken on purpose, as the owner too."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors

from apps.inventory.models import Location, Lot
from apps.inventory.states import Place
from tests.inventory import goods as g

MOVE = """INSERT INTO inventory_movement (kind, lot_id, source_id, target_id, quantity, value, at, actor_person,
          actor_label, approved_by, reason, carrier, driver, signer, dispatch_line_id)
          VALUES (%s, %s, %s, %s, %s, 0, %s, %s, 'x', %s, %s, '', '', '', %s)"""


class Scene:
    def __init__(self) -> None:
        self.store = g.build()
        self.lot = g.stored(self.store, g.draft(quantity="10"))
        self.old = g.stored(self.store, g.draft(quantity="10", expires_on=g.NOW.date().replace(year=2025)))
        self.line = g.plan(self.store, self.lot, "1").lines.get().pk
        there = g.second(self.store)
        self.transfer = g.sent(self.store, self.lot, "2", to_warehouse=there.warehouse).lines.get().pk
        self.at = {
            one.kind: one.pk for one in Location.objects.filter(name="", warehouse=self.store.warehouse)
        }
        self.at |= {"shelf": self.store.shelf.pk, "shelf there": there.shelf.pk}
        self.keeper, self.keeper_there = self.store.keeper.person_id, there.keeper.person_id

    def move(self, kind: str, source: str, target: str, quantity: str = "1", lot: Lot | None = None,
             people: tuple[int | None, int | None] = (1, 2), reason: str = "x", line: int | None = None,
             ) -> tuple[str, list[Any]]:  # fmt: skip
        return MOVE, [
            kind, (lot or self.lot).pk, self.at[source], self.at[target], quantity, g.NOW, people[0], people[1],
            reason, line or (self.line if kind in ("send", "deliver", "bring_back") else None),
        ]  # fmt: skip


def refused(committed_db: Any, sql: str, values: list[Any], name: str) -> None:
    with committed_db.connect() as connection, pytest.raises(errors.Error) as caught:
        connection.execute(sql, values)
        connection.commit()
    assert (caught.value.diag.constraint_name or str(caught.value)).find(name) >= 0, caught.value


def test_every_rule_in_sql(committed_db: Any) -> None:
    scene = Scene()
    lot = scene.lot.pk
    shelf = scene.at["shelf"]
    broken: list[tuple[str, list[Any], str]] = [
        # A movement without its stock, stock without its movement, a sum changed by hand: I2 at commit.
        (*scene.move("write_off", "shelf", "written_off"), "lot_closes"),
        ("UPDATE inventory_stock SET quantity = quantity - 1 WHERE lot_id = %s AND quantity > 0", [lot], "lot_closes"),
        ("UPDATE inventory_lottotal SET in_stock = in_stock - 1, sold = 1 WHERE lot_id = %s", [lot], "lot_closes"),
        ("INSERT INTO inventory_stock (lot_id, location_id, quantity) VALUES (%s, %s, 1)",
         [lot, scene.at["donor"]], "lot_closes"),
        ("UPDATE inventory_lottotal SET in_stock = in_stock - 1 WHERE lot_id = %s", [lot], "lot_sum_closes"),
        ("UPDATE inventory_lottotal SET in_stock = in_stock - 11, sold = 11 WHERE lot_id = %s", [lot],
         "lot_sum_not_negative"),
        ("UPDATE inventory_stock SET quantity = -1 WHERE lot_id = %s AND location_id = %s", [lot, shelf],
         "stock_never_below_zero"),
        # What movements add up to is nobody's to write.
        ("UPDATE inventory_moved SET quantity = quantity - 1 WHERE lot_id = %s", [lot], "Cannot insert or update"),
        ("INSERT INTO inventory_moved (lot_id, location_id, quantity) VALUES (%s, %s, 1)", [lot, scene.at["sold"]],
         "Cannot insert"),
        ("DELETE FROM inventory_moved", [], "Cannot delete"),
        ("TRUNCATE inventory_moved", [], "never removed"),
        # Kinds go only where they go; fractions, expiry, two people.
        (*scene.move("pass", "shelf", "intake"), "movement_fits"),
        (*scene.move("send", "intake", "transit"), "movement_fits"),
        (*scene.move("receive", "shelf", "intake"), "movement_fits"),
        (*scene.move("store", "shelf", "shelf"), "movement_between_two"),
        (*scene.move("write_off", "shelf", "written_off", "0.5"), "movement_fraction_fits"),
        (*scene.move("write_off", "shelf", "written_off", "-1"), "movement_positive"),
        (*scene.move("send", "shelf", "transit", lot=scene.old), "expired_never_sent"),
        (*scene.move("write_off", "shelf", "written_off", people=(1, None)), "movement_two_people"),
        (*scene.move("sell", "shelf", "sold", people=(2, 2)), "movement_two_people"),
        (*scene.move("write_off", "shelf", "written_off", reason=""), "movement_two_people"),
        (*scene.move("deliver", "transit", "recipient"), "movement_of_a_handover"),
        # Between warehouses: only what is on the road to the other one, signed by another person.
        (*scene.move("store", "shelf", "shelf there"), "movement_fits"),
        (*scene.move("bring_back", "transit", "shelf there"), "movement_fits"),
        (*scene.move("arrive", "transit", "shelf", people=(scene.keeper_there, None), line=scene.transfer),
         "movement_fits"),
        (*scene.move("arrive", "transit", "shelf there", people=(scene.keeper_there, None)), "movement_fits_dispatch"),
        (*scene.move("arrive", "transit", "shelf there", people=(scene.keeper_there, None), line=scene.line),
         "movement_fits_dispatch"),
        (*scene.move("deliver", "transit", "recipient", line=scene.transfer), "movement_fits_dispatch"),
        (*scene.move("arrive", "transit", "shelf there", people=(scene.keeper, None), line=scene.transfer),
         "arrival_other_person"),
        (*scene.move("arrive", "transit", "shelf there", people=(None, None), line=scene.transfer),
         "arrival_other_person"),
        ("UPDATE inventory_dispatch SET to_warehouse_id = warehouse_id WHERE receiver = 'warehouse'", [],
         "dispatch_to_another_warehouse"),
        ("UPDATE inventory_dispatch SET to_warehouse_id = NULL", [], "dispatch_has_receiver"),
        ("UPDATE inventory_dispatchline SET arrived = 3 WHERE id = %s", [scene.transfer],
         "dispatch_line_not_overspent"),
        # History and facts stay.
        ("UPDATE inventory_movement SET quantity = 1", [], "Cannot update or delete"),
        ("DELETE FROM inventory_movement", [], "Cannot "),
        ("TRUNCATE inventory_movement CASCADE", [], "never removed"),
        ("DELETE FROM inventory_stock", [], "Cannot "),
        ("UPDATE inventory_lot SET quantity = 99 WHERE id = %s", [lot], "lot_facts_frozen"),
        ("UPDATE inventory_dispatchline SET handed = 1 WHERE id = %s", [scene.line], "dispatch_line_not_overspent"),
    ]  # fmt: skip
    for sql, values, name in broken:
        refused(committed_db, sql, values, name)
    g.check()


def test_the_application_role_has_no_right_to_change_movements(committed_db: Any) -> None:
    g.stored(g.build())
    with (
        committed_db.connect("charity_app") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("UPDATE inventory_movement SET quantity = 1")


def test_every_kind_of_place_counts_in_a_sum() -> None:
    from apps.inventory.states import BUCKET, COMING, STANDING, WAYS, Kind

    assert set(BUCKET) == set(Place) and set(BUCKET.values()) == {*COMING, *STANDING}
    assert set(WAYS) == set(Kind)
