"""Lists of goods as charities publish them. The real ones (Wuhan Red Cross, 22-30 January 2020, collected in the public
repository WeileiZeng/red-cross) are read where they are at hand; what is kept here has their shape."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.core.errors import DomainError
from apps.core.tables.opening import UnreadableTable
from apps.inventory import operations as ops
from apps.inventory.lists.matching import matches
from apps.inventory.lists.reading import read_list
from apps.inventory.models import BoardRow, Consignment, Dispatch, GoodsImport, Lot, LotTotal, Unit
from apps.inventory.operations.importing import LotGone, judged_rows
from tests.inventory import goods as g

pytestmark = pytest.mark.django_db
REAL = Path(os.environ.get("REAL_LISTS", Path(__file__).resolve().parents[3] / "shared" / "data")) / "wuhan"
real = pytest.mark.skipif(
    not REAL.is_dir(), reason="the published lists are not here: set REAL_LISTS to their folder"
)


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def asked(listing: GoodsImport) -> list[tuple[str, int, str]]:
    return [(each.code, each.row, each.column) for each in judged_rows(listing).questions]


def test_what_is_read_what_is_asked_what_is_recorded() -> None:
    store = g.build()
    listing = g.start_list(store)
    assert asked(listing) == [("unit_unknown", 10, "D")]
    assert [row for row, _words in listing.prose] == [1, 2, 11, 12]
    with pytest.raises(DomainError):
        ops.record_import(actor=store.keeper, listing=listing, now=g.NOW)
    assert not Lot.objects.exists()
    with pytest.raises(DomainError):
        ops.answer_import(actor=store.keeper, listing=listing, answers={"unit:提": "斗"}, now=g.NOW)
    listing = ops.answer_import(actor=store.keeper, listing=listing, answers={"unit:提": "new:0"}, now=g.NOW)
    done = ops.record_import(actor=store.keeper, listing=listing, now=g.NOW)
    assert (done.recorded, done.known) == (6, 0) and Unit.objects.get(code="提").places == 0
    first = Lot.objects.get(item="口罩", unit="箱", quantity=5)
    assert (first.per_unit, first.inner_unit_id, first.quantity) == (200, "个", 5)
    assert Lot.objects.get(item="护目镜").quantity == 1_200
    assert Lot.objects.get(item="消毒液").per_unit is None, "5L*4瓶/件 is no factor of 瓶"
    assert Lot.objects.filter(item="口罩", quantity=2).count() == 2, "a doubled row is two gifts"
    givers = list(Consignment.objects.order_by("id").values_list("donor_name", flat=True))
    assert givers == ["甲公司", "乙公司", "爱心人士"]
    carried = Lot.objects.get(item="护目镜").consignment
    assert carried is not None and carried.donor_name == "甲公司"
    assert not Consignment.objects.exclude(shown="anonymous").exists()
    g.check()


def test_the_same_list_again_adds_nothing_and_half_a_list_is_asked_about(tmp_path: Path) -> None:
    store = g.build()

    def bring(text: str, known: str = "") -> GoodsImport:
        listing = g.start_list(store, path=csv(tmp_path, text))
        listing = ops.answer_import(
            actor=store.keeper, listing=listing, answers={"unit:提": "包"}, known_as=known, now=g.NOW
        )
        return ops.record_import(actor=store.keeper, listing=listing, now=g.NOW)

    assert bring(g.SLICE).recorded == 6
    again = bring("另一个标题,,,\n" + g.SLICE)
    assert (again.recorded, again.known) == (0, 6)
    more = g.SLICE.replace("合计,", "丙公司,帐篷,,3件\n合计,")
    with pytest.raises(DomainError) as refused:
        bring(more)
    assert refused.value.code == "list_partly_known" and Lot.objects.count() == 6
    assert bring(more, "skip").recorded == 1
    both = bring(more.replace("帐篷", "睡袋"), "add")
    assert (both.recorded, Lot.objects.count()) == (7, 14)
    assert bring(more.replace("帐篷", "睡袋"), "skip").recorded == 0


def test_given_out_becomes_dispatches_that_arrived() -> None:
    store = g.build()
    listing = g.start_list(store, "given", day=None)
    assert listing.day == dt.date(2020, 1, 30) and not asked(listing)
    assert ops.record_import(actor=store.keeper, listing=listing, now=g.NOW).recorded == 3
    rows = list(Dispatch.objects.order_by("id").values_list("receiver_name", "status"))
    assert rows == [("市一医院", "closed"), ("市一医院", "closed"), ("市二医院", "closed")]
    assert all(total.delivered == total.received > 0 for total in LotTotal.objects.all())
    assert BoardRow.objects.get(unit="箱").delivered == 20
    assert (
        ops.record_import(actor=store.keeper, listing=g.start_list(store, "given", day=None), now=g.NOW).known
        == 3
    )
    g.check()


@pytest.mark.parametrize(
    ("amount", "code"),
    [("", "amount_missing"), ("12", "unit_missing"), ("2-3箱", "amount_unreadable"), ("约5箱", "amount_unreadable"),
     ("一批", "amount_unreadable"), ("0箱", "amount_not_positive"), ("-5箱", "amount_unreadable"),
     ("2.5箱", "fraction"),
     ("5斗", "unit_unknown"), ("2箱+3盒", "amount_unreadable")],
)  # fmt: skip
def test_what_cant_be_known_is_asked_and_can_be_answered(tmp_path: Path, amount: str, code: str) -> None:
    store = g.build()
    listing = g.start_list(store, path=csv(tmp_path, f"捐赠单位,品名,数量\n甲,口罩,{amount}\n甲,手套,1箱\n"))
    ((found, row, column),) = asked(listing)
    assert (found, row, column) == (code, 2, "C")
    name = judged_rows(listing).questions[0].name
    said = "箱" if code == "unit_unknown" else "2箱；3盒"
    listing = ops.answer_import(actor=store.keeper, listing=listing, answers={name: said}, now=g.NOW)
    assert ops.record_import(actor=store.keeper, listing=listing, now=g.NOW).recorded == (
        2 if said == "箱" else 3
    )


def test_other_shapes(tmp_path: Path) -> None:
    """Merged cells, a header of other words, dates as text, a party above its goods, an item that is missing."""
    path = tmp_path / "other.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 5, "某会捐赠物资明细")
    for x, title in enumerate(["序号", "捐赠方", "物资名称", "规格型号", "数量", "单位", "捐赠时间"]):
        sheet.write(1, x, title)
    rows = [
        [1, "甲公司", "口罩", "", 100, "只", "2020.01.26"],
        [2, "", "手套", "", 30, "双", "2020.01.26"],
        [3, "乙公司", "", "", 7, "台", "2020年1月27日"],
    ]
    for y, row in enumerate(rows, 2):
        for x, cell in enumerate(row):
            sheet.write(y, x, cell)
    sheet.merge_range(5, 4, 6, 4, 6000)
    for y, item in ((5, "口罩A"), (6, "口罩B")):
        sheet.write(y, 1, "丙公司")
        sheet.write(y, 2, item)
    sheet.write(5, 5, "个")
    sheet.write(5, 6, "2020.01.28")
    sheet.write(7, 1, "合计")
    sheet.write(7, 4, 6137)
    book.close()
    store = g.build()
    listing = g.start_list(store, path=path, day=None)
    assert asked(listing) == [("item_missing", 5, "C")]
    listing = ops.answer_import(actor=store.keeper, listing=listing, answers={"item:5": "消毒机"}, now=g.NOW)
    ops.record_import(actor=store.keeper, listing=listing, now=g.NOW)
    assert list(Lot.objects.order_by("id").values_list("item", "quantity", "unit", "received_on")) == [
        ("口罩", 100, "只", dt.date(2020, 1, 26)), ("手套", 30, "双", dt.date(2020, 1, 26)),
        ("消毒机", 7, "台", dt.date(2020, 1, 27)), ("口罩A／口罩B", 6000, "个", dt.date(2020, 1, 28)),
    ]  # fmt: skip


def test_no_header_no_day_no_goods_a_private_item(tmp_path: Path) -> None:
    store = g.build()
    with pytest.raises(UnreadableTable):
        read_list(csv(tmp_path, "甲,乙,丙\n1,2,3\n"), "received")
    with pytest.raises(DomainError) as refused:
        g.start_list(store, day=None)
    assert refused.value.code == "list_day_missing"
    with pytest.raises(DomainError):
        g.start_list(store, path=csv(tmp_path, "捐赠单位,品名,数量\n"))
    with pytest.raises(DomainError):
        g.start_list(store, day=dt.date(2030, 1, 1))
    with pytest.raises(DomainError):
        g.start_list(store, actor=store.caseworker)
    listing = g.start_list(store, path=csv(tmp_path, "捐赠单位,品名,数量\n甲,口罩（电话13800001234）,2箱\n"))
    assert [code for code, _row, _column in asked(listing)] == ["item_private"]
    assert GoodsImport.objects.count() == 1


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = g.build()
    words = [
        str(g.slice_of()),
        "--kind",
        "received",
        "--warehouse",
        "main",
        "--source",
        "某会",
        "--category",
        "medical",
    ]
    with pytest.raises(CommandError, match="日期"):
        call_command("import_goods", *words)
    words += ["--date", "2020-01-28"]
    with pytest.raises(CommandError):
        call_command("import_goods", *words)
    assert "row 10, column D" in capsys.readouterr().out and not Lot.objects.exists()
    call_command("import_goods", *words, "--unit", "提=包", "--dry-run")
    assert not Lot.objects.exists()
    call_command("import_goods", *words, "--unit", "提=包", "--row", "4=7箱")
    assert "Recorded 6 lots" in capsys.readouterr().out
    assert Lot.objects.filter(quantity=Decimal(7)).exists() and store


@real
def test_the_published_list_of_goods_received() -> None:
    store = g.build()
    listing = g.start_list(store, path=REAL / "goods-received-6.xlsx")
    assert [(each.row, each.detail) for each in judged_rows(listing).questions] == [(83, "提"), (183, "人份")]
    listing = ops.answer_import(
        actor=store.keeper, listing=listing, answers={"unit:提": "new:0", "unit:人份": "new:0"}, now=g.NOW
    )
    assert ops.record_import(actor=store.keeper, listing=listing, now=g.NOW).recorded == 209
    assert Lot.objects.get(item__startswith="迈康一次性口罩").quantity == 6000
    again = g.start_list(store, path=REAL / "goods-received-6.xlsx")
    assert ops.record_import(actor=store.keeper, listing=again, now=g.NOW).recorded == 0
    g.check()


@real
def test_a_line_comes_out_of_stock_only_when_a_person_says_so() -> None:
    store = g.build()
    long_ago = dt.datetime(2020, 1, 20, tzinfo=dt.UTC)
    lot = g.stored(store, g.draft("口罩", "20", "箱", category="medical"), now=long_ago)
    for name in ("护目镜", "护目镜"):
        g.stored(store, g.draft(name, "9", "箱", category="medical", spec="200个/箱"), now=long_ago)
    listing = g.start_list(store, "given", day=None)
    (offered,) = matches(listing, judged_rows(listing).rows).values()
    assert (offered.lot, offered.said) == (lot, False), "two lots of goggles: nobody can tell which"
    row = next(row.row for row in judged_rows(listing).rows if row.item == "口罩")
    listing = ops.answer_import(
        actor=store.keeper, listing=listing, answers={f"lot:{row}": lot.number}, now=g.NOW
    )
    assert ops.record_import(actor=store.keeper, listing=listing, now=g.NOW).recorded == 3
    total = LotTotal.objects.get(lot=lot)
    assert (total.received, total.in_stock, total.delivered) == (20, 5, 15)
    assert Lot.objects.count() == 5, "the other two lines are lots of their own"
    g.check()


def test_a_lot_that_has_left_meanwhile_stops_the_list() -> None:
    store = g.build()
    lot = g.stored(
        store, g.draft("口罩", "15", "箱", category="medical"), now=dt.datetime(2020, 1, 20, tzinfo=dt.UTC)
    )
    listing = g.start_list(store, "given", day=None)
    row = next(row.row for row in judged_rows(listing).rows if row.item == "口罩")
    listing = ops.answer_import(
        actor=store.keeper, listing=listing, answers={f"lot:{row}": lot.number}, now=g.NOW
    )
    g.sent(store, lot, "1")
    with pytest.raises(LotGone, match=lot.number):
        ops.record_import(actor=store.keeper, listing=listing, now=g.NOW)
    assert Lot.objects.count() == 1
    listing = ops.answer_import(
        actor=store.keeper, listing=listing, answers={f"lot:{row}": "none"}, now=g.NOW
    )
    assert ops.record_import(actor=store.keeper, listing=listing, now=g.NOW).recorded == 3


def test_the_published_list_of_goods_given_out() -> None:
    store = g.build()
    listing = g.start_list(store, "given", path=REAL / "goods-given-out.xlsx", day=None)
    assert not asked(listing) and listing.day == dt.date(2020, 1, 30)
    assert ops.record_import(actor=store.keeper, listing=listing, now=g.NOW).recorded == 202
    assert Dispatch.objects.filter(receiver_name="武汉市金银潭医院").count() == 24
    g.check()
