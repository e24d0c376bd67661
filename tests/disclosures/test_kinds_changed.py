"""The law's table changes from a day on, by the supervisor; what was owed by a row stays owed by it (D1)."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from pytest_django.asserts import assertContains

from apps.core.errors import DomainError, NotFound, PermissionRefused
from apps.disclosures import operations as op
from apps.disclosures.errors import KindDateWrong, KindEnded, KindFromWrong, KindUnchanged, ReasonMissing
from apps.disclosures.models import Duty, DutyKind
from apps.disclosures.operations import KindInput, kinds
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.disclosures.test_kinds import at, charity

CODE = "implementation_progress"
FIRST = dt.date(2027, 1, 1)


def newest(code: str = CODE) -> DutyKind:
    return DutyKind.objects.filter(code=code).latest("effective_from")


def given(code: str = CODE, **changes: Any) -> KindInput:
    row = newest(code)
    same = {each.name: getattr(row, each.name) for each in dataclasses.fields(KindInput)}
    return KindInput(**{**same, "legal_source": "公开办法（修订）第十条", **changes})


def supervisor() -> Any:
    return w.person("supervisor2", ("supervisor", "city", 0))


@pytest.mark.django_db
def test_a_shorter_interval_counts_from_its_day_on() -> None:
    """Three months until the new row, two from then on; the window that runs keeps its date."""
    city = w.build()
    w.give(city, 500_000)
    w.help_family(city, 1, 100_000)
    w.work()
    op.advance_duties(now=at("2027-01-10"))
    before = list(Duty.objects.filter(code=CODE).values_list("n", "due_on", "kind"))
    assert [str(due) for _n, due, _kind in before] == ["2027-02-23"]
    old = newest()
    made = op.change_duty_kind(
        actor=supervisor(),
        code=CODE,
        effective_from=dt.date(2027, 2, 1),
        given=given(number=2),
        now=at("2027-01-10"),
    )
    assert (made.number, made.rule, made.trigger, made.fields) == (2, old.rule, old.trigger, old.fields)
    assert made.set_by is not None and made.set_at is not None
    op.advance_duties(now=at("2027-06-24"))
    dues = list(Duty.objects.filter(code=CODE).order_by("n").values_list("due_on", "kind"))
    assert [(str(due), kind) for due, kind in dues][:3] == [
        ("2027-02-23", old.pk), ("2027-04-23", made.pk), ("2027-06-23", made.pk),
    ]  # fmt: skip
    page = Client().get("/duties/kinds/")
    assertContains(page, "公开办法（修订）第十条")
    assertContains(page, "每满2个月")


@pytest.mark.django_db
def test_a_yearly_date_and_an_end() -> None:
    city = w.build()
    who = supervisor()
    op.change_duty_kind(
        actor=who, code="annual_work_report", effective_from=FIRST,
        given=given("annual_work_report", due_month=3, due_day=31), now=w.NOW,
    )  # fmt: skip
    op.end_duty_kind(actor=who, code="goods_flow", effective_until=dt.date(2026, 12, 31), now=w.NOW)
    other = charity("另一家", "51449900MJL000003")
    op.advance_duties(now=at("2027-01-05"))
    for organization in (city.organization, other):
        dues = Duty.objects.filter(organization=organization, code="annual_work_report")
        assert [str(each.due_on) for each in dues.filter(n=2026)] == ["2027-03-31"]
    with pytest.raises(KindEnded):
        op.end_duty_kind(actor=who, code="goods_flow", effective_until=FIRST, now=w.NOW)
    with pytest.raises(KindEnded):
        op.change_duty_kind(
            actor=who,
            code="goods_flow",
            effective_from=FIRST,
            given=given("goods_flow", due_day=1),
            now=w.NOW,
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "changes", "error"),
    [
        (w.NOW.date(), {"number": 2}, KindFromWrong),
        (dt.date(2020, 1, 1), {"number": 2}, KindFromWrong),
        (FIRST, {"number": 0}, KindDateWrong),
        (FIRST, {"number": None}, KindDateWrong),
        (FIRST, {"number": 3, "due_month": 5}, KindDateWrong),
        (FIRST, {"legal_source": " "}, ReasonMissing),
        (FIRST, {"name_en": " "}, ReasonMissing),
    ],
)
def test_what_is_refused(day: dt.date, changes: dict[str, Any], error: type[DomainError]) -> None:
    count = DutyKind.objects.count()
    with pytest.raises(error):
        op.change_duty_kind(
            actor=supervisor(), code=CODE, effective_from=day, given=given(**changes), now=w.NOW
        )
    with pytest.raises(KindUnchanged):
        same = given(legal_source=newest().legal_source)
        op.change_duty_kind(actor=supervisor(), code=CODE, effective_from=FIRST, given=same, now=w.NOW)
    with pytest.raises(NotFound):
        op.change_duty_kind(actor=supervisor(), code="none", effective_from=FIRST, given=given(), now=w.NOW)
    for bad in ({"due_month": 2, "due_day": 30}, {"due_month": None}, {"number": 5}):
        with pytest.raises(KindDateWrong):
            op.change_duty_kind(
                actor=supervisor(), code="goods_flow", effective_from=FIRST, given=given("goods_flow", **bad),
                now=w.NOW,
            )  # fmt: skip
    assert DutyKind.objects.count() == count


@pytest.mark.django_db
def test_only_the_supervisor() -> None:
    city = w.build()
    for name in ("officer", "manager", "cashier"):
        with pytest.raises(PermissionRefused):
            op.change_duty_kind(
                actor=city.people[name], code=CODE, effective_from=FIRST, given=given(number=2), now=w.NOW
            )
        with pytest.raises(PermissionRefused):
            op.end_duty_kind(actor=city.people[name], code=CODE, effective_until=FIRST, now=w.NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE disclosures_dutykind SET number = 9 WHERE code = 'implementation_progress'",
        "UPDATE disclosures_dutykind SET audited = false",
        "UPDATE disclosures_dutykind SET effective_from = '2020-01-01'",
        "UPDATE disclosures_dutykind SET effective_until = '1999-01-01' WHERE effective_until IS NULL",
        "UPDATE disclosures_dutykind SET effective_until = NULL WHERE effective_until IS NOT NULL",
        "DELETE FROM disclosures_dutykind WHERE code = 'trust_affairs'",
        "TRUNCATE disclosures_dutykind CASCADE",
    ],
)
def test_the_database_keeps_every_row_of_the_table(statement: str) -> None:
    op.end_duty_kind(actor=supervisor(), code="goods_flow", effective_until=FIRST, now=w.NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_two_supervisors_at_once_make_one_row_after_the_other(
    committed_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is past the row's lock waits a moment for the other to get there too: with the lock nobody does, and the
    second sees the first one's row."""
    who, told, both = supervisor(), [], threading.Barrier(2)
    check = kinds._check_date

    def meet(rule: str, given: KindInput) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)
        check(rule, given)

    monkeypatch.setattr(kinds, "_check_date", meet)
    asked = {number: given(number=number) for number in (1, 2)}

    def change(number: int) -> None:
        try:
            op.change_duty_kind(actor=who, code=CODE, effective_from=FIRST, given=asked[number], now=w.NOW)
            told.append("made")
        except KindFromWrong:
            told.append("refused")
        except DatabaseError as error:
            told.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=change, args=[number]) for number in (1, 2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(told) == ["made", "refused"]
    assert DutyKind.objects.filter(code=CODE, effective_from=FIRST).count() == 1


@pytest.mark.django_db
def test_the_desk() -> None:
    city = w.build()
    mine = with_session(account_of(city.people["supervisor"], "supervisor@example.org"), second=True)
    assertContains(mine.get("/workbench/duties/kinds/"), "实施进展报告")
    page = mine.get(f"/workbench/duties/kinds/{CODE}/")
    assertContains(page, "加一行新的")
    later = (dt.date.today() + dt.timedelta(days=400)).isoformat()
    data = {"act": "change", "effective_from": later, "number": "2", "audited": "on", "name_zh": "实施进展报告",
            "name_en": "Progress", "legal_source": "新办法第十条"}  # fmt: skip
    bad = mine.post(f"/workbench/duties/kinds/{CODE}/", {**data, "effective_from": "2020-01-01"})
    assert bad.status_code == 422
    assertContains(bad, "最早从明天起", status_code=422)
    assertContains(bad, "新办法第十条", status_code=422)
    assert mine.post(f"/workbench/duties/kinds/{CODE}/", data).status_code == 302
    assert newest().number == 2
    assertContains(mine.get("/workbench/duties/kinds/"), "每满2个月")
    end = mine.post(f"/workbench/duties/kinds/{CODE}/", {"act": "end", "effective_until": later})
    assert end.status_code == 302 and newest().effective_until is not None
    assert "加一行新的" not in mine.get(f"/workbench/duties/kinds/{CODE}/").content.decode()
    assert mine.get("/workbench/duties/kinds/nothing/").status_code == 404
    other = with_session(account_of(city.people["officer"], "officer@example.org"), second=True)
    assert other.get("/workbench/duties/kinds/").status_code == 403
    assert other.post(f"/workbench/duties/kinds/{CODE}/", data).status_code == 403
