"""The cashier's pages of reconciliation, and who else may look."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.core.models import ExportRecord
from apps.payments.models import BankLine, DayClose, Difference, Explanation, StatementDraft
from apps.payments.operations import reconciling
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.payments.desk import HEAD, NEXT, SYSTEM

pytestmark = pytest.mark.django_db
DESK = "/workbench/reconciliation/"
LINES = HEAD + "2026-11-23,不明来款,88.00,,188.00,某人,Z1\n2026-11-24,结算,198.80,,386.80,支付机构,Z2\n"


@pytest.fixture
def city() -> w.World:
    return w.build()


def client(city: w.World, who: str) -> Client:
    return with_session(account_of(city.people[who], f"{who}@example.org"), second=True)


def bring(cashier: Client, content: str) -> str:
    account = Difference._meta.apps.get_model("payments", "BankAccount").objects.get()
    answer = cashier.post(
        f"{DESK}statements/new/",
        {"account": account.pk, "file": SimpleUploadedFile("s.csv", content.encode())},
    )
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_a_day_from_statement_to_close(city: w.World) -> None:
    w.give(city, 20_000)
    with time_machine.travel(NEXT, tick=False):
        reconciling.read_balances(actor=SYSTEM, now=NEXT)
        cashier = client(city, "cashier")
        assert "还没有登记账户" in cashier.get(DESK).content.decode()
        form = {
            "bank": "农业银行",
            "number": "6222 0212 3456 7890",
            "currency": "CNY",
            "starts_on": "2026-11-23",
        }
        assert cashier.post(f"{DESK}accounts/new/", {**form, "number": "+"}).status_code == 422
        assert cashier.post(f"{DESK}accounts/new/", form).status_code == 302
        again = cashier.post(f"{DESK}accounts/new/", form)
        assert again.status_code == 422 and "已经登记过" in again.content.decode()
        where = bring(cashier, LINES.replace("386.80", "386.70"))
        assert "接不上" in cashier.get(where).content.decode()
        cashier.post(where, {"act": "drop"})
        where = bring(cashier, LINES)
        page = cashier.get(where).content.decode()
        assert "逐行余额都接得上" in page and "¥100.00" in page and "不明来款" in page
        assert cashier.post(where, {"act": "record"}).status_code == 302
        assert BankLine.objects.count() == 2 and not StatementDraft.objects.exists()
        page = cashier.get(DESK).content.decode()
        assert "不明来款" in page and "¥88.00" in page and "导入名单" in page
        day = f"{DESK}days/2026-11-23/"
        page = cashier.get(day).content.decode()
        assert "还有1条差异没有说明原因" in page and "¥200.00" in page
        assert cashier.post(day, {"looked": "1"}).status_code == 422 and not DayClose.objects.exists()
        key = Difference.objects.get().key
        short = cashier.post(DESK, {"act": "explain", "key": key, "reason": "不"})
        assert (
            short.status_code == 422
            and "请写明原因" in short.content.decode()
            and ">不</textarea>" in short.content.decode()
        )
        assert (
            cashier.post(DESK, {"act": "explain", "key": key, "reason": "来款人正在核实"}).status_code == 302
        )
        assert "都对上了" in cashier.get(DESK).content.decode()
        assert "不明来款" in cashier.get(f"{DESK}?explained=1").content.decode()
        assert cashier.post(day).status_code == 422 and not DayClose.objects.exists(), (
            "a second look is asked for"
        )
        assert cashier.post(day, {"looked": "1"}).status_code == 302
        assert "已由cashier于" in cashier.get(day).content.decode()
        assert Explanation.objects.get().explained_by == city.people["cashier"].person_id


def test_supervisor_and_manager_look_and_do_nothing(city: w.World) -> None:
    with time_machine.travel(NEXT, tick=False):
        for who in ("supervisor", "manager"):
            visitor = client(city, who)
            page = visitor.get(DESK).content.decode()
            assert "都对上了" in page and "导入对账单" not in page
            assert visitor.post(DESK, {"act": "explain", "key": "x", "reason": "因为所以"}).status_code == 403
            assert visitor.get(f"{DESK}statements/new/").status_code == 403
            assert visitor.post(f"{DESK}days/2026-11-23/", {"looked": "1"}).status_code == 403
        assert client(city, "officer").get(DESK).status_code == 403
        assert Client().get(DESK).status_code == 302


def test_lists_are_searched_paged_and_exported(city: w.World) -> None:
    with time_machine.travel(NEXT, tick=False):
        cashier = client(city, "cashier")
        cashier.post(f"{DESK}accounts/new/", {"bank": "农行", "number": "6222021234567890", "currency": "CNY",
                                              "starts_on": "2026-11-23"})  # fmt: skip
        rows = "".join(f"2026-11-23,=来款{n},1.00,,{100 + n}.00,人,K{n:03d}\n" for n in range(60))
        cashier.post(bring(cashier, HEAD + rows), {"act": "record"})
        first = cashier.get(DESK).content.decode()
        more = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        second = cashier.get(DESK + more).content.decode()
        shown = [f"K{n:03d}" for n in range(60)]
        assert [key for key in shown if key in first and key in second] == []
        assert all(key in first or key in second for key in shown)
        assert "K007" in cashier.get(f"{DESK}?q=K007").content.decode()
        assert "都对上了" in cashier.get(f"{DESK}?side=provider").content.decode()
        assert cashier.get(f"{DESK}?after=nonsense_x&side=x&kind=zzz").status_code == 200
        copy = b"".join(cashier.get(f"{DESK}differences.csv?q=K007").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        assert copy.count("\n") == 2 and "1.00" in copy
        assert ExportRecord.objects.get().query["q"] == "K007"
        cashier.post(f"{DESK}?q=K00", {"act": "explain", "all": "1", "reason": "一批来款，正在核实"})
        assert Difference.objects.filter(explained=True).count() == 10


def test_columns_are_mended_and_remembered(city: w.World) -> None:
    with time_machine.travel(NEXT, tick=False):
        cashier = client(city, "cashier")
        cashier.post(f"{DESK}accounts/new/", {"bank": "农行", "number": "6222021234567890", "currency": "CNY",
                                              "starts_on": "2026-11-23"})  # fmt: skip
        where = bring(cashier, "甲,乙,丙\n2026-11-23,5.00,x\n2026-11-23,-1.00,y\n")
        assert "没有认出表头" in cashier.get(where).content.decode()
        wanted = {"act": "columns", "date": "0", "header_row": "1", "date_order": "ymd", "decimal": "."}
        assert cashier.post(where, wanted).status_code == 422
        assert cashier.post(where, {**wanted, "amount": "1", "note": "2"}).status_code == 302
        assert "没有逐行余额" in cashier.get(where).content.decode()
        cashier.post(where, {"act": "record"})
        assert sorted(BankLine.objects.values_list("amount", flat=True)) == [-100, 500]
        again = bring(cashier, "乙,甲,丙\n7.00,2026-11-23,z\n")
        assert "¥7.00" in cashier.get(again).content.decode()


def test_pages_take_few_statements(city: w.World, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    w.give(city, 20_000)
    with time_machine.travel(NEXT + dt.timedelta(minutes=1), tick=False):
        reconciling.read_balances(actor=SYSTEM, now=NEXT)
        cashier = client(city, "cashier")
        for address in (DESK, f"{DESK}days/2026-11-23/"):
            with django_assert_max_num_queries(16):
                assert cashier.get(address).status_code == 200
