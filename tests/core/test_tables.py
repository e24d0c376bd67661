"""Files that are no honest table: each is refused with its own words, and nothing blows up."""

from __future__ import annotations

import datetime as dt
import io
import pathlib
import zipfile

import pytest
import xlsxwriter

from apps.core.tables import cells, columns
from apps.core.tables.faults import CellFault, letter, place
from apps.core.tables.opening import LARGEST_UNPACKED, UnreadableTable, open_table
from apps.core.tables.writing import csv_lines, neutral, xlsx_bytes

HEAD = ["日期", "姓名", "金额", "备注"]


def book(rows: list[list[object]], *, formula: str = "", macro: bool = False, second: bool = False) -> bytes:
    out = io.BytesIO()
    work = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    sheet = work.add_worksheet()
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            sheet.write(y, x, cell)
    if formula:
        sheet.write_formula(formula, "=1+1", value=2)
    if second:
        work.add_worksheet().write(0, 0, "more")
    work.close()
    content = out.getvalue()
    if macro:
        out = io.BytesIO(content)
        with zipfile.ZipFile(out, "a") as parts:
            parts.writestr("xl/vbaProject.bin", b"macro")
        content = out.getvalue()
    return content


def bomb() -> bytes:
    """A workbook of a few KB that declares a gigabyte."""
    out = io.BytesIO(book([HEAD]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as parts:
        with parts.open("xl/worksheets/sheet9.xml", "w", force_zip64=True) as file:
            for _n in range(1024):
                file.write(b"\0" * (1 << 20))
    return out.getvalue()


def liar() -> bytes:
    """A workbook whose directory says that a part is smaller than it is."""
    content = bytearray(book([HEAD] + [["2020-01-01", "x" * 30, 1, ""]] * 50))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as parts:
        size = parts.getinfo("xl/worksheets/sheet1.xml").file_size
    at = content.index(b"PK\x01\x02")
    while content[at + 46 : at + 46 + 24] != b"xl/worksheets/sheet1.xml":
        at = content.index(b"PK\x01\x02", at + 1)
    content[at + 24 : at + 28] = (size // 10).to_bytes(4, "little")
    return bytes(content)


def opened(tmp_path: pathlib.Path, content: bytes, name: str = "x.bin"):  # type: ignore[no-untyped-def]
    path = tmp_path / name
    path.write_bytes(content)
    return open_table(path)


GOOD = book([HEAD, ["2020-01-01", "甲", 1, ""]])


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "空的"), (b"\xef\xbb\xbf \r\n", "空的"), (GOOD[: len(GOOD) // 2], "打不开"), (b"PK\x03\x04junk", "打不开"),
     (b"\xd0\xcf\x11\xe0junk", "打不开"), (book([HEAD], macro=True), "宏"), (liar(), "打不开"),
     (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "不是CSV"), (b"%PDF-1.7 x", "不是CSV"), (b"<html><table></table>", "网页"),
     (bytes(range(256)) * 9, "编码"), (b"\x81" * 99, "编码"),
     (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "密码"),
     (b"\xd0\xcf\x11\xe0" + "_VBA_PROJECT".encode("utf-16-le"), "宏")],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_words(tmp_path: pathlib.Path, content: bytes, said: str) -> None:
    with pytest.raises(UnreadableTable) as refused:
        list(opened(tmp_path, content))
    assert said in str(refused.value.message)


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: pathlib.Path) -> None:
    content = bomb()
    assert len(content) < 2_000_000 and LARGEST_UNPACKED < 1 << 30
    with pytest.raises(UnreadableTable) as refused:
        opened(tmp_path, content)
    assert "200MB" in str(refused.value.message)


def test_a_document_that_is_a_zip_is_no_workbook(tmp_path: pathlib.Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("word/document.xml", "<w/>")
    with pytest.raises(UnreadableTable, match="unreadable_table"):
        opened(tmp_path, out.getvalue(), "x.xlsx")


def test_a_file_cut_off_inside_quotes_is_named_by_its_line(tmp_path: pathlib.Path) -> None:
    table = opened(tmp_path, '日期,金额\n2020-01-01,1\n2020-01-02,"2'.encode())
    with pytest.raises(UnreadableTable) as refused:
        list(table)
    assert "第3行" in str(refused.value.message)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings_that_charities_use(tmp_path: pathlib.Path, encoding: str) -> None:
    rows = "日期,姓名,金额\n2020-01-01,某某公司,100\n" * 30
    table = opened(tmp_path, rows.encode(encoding), "x.csv")
    assert [row for _n, row in table][1] == ["2020-01-01", "某某公司", "100"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(tmp_path: pathlib.Path, delimiter: str) -> None:
    table = opened(tmp_path, f"日期{delimiter}金额\n2020-01-01{delimiter}100\n".encode())
    assert list(table)[1] == (2, ["2020-01-01", "100"])


def test_formulas_and_further_sheets_are_seen(tmp_path: pathlib.Path) -> None:
    table = opened(tmp_path, book([HEAD, ["2020-01-01", "甲", 1, ""]], formula="C3", second=True))
    assert table.formulas == {(3, 2)} and table.other_sheets == 1


def test_rows_and_columns_keep_the_numbers_a_person_sees(tmp_path: pathlib.Path) -> None:
    table = opened(
        tmp_path, book([["", ""], ["", ""], ["", "日期", "金额"], ["", dt.date(2020, 1, 1).isoformat(), 5]])
    )
    assert list(table)[3] == (4, ["", "2020-01-01", 5])


@pytest.mark.parametrize(
    ("cell", "currency", "decimal", "minor"),
    [
        ("200", "CNY", ".", 20000),
        ("200.5", "CNY", ".", 20050),
        ("1,234.50", "CNY", ".", 123450),
        ("￥１，０００", "CNY", ".", 100000),
        (38422322.23999998, "CNY", ".", 3842232224),
        (100, "CNY", ".", 10000),
        ("50.000", "VND", ",", 50000),
        ("1.234,5", "CNY", ",", 123450),
        ("-3", "CNY", ".", -300),
        ("(3.00)", "CNY", ".", -300),
        ("17,222,222", "VND", ".", 17222222),
        (".5", "CNY", ".", 50),
    ],
)
def test_amounts(cell: object, currency: str, decimal: str, minor: int) -> None:
    assert cells.amount(cell, currency, decimal=decimal) == minor


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "amount_missing"),
        ("abc", "amount_unreadable"),
        ("1.005", "amount_too_fine"),
        (0.505, "amount_too_fine"),
        ("=1+1", "formula"),
        ("50.000", "amount_too_fine"),
        ("1,00", "amount_unreadable"),
        ("12,34,567", "amount_unreadable"),
        ("1e5", "amount_unreadable"),
        (True, "amount_unreadable"),
        (float("inf"), "amount_too_large"),
        (float("nan"), "amount_too_large"),
        (1e17, "amount_too_large"),
        ("9" * 20, "amount_too_large"),
        (dt.date(2020, 1, 1), "amount_unreadable"),
        ("--1", "amount_unreadable"),
        ("¥", "amount_unreadable"),
        (".", "amount_unreadable"),
    ],
)
def test_amounts_that_are_none(cell: object, code: str) -> None:
    with pytest.raises(CellFault) as refused:
        cells.amount(cell, "CNY")
    assert refused.value.code == code


def test_ten_thousands() -> None:
    assert cells.amount("1.2345", "CNY", unit=10_000) == 1_234_500
    assert cells.amount(8550.11, "CNY", unit=10_000) == 8_550_110_000
    with pytest.raises(CellFault):
        cells.amount("0.0000001", "CNY", unit=10_000)


@pytest.mark.parametrize(
    ("cell", "order", "day"),
    [
        ("2020.01.23", "ymd", (2020, 1, 23)),
        ("2020年1月3日", "ymd", (2020, 1, 3)),
        ("20200123", "ymd", (2020, 1, 23)),
        (20200123, "ymd", (2020, 1, 23)),
        ("01/09/2024", "dmy", (2024, 9, 1)),
        ("01/09/2024", "mdy", (2024, 1, 9)),
        ("2020-01-23 10:05:01", "ymd", (2020, 1, 23)),
        (dt.datetime(2020, 1, 23, 5), "ymd", (2020, 1, 23)),
        ("２０２０－０１－２３", "ymd", (2020, 1, 23)),
    ],
)
def test_days(cell: object, order: str, day: tuple[int, int, int]) -> None:
    assert cells.day(cell, order) == dt.date(*day)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "date_missing"),
        ("昨天", "date_unreadable"),
        (43853, "date_serial"),
        ("43853", "date_serial"),
        (43853.5, "date_serial"),
        ("2020-02-30", "date_unreadable"),
        (1.5, "date_unreadable"),
        ("31/31/2020", "date_unreadable"),
        (20209999, "date_unreadable"),
    ],
)
def test_days_that_are_none(cell: object, code: str) -> None:
    with pytest.raises(CellFault) as refused:
        cells.day(cell)
    assert refused.value.code == code


