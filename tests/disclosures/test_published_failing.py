"""The published failing, caught: with the real lists recorded, a report that states other totals needs its explanation.

The lists are those that the Hubei and Wuhan Red Cross published in January and February 2020 (../shared/data); a slice
of one stands in tests/donations/lists.py, so that a fresh clone proves the same with it.
"""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client
from pytest_django.asserts import assertContains
from python_calamine import CalamineWorkbook

from apps.disclosures import operations as op
from apps.disclosures.errors import DifferenceUnexplained
from apps.disclosures.models import Report
from apps.disclosures.operations import LineInput
from apps.funds import operations as funds
from tests import world as w
from tests.disclosures import scene
from tests.donations.lists import SHARED, SLICE, city_of_2020, load

pytestmark = pytest.mark.django_db
needs_lists = pytest.mark.skipif(
    not SHARED.exists(), reason="the published lists lie in ../shared/data, beside the project"
)
HUBEI = {"gifts-02.xls": 3_842_232_224, "gifts-03.xls": 15_396_731_614, "gifts-05.xls": 8_051_659_300}
INCOME = ("income", "channel:bank")


def result_of(city: w.World) -> Report:
    """The draft of the campaign's result, over the days of the lists."""
    funds.close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    w.work()
    duty = scene.next_duty(city, "fundraising_result")
    return op.start_report(actor=city.people["officer"], duty=duty, now=w.NOW)


def stated(city: w.World, report: Report, fen: int, why: str = "") -> Report:
    lines = {**scene.as_computed(report), INCOME: LineInput(fen, why)}
    return op.submit_report(
        actor=city.people["officer"], report=report, narrative=scene.NARRATIVE, lines=lines, now=w.NOW
    )


def refused(city: w.World, report: Report, fen: int) -> None:
    with pytest.raises(DifferenceUnexplained) as said:
        stated(city, report, fen)
    assert said.value.labels == ["银行转账"]
    assert Report.objects.get(pk=report.pk).status == "draft"


def caught(city: w.World, sum_of_lists: int, published: int) -> None:
    """Refused as stated and refused when off by one fen; with an explanation the page shows all three figures."""
    report = result_of(city)
    assert report.lines.get(section="income").computed == sum_of_lists
    for fen in (published, sum_of_lists + 1, sum_of_lists - 1):
        refused(city, report, fen)
    stated(city, report, published, "公示时重复计入，正在核对。")
    scene.auditor(scene.firm(1))
    scene.audited(city, report, scene.Auditors(), opinion="adverse", now=w.NOW)
    report = op.publish_report(actor=city.people["manager"], report=report, now=w.NOW)
    said = json.loads(bytes(report.frozen or b""))
    [line] = [line for line in said["lines"] if line["key"] == "channel:bank"]
    assert (line["reported"], line["computed"], line["difference"]) == (
        published, sum_of_lists, published - sum_of_lists
    )  # fmt: skip
    page = Client().get(f"/disclosures/{report.public_id}/")
    for figure in (published, sum_of_lists, abs(published - sum_of_lists)):
        assertContains(page, f"{figure // 100:,}.{figure % 100:02d}")
    assertContains(page, "公示时重复计入，正在核对。")


def test_a_slice_of_the_list() -> None:
    city = city_of_2020()
    load(city, SLICE)
    caught(city, 1_010_100, 1_010_200)


@needs_lists
def test_hubeis_totals_off_by_a_fen() -> None:
    city = city_of_2020()
    for name in HUBEI:
        load(city, SHARED / "hubei" / name, known="add")
    report = result_of(city)
    total = sum(HUBEI.values())
    assert report.lines.get(section="income").computed == total
    for fen in (total - 1, total + 1):
        refused(city, report, fen)
    assert stated(city, report, total).status == "submitted"


@needs_lists
def test_wuhans_published_totals() -> None:
    """28 January: 386 million as published beside what the lists of the accounts hold."""
    book = CalamineWorkbook.from_path(SHARED / "wuhan" / "published-totals.xlsx")
    cells = [
        cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row
    ]
    figures = {round(cell * 100) for cell in cells if isinstance(cell, float) and cell > 10_000_000}
    largest = max(figures)
    assert largest > 38_000_000_000 // 10
    city = city_of_2020()
    load(city, SHARED / "wuhan" / "bank-abc-received.xlsx", day=dt.date(2020, 1, 28))
    caught(city, 6_160_958_505, largest)
