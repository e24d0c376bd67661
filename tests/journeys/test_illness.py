"""A serious illness in a real browser: explained by the table, paid, returned by the bank, paid again to the corrected
account, confirmed by the family's own code."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from PIL import Image

from apps.casework.models import Household
from apps.casework.operations import add_attachment
from apps.core import clock
from apps.disbursements import operations
from apps.disbursements.models import Batch, Disbursement
from apps.disbursements.standard_tables import STANDARD
from apps.disbursements.states import AidKind
from apps.places.models import Town
from charity_site.demonstration import story
from tests.journeys.conftest import Person
from tests.journeys.test_one_yuan import answer_risks, check, last_code, raising_project, work


def publish_table(city: Any, kind: str) -> None:
    drafted = operations.draft_rule(
        actor=city.staff["officer1"], organization=city.federation, kind=kind, table=STANDARD[AidKind(kind)],
        effective_from=clock.civil_day(clock.now()), note="按公布的数字", now=clock.now(),
    )  # fmt: skip
    operations.publish_rule(actor=city.staff["manager1"], version=drafted, now=clock.now())


def papers(city: Any, family: Household, kinds: tuple[str, ...], shade: int = 0) -> None:
    for n, kind in enumerate(kinds):
        out = io.BytesIO()
        Image.new("RGB", (30, 30), (shade % 256, n * 40, 120 + family.pk % 100)).save(out, "PNG")
        add_attachment(
            actor=city.staff[f"caseworker1.{family.town.code}"], household=family, kind=kind, content=out.getvalue(),
            now=clock.now(),
        )  # fmt: skip


def test_illness(city: Any, someone: Callable[..., Person]) -> None:
    project = raising_project(city)
    publish_table(city, "illness")
    story.give(city, project, 60, [0], lambda: None)
    family = story.register_family(city, Town.objects.get(code="shiqiao"), clock.now())
    papers(city, family, ("diagnosis", "hospital_bill"))

    caseworker = someone("caseworker1.shiqiao", width=360)
    page = caseworker.go(f"/workbench/disbursements/new-aid/?household={family.file_number}")
    page.select_option("#rule_project", project.slug)
    page.click("button[name=choose]")
    facts = {"total": "20000", "insured": "8,000.00", "other_aid": "0", "purpose": "自费药",
             "starts_on": "2026-09-01", "ends_on": "2026-10-01", "need": "两名社工入户核实。"}  # fmt: skip
    for name, value in facts.items():
        page.fill(f"[name={name}]", value)
    page.click("button[value=preview]")
    assert "¥3,600.00" in caseworker.text() and "自付¥0.00至¥20,000.00之间" in caseworker.text()
    for box in page.locator("input[name=attachments]").all():
        box.check()
    page.click("button[value=send]")
    assert "医保结算单" in caseworker.text() and not Disbursement.objects.exists()
    assert page.input_value("[name=need]") == "两名社工入户核实。", "nothing typed is lost"
    papers(city, family, ("insurance_settlement",))
    page.click("button[value=preview]")
    for box in page.locator("input[name=attachments]").all():
        box.check()
    page.click("button[value=send]")
    number = re.search(r"A-\d{4}-[0-9a-f]{6}", page.url)
    assert number, caseworker.text()
    address = f"/workbench/disbursements/{number.group()}/"
    assert "金额怎么来的" in caseworker.text() and "第1版" in caseworker.text()

    approve(someone, address)
    cashier = someone("cashier1")
    page = release(cashier)
    page.fill("input[name=note]", "账号与户名不符")
    page.click("button[value=returned]")
    assert "退回" in cashier.text()

    caseworker.go(f"/workbench/households/{family.file_number}/")
    story_change(city, family)
    work()
    page = cashier.go(address)
    assert "收款账户已更换，要重新批准" in cashier.text(), "by itself, nobody has to notice"
    page = someone("manager1").go(address)
    answer_risks(page)
    page.click("button[value=approve]")
    page = release(cashier)
    page.click("button[value=paid]")
    assert Batch.objects.count() == 2
    work()

    link, digits = last_code()
    at_home = someone(width=360)
    page = at_home.go(link)
    page.fill("input[name=code]", f"{(int(digits) + 1) % 10**6:06d}")
    page.click("main form button.primary")
    assert "还可以试4次" in at_home.text()
    page.fill("input[name=code]", digits)
    page.click("main form button.primary")
    assert "谢谢" in at_home.text() and "3,600" not in at_home.text()
    item = Disbursement.objects.get()
    assert (item.status, item.attempts, item.confirmed_how) == ("confirmed", 2, "code")
    check()


def story_change(city: Any, family: Household) -> None:
    from apps.casework.operations import change_bank_account

    change_bank_account(
        actor=city.staff["caseworker1.shiqiao"], household=family, bank_name="演示银行",
        bank_account="6200000000777777", now=clock.now(),
    )  # fmt: skip


def approve(someone: Callable[..., Person], address: str) -> None:
    for name, button in (("reviewer1.shiqiao", "verify"), ("manager1", "approve")):
        page = someone(name).go(address)
        answer_risks(page)
        page.click(f"button[value={button}]")


def release(cashier: Person) -> Any:
    page = cashier.go("/workbench/batches/")
    page.click("button:has-text('放行选中的')")
    return page
