"""Offline gifts from lists that real charities published (../shared/data: Hubei and Wuhan Red Cross, Vietnam's
Fatherland Front). The whole lists lie beside the project where it is developed; a small slice of gifts-02 stands in.
"""

from __future__ import annotations

import datetime as dt
import io
import pathlib

import pytest
from django.core.management import CommandError, call_command

from apps.core.invariants import ordered
from apps.donations.models import Gift, GiftImport, GiftList, GiftSource, StagedGift
from apps.donations.operations import lists
from apps.donations.states import ImportStatus
from apps.ledger.models import Entry
from apps.ledger.queries import figures
from tests import world as w
from tests.donations.lists import SHARED, SLICE, city_of_2020, faults, load, stage, start, vnd_fund, written

needs_lists = pytest.mark.skipif(
    not SHARED.exists(), reason="the published lists lie in ../shared/data, beside the project"
)


@pytest.mark.django_db
def test_list_is_recorded_once_and_equal_rows_are_different_gifts() -> None:
    city = city_of_2020()
    done = load(city, SLICE)
    assert done.gift_list is not None and done.gift_list.added == 4 and done.gift_list.total == 1_010_100
    assert Gift.objects.count() == 4
    assert figures([city.earmark]).raised == 1_010_100
    again = load(city, SLICE.encode("gb18030"))
    assert again.status == ImportStatus.DONE and again.gift_list is None, "nothing to add"
    assert Gift.objects.count() == 4
    assert set(Gift.objects.values_list("shown_as", flat=True)) == {"anonymous"}
    assert len(set(Gift.objects.values_list("token", flat=True))) == 4
    assert {len(token) for token in Gift.objects.values_list("token", flat=True)} == {43}
    assert not StagedGift.objects.exists(), "names are kept once"
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


@pytest.mark.django_db
def test_some_known_rows_are_refused_until_a_person_decides() -> None:
    city = city_of_2020()
    load(city, SLICE)
    other = "捐赠日期,姓名,金额,备注\n2020.01.24,乙,0.5,\n2020.01.25,丙,7,\n"
    with pytest.raises(lists.PartlyKnown) as refused:
        load(city, other)
    assert refused.value.rows == [2]
    assert load(city, other, known="skip").gift_list.added == 1  # type: ignore[union-attr]
    assert Gift.objects.count() == 5
    more = "捐赠日期,姓名,金额,备注\n2020.01.24,乙,0.5,\n2020.01.26,丁,8,\n"
    load(city, more, known="add")
    assert Gift.objects.count() == 7
    assert load(city, more).gift_list is None, "what was added once is known for ever"
    assert Gift.objects.count() == 7


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "row", "column", "code"),
    [
        (("10101.00", "10101.01"), 8, "D", "total_differs"),
        (("2020.01.24,乙\t,0.5", "2020.02.30,乙,0.5"), 6, "B", "date_unreadable"),
        ((",0.5,", ",0.505,"), 6, "D", "amount_too_fine"),
        (("甲\t,100", "甲\t,-100"), 4, "D", "amount_negative"),
        (("2020.01.23,甲", "2019.12.01,甲"), 4, "B", "outside_period"),
        (("2020.01.23,甲", "2020.01.20,甲"), 4, "B", "not_raising"),
        (('"10,000"', "1.0E+4x"), 5, "D", "amount_unreadable"),
        (("2020.01.23,甲", "43853,甲"), 4, "B", "date_serial"),
        (("2020.01.23,甲", "2120.01.23,甲"), 4, "B", "date_future"),
        (("2020.01.23,甲", ",甲"), 4, "B", "date_missing"),
        (("甲\t,100", "甲\t,"), 4, "D", "amount_missing"),
        (("甲\t,100", "甲\t,0"), 4, "D", "amount_zero"),
        (("甲\t,100", "甲\t,=50+50"), 4, "D", "formula"),
        (("10101.00", "没有"), 8, "D", "total_unreadable"),
        (("甲\t,100", "甲" * 121 + ",100"), 4, "C", "too_long"),
        (("甲\t,100", "甲\t,9" + "9" * 16), 4, "D", "amount_too_large"),
        ((",合计,,10101.00,\n", ",合计,,10101.00,\n5,2020.01.24,戊,1,\n"), 9, "A", "after_total"),
    ],
)
def test_wrong_cells_are_named_and_nothing_is_recorded(
    change: tuple[str, str], row: int, column: str, code: str
) -> None:
    city = city_of_2020()
    assert change[0] in SLICE
    listing = stage(city, SLICE.replace(*change))
    assert (row, column, code) in faults(listing)
    with pytest.raises(lists.ListHasErrors):
        lists.decide_import(actor=w.SETUP, listing=listing, known="", now=w.NOW)
    assert Gift.objects.count() == 0 and figures([city.earmark]).raised == 0


