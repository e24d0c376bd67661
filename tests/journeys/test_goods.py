"""Goods in a real browser: given, inspected (part rejected), stored, sent to a town, confirmed; a stock count with a
difference that a manager approves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.core import clock
from apps.inventory import operations as ops
from apps.inventory.models import Consignment, Dispatch, Lot, LotTotal, StockCount
from charity_site.demonstration.goods import make_storekeepers
from tests.journeys.conftest import Person
from tests.journeys.test_one_yuan import check


def open_warehouse(city: Any) -> None:
    warehouse = ops.add_warehouse(
        actor=city.staff["manager1"], organization=city.federation, code="boai", name="博爱仓库",
        address="澜江市博爱路18号", shelves=("A-01",),
    )  # fmt: skip
    make_storekeepers(city.staff, warehouse, clock.now())


def test_from_the_giver_to_the_families_and_a_count(city: Any, someone: Callable[..., Person]) -> None:
    open_warehouse(city)
    keeper = someone("storekeeper1")
    page = keeper.go("/workbench/goods/in/new/")
    page.fill("input[name=donor_name]", "澜江纺织厂")
    page.select_option("select[name=shown]", "name")
    page.fill("input[name=lot-0-item]", "冬被")
    page.select_option("select[name=lot-0-category]", "clothing")
    page.fill("input[name=lot-0-quantity]", "20")
    page.select_option("select[name=lot-0-unit]", "床")
    page.fill("input[name=lot-0-unit_value]", "128")
    page.click("button[value=save]")
    assert "请选计价依据" in keeper.text() and page.input_value("input[name=lot-0-item]") == "冬被"
    page.select_option("select[name=lot-0-basis]", "invoice")
    page.click("button[value=save]")
    page.wait_for_url("**/goods/in/C*/")
    lot = Lot.objects.get()
    page.fill(f"input[name='{lot.public_id}-passed']", "18")
    page.fill(f"input[name='{lot.public_id}-failed']", "2")
    page.fill(f"input[name='{lot.public_id}-note']", "受潮")
    page.click("text=记下检验")
    page.wait_for_selector("text=检验已记下")

    page = keeper.go("/workbench/goods/out/new/")
    page.select_option("select[name=town]", city.towns[0].code)
    page.fill("td input.input", "12")
    page.locator("form[method=post] button.primary").click()
    page.wait_for_url("**/goods/out/D*/")
    page.fill("input[name=carrier]", "本会车队")
    page.click("button[value=send]")
    page.wait_for_selector("text=在途")
    number = Dispatch.objects.get().number

    worker = someone(f"caseworker1.{city.towns[0].code}")
    page = worker.go(f"/workbench/goods/out/{number}/")
    page.fill("input[name=q1]", "12")
    page.fill("input[name=households]", "12")
    page.fill("input[name=slip]", "QS-0001")
    page.click("button[value=hand]")
    page.wait_for_selector("text=已办完")
    total = LotTotal.objects.get()
    assert (total.in_stock, total.delivered) == (8, 12)

    giver = someone()
    giver.go(f"/goods/mine/{Consignment.objects.get().token}/")
    assert "冬被" in giver.text() and "12 床" in giver.text()
    giver.page.click("text=看每一站")
    giver.page.wait_for_url(f"**/goods/{lot.public_id}/")
    assert "受助方都已确认" in giver.text() and str(city.towns[0]) in giver.text()
    giver.go("/goods/")
    assert "衣被鞋帽" in giver.text()

    page = keeper.go("/workbench/goods/counts/")
    page.click("text=开始盘点博爱仓库")
    page.wait_for_url("**/goods/counts/P*/")
    shelf = lot.stock.get(location__kind="shelf").location_id
    page.fill(f"input[name='counted-{lot.public_id}-{shelf}']", "5")
    page.fill(f"input[name='note-{lot.public_id}-{shelf}']", "少一床，待查")
    page.click("button[value^='line:']")
    page.wait_for_selector("text=已记下盘点数")
    page.click("button[value=submit]")
    page.wait_for_selector("text=待审批")
    assert "批准，按差异调整" not in keeper.text()
    manager = someone("manager1")
    page = manager.go(f"/workbench/goods/counts/{StockCount.objects.get().number}/")
    page.click("button[value=approve]")
    page.wait_for_selector("text=差异已调整")
    total.refresh_from_db()
    assert (total.in_stock, total.written_off) == (7, 1), "5 on the shelf and 2 in quarantine"
    check()
