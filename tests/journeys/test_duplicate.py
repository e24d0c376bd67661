"""One person registered in two towns: both towns are told, neither sees the other's file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from apps.casework.models import AccessRow, DuplicateAlert, Household
from tests import world as w
from tests.journeys.conftest import Person


def register(person: Person, town: str, name: str) -> str:
    page = person.go("/workbench/households/new/")
    page.select_option("select[name=town]", town)
    for field, value in (
        ("name", name), ("id_number", w.id_number(7)), ("phone", "13800000007"), ("address", "沙溪东路37号"),
        ("bank_name", "某银行"), ("bank_account", "6222000000000077"),
    ):  # fmt: skip
        page.fill(f"input[name={field}]", value)
    page.check("input[name=consent]", force=True)
    page.click("main form button.primary")
    page.wait_for_selector("text=档案已建立")
    return page.url.rstrip("/").rsplit("/", 1)[1]


def test_a_duplicate_is_found_across_towns(city: Any, someone: Callable[..., Person]) -> None:
    one, two = city.towns[0].code, city.towns[1].code
    first = someone(f"caseworker1.{one}", width=360)
    own = register(first, one, "覃小满")
    assert "重复" not in first.text()
    second = someone(f"caseworker1.{two}", width=360)
    other = register(second, two, "覃小满")
    assert "请看“重复提醒”" in second.page.inner_text("body")
    assert DuplicateAlert.objects.count() == 1

    for person, mine, theirs in ((first, own, other), (second, other, own)):
        page = person.go("/workbench/duplicates/")
        shown = person.text()
        assert mine in shown and theirs not in shown and "覃小满" not in shown and "请联系" in shown
        response = page.goto(f"{person.url}/workbench/households/{theirs}/")
        assert response is not None and response.status == 404
    page = first.go("/workbench/duplicates/")
    page.fill("input[name=note]", "同一人，已迁到另一镇街，本档案不再申请。")
    page.click("text=记下结论")
    expect(page.locator("main")).to_contain_text("已有结论")
    reviewer = someone(f"reviewer1.{two}")
    reviewer.go("/workbench/duplicates/")
    seen = reviewer.text()
    assert "对方已有结论" in seen and "已迁到" not in seen and own not in seen

    # Found by the number; opening the file needs a reason, offered or typed, and leaves a row.
    page = first.go("/workbench/households/")
    page.click("main summary")
    page.fill("input[name=value]", w.id_number(7))
    page.click("main details button")
    assert own in first.text() and w.id_number(7) not in page.url
    page.click(f"text={own}")
    assert AccessRow.objects.count() == 0
    page.fill("input[name=reason]", "核实申请")
    page.click("button[value=open]")
    expect(page.locator("main")).to_contain_text(w.id_number(7))
    row = AccessRow.objects.get()
    assert row.household == Household.objects.get(file_number=own).pk and row.reason == "核实申请"