def test_letters() -> None:
    assert [letter(n) for n in (0, 25, 26, 701, 702, -1)] == ["A", "Z", "AA", "ZZ", "AAA", ""]
    assert all(place(letter(n)) == n for n in range(2000))
    assert place("") == place("1") == place("Ａ") == place("ABCD") == -1


def test_what_is_taken_away_never_becomes_a_formula() -> None:
    rows = [["=1+1", "+86 138", "-1", "@x", "\tx", "＝1", "甲", -5, None, dt.date(2020, 1, 1)]]
    assert (
        b"".join(csv_lines(rows))
        .decode("utf-8-sig")
        .startswith("'=1+1,'+86 138,'-1,'@x,'\tx,'＝1,甲,-5,,2020-01-01")
    )
    assert cells.text(neutral("=1+1")) == "=1+1", "and our own copy comes back as it was"
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes(rows))) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "=1+1" in sheet


def test_invisible_signs_are_gone_and_width_stays() -> None:
    assert cells.text("\u3000甲\u200b（乙）\xa0\t丙\x00\x07") == "甲（乙） 丙"
    assert cells.folded("（１）") == "(1)"


def test_columns_of_statements_and_of_lists() -> None:
    head = [
        [
            "PageId",
            "Date",
            "Time",
            "DocumentNumber",
            "ReferenceNumber",
            "TransactionDetails",
            "DebitAmount",
            "CreditAmount",
            "Balance",
            "OffsetAccount",
        ],
        ["1", "12/09/2024", "", "", "94268522", "Ung ho", "", "200,000", "34,020,836,520", ""],
    ]
    found = columns.guess(
        head, wanted=("date", "amount", "name", "note", "reference", "debit"), currency="VND"
    )
    assert found is not None
    assert dict(found.at) == {"date": 1, "amount": 7, "name": 9, "note": 5, "reference": 4, "debit": 6}
    assert (found.date_order, found.decimal, found.unit) == ("dmy", ".", 1)
    assert columns.guess([["1", "2"], ["3", "4"]], wanted=("amount", "date"), currency="CNY") is None
    in_ten_thousands = columns.guess([["捐赠人", "金额（万元）"]], wanted=("amount", "name"), currency="CNY")
    assert in_ten_thousands is not None and in_ten_thousands.unit == 10_000
