"""Helpers of the tests of imports: lists as bytes or files, the whole way in one call."""

from __future__ import annotations

import datetime as dt
import pathlib
import tempfile
from typing import Any

from apps.donations.models import GiftImport, ListFault
from apps.donations.operations import lists
from apps.donations.states import ImportStatus
from apps.funds import operations as funds
from apps.funds.models import MicroFund
from tests import world as w

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
SLICE = """,截止至1月26日17：22分 2020年新型肺炎捐款信息,,,
,,,,单位：元
序号,捐赠日期,捐赠(单位/姓名）,捐赠金额（元）,备注
1,2020.01.23,甲\t,100,建设武汉小汤山医院
2,2020.01.23,某公司,"10,000",
3,2020.01.24,乙\t,0.5,
4,2020.01.24,乙\t,0.5,
,合计,,10101.00,
"""
"""A small slice of hubei/gifts-02 (lists of the Hubei Red Cross, January 2020), as CSV."""


def city_of_2020() -> w.World:
    return w.build(now=dt.datetime(2020, 1, 22, 9, 0, tzinfo=w.SHANGHAI), target=40_000_000_000)


def vnd_fund(city: w.World) -> MicroFund:
    """This will open a micro-fund in a currency without minor unit."""
    return funds.open_fund(
        actor=city.people["manager"], organization=city.organization, now=w.NOW, slug="yagi", name="台风救助",
        category="emergency", purpose="救助台风灾民。", currency="VND",
    )  # fmt: skip


def written(content: bytes | str, name: str = "list.csv") -> pathlib.Path:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="list-test-"))
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def start(city: w.World, content: bytes | str | pathlib.Path, **options: Any) -> GiftImport:
    path = content if isinstance(content, pathlib.Path) else written(content, options.pop("name", "list.csv"))
    plain: dict[str, Any] = {
        "actor": w.SETUP, "fund": city.fund, "project": city.project, "source": "list", "file_name": path.name,
        "currency": "CNY", "now": w.NOW,
    }  # fmt: skip
    if options.get("fund"):
        plain["project"] = None
    return lists.start_import(**{**plain, **options}, path=path)


def stage(city: w.World, content: bytes | str | pathlib.Path, **options: Any) -> GiftImport:
    listing = start(city, content, **options)
    if listing.status == ImportStatus.READING:
        listing = lists.stage_import(actor=w.SETUP, listing=listing, now=w.NOW)
    return listing


def load(city: w.World, content: bytes | str | pathlib.Path, known: str = "", **options: Any) -> GiftImport:
    """This will take a list the whole way in."""
    listing = stage(city, content, **options)
    listing = lists.decide_import(actor=w.SETUP, listing=listing, known=known, now=w.NOW, ring=False)
    return lists.record_import(actor=w.SETUP, listing=listing, now=w.NOW)


def faults(listing: GiftImport) -> set[tuple[int, str, str]]:
    return set(ListFault.objects.filter(listing=listing).values_list("row", "column", "code"))