@pytest.mark.django_db
def test_full_width_digits_and_signs_are_read() -> None:
    city = city_of_2020()
    load(city, SLICE.replace("甲\t,100", "甲\t,￥１００．００元"))
    assert figures([city.earmark]).raised == 1_010_100


@pytest.mark.django_db
def test_long_numbers_that_a_spreadsheet_mangled_are_refused() -> None:
    city = city_of_2020()
    listing = stage(
        city, "日期,姓名,金额,流水号\n2020-01-23,甲,1,1.0E+17\n2020-01-23,乙,1,100000000000000001\n"
    )
    assert faults(listing) == {(2, "D", "number_mangled")}


@pytest.mark.django_db
def test_a_reference_names_a_gift_whatever_else_the_row_says() -> None:
    city = city_of_2020()
    load(
        city,
        "日期,姓名,金额,流水号\n2020-01-23,甲,5,T1\n2020-01-23,甲,5,T2\n",
        account="6222",
        source="网银一月",
    )
    again = load(
        city,
        "日期,户名,金额,流水号\n2020-01-23,甲 先生,5,T1\n2020-01-23,甲,5,T2\n",
        account="6222",
        source="网银",
    )
    assert again.gift_list is None
    assert (
        load(city, "日期,姓名,金额,流水号\n2020-01-23,甲,5,T1\n", account="6223", source="网银").gift_list
        is not None
    )
    assert sorted(Gift.objects.values_list("bank_reference", flat=True)) == ["T1", "T1", "T2"]


@pytest.mark.django_db
def test_an_undated_list_asks_for_its_day() -> None:
    city = city_of_2020()
    undated = "捐赠人,金额\n甲,1\n乙,2\n共计2人次,总金额3.00\n"
    listing = start(city, undated)
    assert listing.status == ImportStatus.ASKING
    from apps.core.tables.columns import Columns

    chosen = Columns.from_json(listing.columns)
    with pytest.raises(lists.errors.DateWanted):
        lists.change_import(actor=w.SETUP, listing=listing, columns=chosen, day=None, now=w.NOW)
    lists.change_import(actor=w.SETUP, listing=listing, columns=chosen, day=dt.date(2020, 1, 24), now=w.NOW)
    listing.refresh_from_db()
    listing = lists.stage_import(actor=w.SETUP, listing=listing, now=w.NOW)
    assert (listing.gifts, listing.total, listing.stated_total) == (2, 300, 300)


@pytest.mark.django_db
def test_columns_are_remembered_for_the_next_list_of_a_source() -> None:
    city = city_of_2020()
    from apps.core.tables.columns import Columns

    odd = "何时,谁,多少,说明\n23/01/2020,甲,1.234,\n24/01/2020,乙,2.000,50\n"
    listing = start(city, odd)
    assert listing.status == ImportStatus.ASKING and listing.columns is None
    chosen = Columns(
        1, {"date": 0, "name": 1, "amount": 2}, {"date": "何时", "name": "谁", "amount": "多少"}, "dmy", ","
    )
    lists.change_import(actor=w.SETUP, listing=listing, columns=chosen, day=None, now=w.NOW)
    listing.refresh_from_db()
    listing = lists.stage_import(actor=w.SETUP, listing=listing, now=w.NOW)
    assert listing.total == 323_400
    lists.decide_import(actor=w.SETUP, listing=listing, known="", now=w.NOW)
    lists.record_import(actor=w.SETUP, listing=listing, now=w.NOW)
    assert GiftSource.objects.get().name == "list"
    other = start(city, "标题,,,\n说明,多少,谁,何时\n,5.000,丙,25/01/2020\n")
    assert other.status == ImportStatus.READING and other.columns["at"] == {"date": 3, "name": 2, "amount": 1}
    assert other.columns["decimal"] == ","


