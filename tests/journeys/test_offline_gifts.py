"""A cashier's week in a real browser: a list with three wrong rows mended and recorded, a day closed over one
difference that was explained."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Callable
from typing import Any

from apps.core import clock
from apps.core.actors import system
from apps.donations.models import Gift, GiftImport
from apps.donations.operations import lists
from apps.funds.queries import project_earmarks
from apps.ledger.queries import figures
from apps.payments.models import DayClose, DayFigure, Difference
from apps.payments.operations import reconciling
from tests.journeys.conftest import Person
from tests.journeys.test_one_yuan import check, raising_project

YESTERDAY = clock.civil_day(clock.now()) - dt.timedelta(days=1)


def work() -> None:
    """What the worker does when the doorbell rings."""
    for pk in GiftImport.objects.values_list("pk", flat=True):
        lists.work_import(pk=pk, now=clock.now())


def upload(person: Person, path: pathlib.Path) -> None:
    page = person.page
    page.goto(person.url + "/workbench/gifts/imports/")
    page.click("text=导入名单")
    page.set_input_files("input[name=file]", str(path))
    page.fill("input[name=source]", "农业银行")
    page.click("text=上传并查看")
    page.wait_for_selector("text=正在读名单")
    work()
    page.click("text=刷新")


def test_a_list_with_three_wrong_rows_is_mended(
    city: Any, someone: Callable[..., Person], tmp_path: pathlib.Path
) -> None:
    project = raising_project(city)
    today = clock.civil_day(clock.now())
    path = tmp_path / "名单.csv"
    path.write_text(
        f"日期,捐赠人,金额,备注\n{today},甲,100,\n{today},乙,-5,\n{today},丙,1.005,\n昨天,丁,20,\n合计,,126.00,\n",
        "utf-8-sig",
    )
    officer = someone("officer1")
    page = officer.page
    page.goto(officer.url + "/workbench/gifts/imports/")
    assert "还没有导入过名单" in officer.text()
    upload(officer, path)
    assert "3处要改" in officer.text() and "是负数" in officer.text() and "昨天" in officer.text()
    with page.expect_download() as marked:
        page.click("a[href$='faults.csv']")
    copy = pathlib.Path(marked.value.path()).read_text("utf-8-sig")
    assert "要改的地方" in copy and "C 金额“-5”是负数" in copy
    mended = copy.replace("'-5", "5").replace("1.005", "1").replace("昨天", str(today))
    path.write_text(mended, "utf-8-sig")
    upload(officer, path)
    assert "记入4笔，¥126.00" in officer.text() and "与各行相符" in officer.text()
    page.click("button[value=record]")
    work()
    page.click("text=刷新")
    assert "已记入4笔，¥126.00" in officer.text()
    assert Gift.objects.filter(project=project, source="offline").count() == 4
    assert figures(project_earmarks([project.pk]).values()).raised == 12_600
    upload(officer, path)
    assert "没有要加的" in officer.text()
    page.click("text=知道了")
    work()
    assert Gift.objects.filter(source="offline").count() == 4
    check()


def test_a_day_is_closed_over_one_explained_difference(
    city: Any, someone: Callable[..., Person], tmp_path: pathlib.Path
) -> None:
    raising_project(city)
    reconciling.read_balances(actor=system("journey"), now=clock.now())
    cashier = someone("cashier1")
    page = cashier.page
    cashier.go("/workbench/reconciliation/")
    page.click("a:has-text('登记账户')")
    page.fill("input[name=bank]", "农业银行")
    page.fill("input[name=number]", "6222021234567890")
    page.fill("input[name=starts_on]", str(YESTERDAY))
    page.click("main button:has-text('登记')")
    path = tmp_path / "对账单.csv"
    path.write_text(f"日期,摘要,收入,支出,余额,流水号\n{YESTERDAY},不明来款,88.00,,188.00,Z1\n", "utf-8-sig")
    page.set_input_files("input[name=file]", str(path))
    page.click("text=上传并查看")
    page.click("text=记入并对账")
    page.wait_for_selector("text=不明来款")
    assert "下一步" in cashier.text() or "是捐赠就导入名单" in cashier.text()
    page.click(f"a[href$='days/{YESTERDAY}/']")
    assert "还有1条差异没有说明原因" in cashier.text()
    assert page.locator("main aside button").is_disabled()
    cashier.go("/workbench/reconciliation/")
    page.check("input[name=key]")
    page.fill("textarea[name=reason]", "来款人正在核实，银行已去函")
    page.click("button[value=explain]")
    page.wait_for_selector("text=都对上了")
    page.click(f"a[href$='days/{YESTERDAY}/']")
    page.check("input[name=looked]")
    page.click("main aside button")
    page.wait_for_selector("text=结账，之后不能改", state="detached")
    assert "这一天的数字不能再改" in cashier.text()
    assert DayClose.objects.get().day == YESTERDAY and DayFigure.objects.exists()
    assert Difference.objects.get().explained, "the difference is still there, with its reason"
    check()
