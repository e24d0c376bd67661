"""Offline gifts from lists that real charities published (../shared/data: Hubei Red Cross, January 2020).

The whole lists lie beside the project where it is developed; without them a small slice of gifts-02 stands in.
"""

from __future__ import annotations

import datetime as dt
import pathlib

import pytest
from django.core.management import CommandError, call_command

from apps.donations.lists.reading import UnreadableList, identity_keys, read_gift_sheet
from apps.donations.models import Gift
from apps.donations.operations.importing import ListHasErrors, PartlyKnown, import_gifts
from apps.ledger.queries import figures
from tests import world as w

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "hubei"
SLICE = """,截止至1月26日17：22分 2020年新型肺炎捐款信息,,,
,,,,单位：元
序号,捐赠日期,捐赠(单位/姓名）,捐赠金额（元）,备注
1,2020.01.23,甲\t,100,建设武汉小汤山医院
2,2020.01.23,某公司,"10,000",
3,2020.01.24,乙\t,0.5,
4,2020.01.24,乙\t,0.5,
,合计,,10101.00,
"""


def city_of_2020() -> w.World:
    return w.build(now=dt.datetime(2020, 1, 23, 9, 0, tzinfo=w.SHANGHAI), target=40_000_000_000)


def load(city: w.World, content: bytes, known: str = "") -> object:
    sheet = read_gift_sheet(content, currency="CNY")
    return import_gifts(actor=w.SETUP, sheet=sheet, source="list", file_name="list", fund=city.fund,
                        project=city.project, known=known, now=w.NOW)  # fmt: skip


@pytest.mark.django_db
def test_list_is_recorded_once_and_equal_rows_are_different_gifts() -> None:
    city = city_of_2020()
    load(city, SLICE.encode())
    assert Gift.objects.count() == 4
    assert figures([city.earmark]).raised == 1_010_100
    assert load(city, SLICE.encode("gb18030")) is None
    assert Gift.objects.count() == 4
    assert set(Gift.objects.values_list("shown_as", flat=True)) == {"anonymous"}


@pytest.mark.django_db
def test_some_known_rows_are_refused_until_a_person_decides() -> None:
    city = city_of_2020()
    load(city, SLICE.encode())
    other = "捐赠日期,姓名,金额,备注\n2020.01.24,乙,0.5,\n2020.01.25,丙,7,\n".encode()
    with pytest.raises(PartlyKnown) as refused:
        load(city, other)
    assert refused.value.rows == [2]
    load(city, other, known="skip")
    assert Gift.objects.count() == 5
    more = "捐赠日期,姓名,金额,备注\n2020.01.24,乙,0.5,\n2020.01.26,丁,8,\n".encode()
    load(city, more, known="add")
    assert Gift.objects.count() == 7


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "row", "column"),
    [(("10101.00", "10101.01"), 8, "D"), (("2020.01.24,乙\t,0.5", "2020.02.30,乙,0.5"), 6, "B"),
     ((",0.5,", ",0.505,"), 6, "D"), (("甲\t,100", "甲\t,-100"), 4, "D"), (("2020.01.23,甲", "2019.12.31,甲"), 4, ""),
     (('"10,000"', "1.0E+4x"), 5, "D")],
)  # fmt: skip
def test_wrong_cells_are_named_and_nothing_is_recorded(
    change: tuple[str, str], row: int, column: str
) -> None:
    city = city_of_2020()
    with pytest.raises(ListHasErrors) as refused:
        load(city, SLICE.replace(*change).encode())
    assert (row, column) in {(each.row, each.column) for each in refused.value.errors}
    assert Gift.objects.count() == 0 and figures([city.earmark]).raised == 0


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04junk", b"\xd0\xcf\x11\xe0junk", b"\xff\xfe\x00", b"a,b\n1,2\n"]
)
def test_what_is_no_list_is_refused_with_words(content: bytes) -> None:
    with pytest.raises(UnreadableList):
        read_gift_sheet(content, currency="CNY")


def test_identity_counts_occurrences() -> None:
    gifts = read_gift_sheet(SLICE.encode(), currency="CNY").gifts
    keys = identity_keys("a", gifts)
    assert len(set(keys)) == 4
    assert not set(keys) & set(identity_keys("b", gifts))


@pytest.mark.django_db
def test_command_refuses_without_traceback(tmp_path: pathlib.Path) -> None:
    city_of_2020()
    with pytest.raises(CommandError, match="no project"):
        call_command("import_gifts", str(tmp_path / "x.csv"), "--project", "nowhere", "--source", "x")
    with pytest.raises(CommandError, match="can't read"):
        call_command("import_gifts", str(tmp_path / "x.csv"), "--project", "dabing", "--source", "x")


@pytest.mark.skipif(
    not SHARED.exists(), reason="the published lists lie in ../shared/data, beside the project"
)
@pytest.mark.django_db
def test_real_list_goes_in_as_it_is() -> None:
    city = city_of_2020()
    content = (SHARED / "gifts-02.xls").read_bytes()
    load(city, content)
    assert Gift.objects.count() == 1633
    assert figures([city.earmark]).raised == 3_842_232_224
    assert load(city, content) is None
    third, fourth = ((SHARED / f"gifts-0{n}.xls").read_bytes() for n in (3, 4))
    with pytest.raises(PartlyKnown) as refused:
        load(city, third)
    assert len(refused.value.rows) == 2
    load(city, third, known="add")
    assert figures([city.earmark]).raised == 3_842_232_224 + 15_396_731_614
    assert load(city, fourth) is None, "04 is 03 published again"
    assert Gift.objects.count() == 1633 + 1995