@pytest.mark.django_db
def test_staged_rows_lost_in_a_crash_are_read_again() -> None:
    city = city_of_2020()
    listing = stage(city, SLICE)
    lists.decide_import(actor=w.SETUP, listing=listing, known="", now=w.NOW)
    StagedGift.objects.all().delete()
    assert lists.record_import(actor=w.SETUP, listing=listing, now=w.NOW).status == ImportStatus.READING
    assert not Gift.objects.exists()
    assert lists.work_import(pk=listing.pk, now=w.NOW) and StagedGift.objects.count() == 4


@pytest.mark.django_db
def test_a_cancelled_import_records_nothing() -> None:
    city = city_of_2020()
    listing = stage(city, SLICE)
    lists.decide_import(actor=w.SETUP, listing=listing, known="", now=w.NOW)
    lists.cancel_import(actor=w.SETUP, listing=listing, now=w.NOW)
    with pytest.raises(lists.errors.ImportCancelled):
        lists.record_import(actor=w.SETUP, listing=listing, now=w.NOW)
    listing.refresh_from_db()
    assert listing.status == ImportStatus.CANCELLED
    assert not Gift.objects.exists() and not Entry.objects.exists() and not StagedGift.objects.exists()


@pytest.mark.django_db
def test_forgotten_imports_end_and_their_names_go() -> None:
    city = city_of_2020()
    listing = stage(city, SLICE)
    assert lists.end_forgotten_imports(now=w.NOW + dt.timedelta(days=13)) == 0
    assert lists.end_forgotten_imports(now=w.NOW + dt.timedelta(days=15)) == 1
    listing.refresh_from_db()
    assert listing.status == ImportStatus.CANCELLED and not listing.parts.exists()


@pytest.mark.django_db
def test_the_same_file_brought_twice_is_one_import() -> None:
    city = city_of_2020()
    assert start(city, SLICE).pk == start(city, SLICE).pk
    assert GiftImport.objects.count() == 1


@pytest.mark.django_db
def test_a_filled_target_ends_the_campaign() -> None:
    city = w.build(now=dt.datetime(2020, 1, 22, 9, 0, tzinfo=w.SHANGHAI), target=1_000_000)
    load(city, SLICE)
    w.work()
    city.project.refresh_from_db()
    assert city.project.status == "closed"


@pytest.mark.django_db
def test_command_says_what_it_does(tmp_path: pathlib.Path) -> None:
    city_of_2020()
    path = written(SLICE)
    for options in (["--dry-run"], []):
        out = io.StringIO()
        call_command(
            "import_gifts", str(path), "--project", "dabing", "--source", "list", *options, stdout=out
        )
        assert "4 gifts, ¥10,101.00; new 4, known 0" in out.getvalue()
        assert Gift.objects.count() == (0 if options else 4)
    assert "Recorded 4 gifts, ¥10,101.00." in out.getvalue()
    out = io.StringIO()
    call_command("import_gifts", str(path), "--project", "dabing", "--source", "list", stdout=out)
    assert out.getvalue().strip().endswith("Nothing to add: every gift of this list is recorded already.")
    assert GiftList.objects.count() == 1


@pytest.mark.django_db
def test_command_refuses_without_traceback(tmp_path: pathlib.Path) -> None:
    city_of_2020()
    with pytest.raises(CommandError, match="no project"):
        call_command("import_gifts", str(tmp_path / "x.csv"), "--project", "nowhere", "--source", "x")
    with pytest.raises(CommandError, match="can't read"):
        call_command("import_gifts", str(tmp_path / "x.csv"), "--project", "dabing", "--source", "x")
    undated = written("捐赠人,金额\n甲,1\n")
    with pytest.raises(CommandError, match="--date"):
        call_command("import_gifts", str(undated), "--project", "dabing", "--source", "x")
    call_command("import_gifts", str(undated), "--project", "dabing", "--source", "x", "--date", "2020-01-23")
    with pytest.raises(CommandError, match="--column"):
        call_command("import_gifts", str(written("1,2\n3,4\n")), "--project", "dabing", "--source", "x")
    some = written("捐赠人,金额\n甲,1\n乙,2\n")
    with pytest.raises(CommandError, match="skip"):
        call_command(
            "import_gifts", str(some), "--project", "dabing", "--source", "x", "--date", "2020-01-23"
        )
    call_command(
        "import_gifts",
        str(some),
        "--project",
        "dabing",
        "--source",
        "x",
        "--date",
        "2020-01-23",
        "--known",
        "skip",
    )
    assert Gift.objects.count() == 2
    assert not GiftImport.objects.exclude(status__in=["done", "cancelled"]).exists()


@needs_lists
@pytest.mark.django_db
def test_hubei_lists_go_in_as_they_are() -> None:
    city = city_of_2020()
    second = SHARED / "hubei" / "gifts-02.xls"
    assert load(city, second).gifts == 1633
    assert figures([city.earmark]).raised == 3_842_232_224
    assert load(city, second).gift_list is None
    third = SHARED / "hubei" / "gifts-03.xls"
    with pytest.raises(lists.PartlyKnown) as refused:
        load(city, third)
    assert len(refused.value.rows) == 2
    load(city, third, known="add")
    assert figures([city.earmark]).raised == 3_842_232_224 + 15_396_731_614
    assert load(city, SHARED / "hubei" / "gifts-04.xls").gift_list is None, "04 is 03 published again"
    assert Gift.objects.count() == 1633 + 1995, "31 rows that stand more than once stay"
    load(city, SHARED / "hubei" / "gifts-05.xls")
    assert figures([city.earmark]).raised == 3_842_232_224 + 15_396_731_614 + 8_051_659_300
    assert Gift.objects.count() == 1633 + 1995 + 6661
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


@needs_lists
@pytest.mark.django_db
def test_wuhan_lists_ask_for_a_day_and_know_their_prose() -> None:
    city = city_of_2020()
    bank, cash = (SHARED / "wuhan" / name for name in ("bank-abc-received.xlsx", "cash-received-7.xlsx"))
    assert start(city, bank).status == ImportStatus.ASKING
    done = load(city, bank, day=dt.date(2020, 1, 29), source="abc")
    assert (done.gifts, done.total, done.stated_total) == (745, 6_160_958_505, 6_160_958_505)
    assert done.notes == ["count:746"], "746 persons in 745 rows, as published; the sum agrees"
    done = load(city, cash, day=dt.date(2020, 1, 29), source="cash", paid_by="cash")
    assert done.gifts == 100
    assert [words for _row, words in done.prose][1:] == ["武汉市红十字会", "2020-01-30"]


@needs_lists
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "rows", "total", "prose"),
    [
        ("agribank", 2493, 9_532_495_377, 0),
        ("vietcombank", 9999, 11_135_117_800, 1),
        ("vietinbank", 6474, 2_754_947_882, 0),
    ],
)
def test_vietnamese_statements_go_in_as_gifts(name: str, rows: int, total: int, prose: int) -> None:
    city = city_of_2020()
    fund = vnd_fund(city)
    path = SHARED / "vietnam" / f"{name}.csv"
    done = load(city, path, fund=fund, project=None, currency="VND", source=name)
    assert (done.gifts, done.total, len(done.prose)) == (rows, total, prose)
    assert Gift.objects.filter(fund=fund).count() == rows
    assert load(city, path, fund=fund, project=None, currency="VND", source=name).gift_list is None
