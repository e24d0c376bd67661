"""Statements and the provider's balance beside the ledger, and days closed on it (G12)."""

from __future__ import annotations

import datetime as dt
import pathlib
import threading
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from apps.core.actors import Actor, system
from apps.core.errors import DomainError, PermissionRefused
from apps.core.invariants import ordered
from apps.core.tables.opening import UnreadableTable
from apps.donations.models import Gift
from apps.ledger.models import Book, Entry, Line
from apps.ledger.queries import figures
from apps.payments.models import (
    BalanceLine,
    BankAccount,
    BankLine,
    BankStatement,
    DayClose,
    DayFigure,
    Difference,
    Explanation,
    Match,
    Payout,
    StatementDraft,
)
from apps.payments.operations import reconciling
from apps.payments.operations.reconciling import closing, explaining, statements
from apps.payments.states import Side
from tests import world as w
from tests.donations.lists import SHARED, load, vnd_fund, written

SYSTEM = system("tests")
DAY = w.NOW.date()
NEXT = w.NOW + dt.timedelta(days=1, hours=4)
HEAD = "交易日期,摘要,收入,支出,余额,对方户名,流水号\n"
needs_lists = pytest.mark.skipif(
    not SHARED.exists(), reason="the published statements lie in ../shared/data, beside the project"
)


@pytest.fixture
def city(db: None) -> w.World:
    return w.build()


def book() -> Book:
    return Book.objects.get(code="federation")


def cashier(city: w.World) -> Actor:
    return city.people["cashier"]


def account(
    city: w.World, number: str = "6222021234567890", currency: str = "CNY", **over: Any
) -> BankAccount:
    return reconciling.open_bank_account(
        actor=cashier(city), book=book(), bank="农业银行", number=number, currency=currency,
        **{"starts_on": DAY, "now": w.NOW, **over},
    )  # fmt: skip


def bring(
    city: w.World, own: BankAccount, content: str | pathlib.Path, now: dt.datetime = NEXT
) -> StatementDraft:
    path = content if isinstance(content, pathlib.Path) else written(content)
    return reconciling.bring_statement(
        actor=cashier(city), account=own, file_name="s.csv", path=path, now=now
    )


def take_in(
    city: w.World, own: BankAccount, content: str | pathlib.Path, **over: Any
) -> BankStatement | None:
    return reconciling.record_statement(
        actor=cashier(city), draft=bring(city, own, content), now=NEXT, **over
    )


def faults(city: w.World, own: BankAccount, content: str) -> set[tuple[int, str, str]]:
    read = statements.read_draft(bring(city, own, content), NEXT)
    assert read is not None
    return {(each.row, each.column, each.code) for each in read.faults}


def open_differences(**only: Any) -> list[tuple[str, str, int | None, int | None]]:
    rows = Difference.objects.filter(explained=False, **only).order_by("day", "key")
    return list(rows.values_list("side", "kind", "theirs", "ours"))


def check() -> None:
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


def paid_and_read(city: w.World, now: dt.datetime = NEXT) -> Gift:
    gift = w.give(city, 20_000)
    reconciling.read_balances(actor=SYSTEM, now=now)
    return gift


# The provider's balance


def test_every_balance_transaction_has_its_own_entry_and_payouts_are_posted_once(city: w.World) -> None:
    paid_and_read(city)
    assert list(BalanceLine.objects.order_by("id").values_list("kind", "part", "amount")) == [
        ("charge", "gross", 20_000), ("charge", "fee", -120), ("payout", "gross", -19_880)]  # fmt: skip
    assert Match.objects.count() == 3 and not Difference.objects.exists()
    assert set(Match.objects.values_list("theirs", flat=True)) == set(
        Match.objects.values_list("ours", flat=True)
    )
    payout = Entry.objects.get(kind="payout")
    assert payout.idempotency_key == f"payout:sandbox:{Payout.objects.get().ref}"
    assert reconciling.read_balances(actor=SYSTEM, now=NEXT + dt.timedelta(hours=1)) == 0
    assert Entry.objects.filter(kind="payout").count() == 1 and Match.objects.count() == 3
    check()


def test_the_payout_is_matched_with_the_bank_line_whatever_day_it_shows(city: w.World) -> None:
    own = account(city)
    paid_and_read(city)
    assert open_differences() == [("bank", "ours", None, 19_880)]
    take_in(
        city,
        own,
        HEAD + "2026-11-22,结算,198.80,,1198.80,支付机构,P1\n2026-11-22,利息,1.00,,1199.80,,P2\n",
    )
    assert Match.objects.get(bank_line__isnull=False).how == "near"
    assert open_differences() == [("bank", "theirs", 100, None)]


def test_what_the_provider_has_and_we_have_not_is_shown_and_the_other_way(city: w.World) -> None:
    paid_and_read(city)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_balanceline (provider, ref, part, kind, source_ref, amount, currency, occurred_at)"
            " VALUES ('sandbox', 'txn_x', 'gross', 'other', '', -700, 'CNY', now() - interval '1 day')"
        )
    assert open_differences(side=Side.PROVIDER) == [("provider", "theirs", -700, None)]
    w.give(city, 500, now=w.NOW + dt.timedelta(minutes=5))
    with transaction.atomic():
        from apps.payments.models import ProviderReading

        ProviderReading.objects.update(until=NEXT + dt.timedelta(days=9))
        assert ("provider", "ours", None, 500) in open_differences(side=Side.PROVIDER)
    assert all(each.next_step for each in Difference.objects.all())


def test_only_the_system_reads_and_only_its_cashier_reconciles(city: w.World) -> None:
    with pytest.raises(PermissionRefused):
        reconciling.read_balances(actor=cashier(city), now=NEXT)
    far = w.person("far", ("cashier", "organization", city.organization.pk + 5))
    for act in (
        lambda: reconciling.open_bank_account(actor=far, book=book(), bank="x", number="1" * 12, currency="CNY",
                                              starts_on=DAY, now=w.NOW),
        lambda: reconciling.explain_differences(actor=far, book=book(), keys=["x"], reason="因为所以", now=w.NOW),
        lambda: reconciling.close_day(actor=far, book=book(), day=DAY, now=NEXT),
    ):  # fmt: skip
        with pytest.raises(PermissionRefused):
            act()


# Statements


RUNNING = HEAD + "".join(
    f"2026-11-23,捐款{n},{n}.00,,{1000 + n * (n + 1) // 2}.00,人{n},R{n}\n" for n in range(1, 9)
)


def test_a_statement_is_taken_in_once_and_columns_are_remembered(city: w.World) -> None:
    own = account(city)
    taken = take_in(city, own, RUNNING)
    assert taken is not None and (taken.rows, taken.credits, taken.opening, taken.closing) == (
        8,
        3600,
        100_000,
        103_600,
    )
    assert take_in(city, own, RUNNING) is None and BankLine.objects.count() == 8
    own.refresh_from_db()
    assert own.columns["at"]["credit"] == 2
    odd = "余额,贷方发生额\n"
    assert bring(city, own, odd + "1,1\n").columns != own.columns


def test_newest_first_is_read_too(city: w.World) -> None:
    head, *lines = RUNNING.strip().split("\n")
    taken = take_in(city, account(city), "\n".join([head, *reversed(lines)]))
    assert taken is not None and (taken.opening, taken.closing) == (100_000, 103_600)


def test_a_removed_changed_or_doubled_line_is_pointed_at(city: w.World) -> None:
    own, lines = account(city), RUNNING.strip().split("\n")
    assert faults(city, own, "\n".join(lines[:4] + lines[5:])) == {(5, "E", "balance_breaks")}, "removed"
    changed = RUNNING.replace("捐款4,4.00", "捐款4,40.00")
    assert faults(city, own, changed) == {(5, "E", "balance_breaks")}, "changed"
    assert faults(city, own, "\n".join(lines[:5] + lines[4:])) == {(6, "E", "line_doubled")}, "doubled"
    with pytest.raises(statements.StatementHasFaults):
        take_in(city, own, changed)
    assert not BankLine.objects.exists()


def test_another_accounts_statement_is_refused(city: w.World) -> None:
    own = account(city)
    other = "账号：6222 0299 9999 9999,,,,,,\n" + RUNNING
    assert {code for _row, _column, code in faults(city, own, other)} == {"other_account"}
    assert not faults(city, own, "账号：6222 0212 3456 7890,,,,,,\n" + RUNNING)
    assert not faults(city, own, "账号：622202****567890,,,,,,\n" + RUNNING)
    take_in(city, own, RUNNING)
    with pytest.raises(statements.StatementGap) as refused:
        take_in(city, own, HEAD + "2026-11-24,捐款,5.00,,905.00,某,Q1\n2026-11-24,捐款,5.00,,910.00,某,Q2\n")
    assert "¥1,036.00" in str(refused.value.message) and "¥900.00" in str(refused.value.message)
    assert take_in(
        city, own, HEAD + "2026-11-24,捐款,5.00,,1041.00,某,Q1\n2026-11-24,捐款,5.00,,1046.00,某,Q2\n"
    )


def test_lines_without_balance_that_are_partly_known_wait_for_a_decision(city: w.World) -> None:
    own, head = account(city), "日期,金额,流水号\n"
    take_in(city, own, head + "2026-11-23,5,A\n2026-11-23,6,B\n")
    both = head + "2026-11-23,6,B\n2026-11-23,7,C\n2026-11-23,-2,D\n"
    with pytest.raises(statements.StatementPartlyKnown):
        take_in(city, own, both)
    taken = take_in(city, own, both, skip_known=True)
    assert taken is not None and (taken.added, taken.credits, taken.debits) == (2, 1300, 200)
    assert BankLine.objects.count() == 4


@pytest.mark.parametrize(
    ("content", "code"),
    [(HEAD + "2026-11-23,x,1.00,2.00,3.00,,\n", "both_sides"), (HEAD + "2026-11-23,x,,,3.00,,\n", "amount_missing"),
     (HEAD + "2126-11-23,x,1,,3.00,,\n", "date_future"), (HEAD + "2026-11-23,x,1,,abc,,\n", "balance_unreadable"),
     (HEAD + "46349,x,1,,1,,\n", "date_serial"), (HEAD + "2026-11-23,x,1,,1,,1.0E+17\n", "number_mangled")],
)  # fmt: skip
def test_cells_that_cannot_be_read_are_named(city: w.World, content: str, code: str) -> None:
    assert code in {each for _row, _column, each in faults(city, account(city), content)}


def test_an_empty_statement_is_refused(city: w.World) -> None:
    with pytest.raises(UnreadableTable):
        take_in(city, account(city), HEAD)


# Differences, explained


def test_a_difference_is_explained_never_edited_away(city: w.World) -> None:
    own = account(city)
    take_in(city, own, HEAD + "2026-11-23,不明来款,88.00,,188.00,某人,Z1\n2026-11-23,利息,1.00,,189.00,,Z2\n")
    [one, two] = Difference.objects.order_by("key")
    with pytest.raises(explaining.ReasonWanted):
        reconciling.explain_differences(
            actor=cashier(city), book=book(), keys=[one.key], reason=" 1 ", now=NEXT
        )
    with pytest.raises(explaining.DifferenceGone):
        reconciling.explain_differences(
            actor=cashier(city), book=book(), keys=["bank:theirs:0"], reason="因为所以", now=NEXT
        )
    reconciling.explain_differences(
        actor=cashier(city), book=book(), keys=[one.key, two.key], reason="银行计息，待入账", now=NEXT
    )
    assert not open_differences() and Difference.objects.count() == 2, "explained, and still there"
    for sql in (
        "UPDATE payments_explanation SET reason = 'x'",
        "DELETE FROM payments_explanation",
        "UPDATE payments_bankline SET amount = 1",
        "DELETE FROM payments_match",
        "TRUNCATE payments_explanation",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
            if sql.startswith("DELETE FROM payments_match"):
                raise DatabaseError("no row to try it on")


def test_another_amount_is_paired_by_hand_and_still_wants_a_reason(city: w.World) -> None:
    own = account(city)
    paid_and_read(city)
    take_in(
        city, own, HEAD + "2026-11-24,结算,198.00,,1198.00,支付机构,P1\n2026-11-24,利息,1.00,,1199.00,,P2\n"
    )
    keys = {
        each.kind: each.key
        for each in Difference.objects.filter(theirs=19_800) | Difference.objects.filter(ours=19_880)
    }
    with pytest.raises(explaining.NotAPair):
        reconciling.pair_differences(actor=cashier(city), book=book(), keys=[keys["theirs"]], now=NEXT)
    made = reconciling.pair_differences(actor=cashier(city), book=book(), keys=list(keys.values()), now=NEXT)
    assert (made.theirs, made.ours, made.how) == (19_800, 19_880, "hand")
    assert ("bank", "amount", 19_800, 19_880) in open_differences()
    reconciling.explain_differences(
        actor=cashier(city),
        book=book(),
        keys=[f"bank:amount:{made.pk}"],
        reason="银行收了手续费八角",
        now=NEXT,
    )
    assert open_differences() == [("bank", "theirs", 100, None)]
    check()


@pytest.mark.parametrize("wrong", ["theirs", "ours", "role"])
def test_a_match_that_lies_is_refused_by_the_database(city: w.World, wrong: str) -> None:
    own = account(city)
    paid_and_read(city)
    take_in(
        city,
        own,
        HEAD + "2026-11-23,结算,7.00,,7.00,,P1\n2026-11-24,x,1.00,,8.00,,P2\n",
    )
    line = Line.objects.get(account__role="bank")
    clearing = Line.objects.filter(account__role="clearing").exclude(pk__in=Match.objects.values("line"))
    assert not clearing.exists()
    facts = {
        "bank_line": BankLine.objects.order_by("id")[0],
        "line": line,
        "theirs": 700,
        "ours": line.amount,
        "how": "hand",
    }
    facts |= {
        "theirs": {"theirs": 701},
        "ours": {"ours": 1},
        "role": {"line": Line.objects.get(account__role="gift_income"), "ours": -20_000},
    }[wrong]
    with pytest.raises(IntegrityError, match="a match copies"), transaction.atomic():
        Match.objects.create(**facts)


def test_one_line_is_matched_once(city: w.World) -> None:
    paid_and_read(city)
    first = Match.objects.order_by("id")[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Match.objects.create(
            balance_line=first.balance_line, line=first.line, theirs=first.theirs, ours=first.ours, how="hand"
        )


# Closing


def close(city: w.World, day: dt.date = DAY, now: dt.datetime = NEXT) -> DayClose:
    return reconciling.close_day(actor=cashier(city), book=book(), day=day, now=now)


def test_a_day_is_closed_on_what_the_ledger_held(city: w.World) -> None:
    for n in range(6):
        w.help_family(city, n, 1_000) if w.give(city, 10_000) else None
    closed = close(city)
    figure = DayFigure.objects.get(close=closed, earmark=city.earmark)
    live = figures([city.earmark])
    assert (figure.raised, figure.spent, figure.fees, figure.held, figure.gifts) == (
        live.raised, live.spent, live.fees, live.unspent, 6)  # fmt: skip
    assert figure.raised == 60_000 and figure.spent == 6_000
    w.give(city, 700, now=w.NOW + dt.timedelta(days=1))
    second = close(city, DAY + dt.timedelta(days=1), NEXT + dt.timedelta(days=1))
    assert second.previous == closed
    assert DayFigure.objects.get(close=second, earmark=city.earmark).raised == 60_700
    assert DayFigure.objects.get(close=closed, earmark=city.earmark).raised == 60_000
    check()


def test_what_is_recorded_later_for_a_closed_day_stands_in_the_next(committed_db: Any) -> None:
    city = w.build()
    w.give(city, 10_000)
    closed = close(city)
    w.give(city, 300)
    later = close(city, DAY + dt.timedelta(days=1), NEXT + dt.timedelta(days=1))
    figures_of = {each.close_id: each.raised for each in DayFigure.objects.filter(earmark=city.earmark)}
    assert figures_of == {closed.pk: 10_000, later.pk: 10_300}
    check()


def test_days_follow_one_by_one_and_are_over(city: w.World) -> None:
    with pytest.raises(closing.DayNotOver):
        close(city, DAY + dt.timedelta(days=1))
    close(city)
    for day in (DAY, DAY + dt.timedelta(days=2), DAY - dt.timedelta(days=1)):
        with pytest.raises(closing.DayOutOfTurn):
            close(city, day, NEXT + dt.timedelta(days=5))


def test_a_day_with_an_unexplained_difference_stays_open(city: w.World) -> None:
    own = account(city)
    take_in(city, own, HEAD + "2026-11-23,不明来款,88.00,,188.00,某人,Z1\n2026-11-24,利息,1.00,,189.00,,Z2\n")
    with pytest.raises(closing.DifferencesLeft) as refused:
        close(city)
    assert "1" in str(refused.value.message)
    key = Difference.objects.get(day=DAY).key
    reconciling.explain_differences(
        actor=cashier(city), book=book(), keys=[key], reason="不明来款，正在联系", now=NEXT
    )
    assert close(city).day == DAY


def _flush_checks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_the_database_refuses_a_close_that_does_not_follow(
    city: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    w.give(city, 10_000)
    wrong = closing._WRITE.replace("coalesce(m.raised, 0)", "coalesce(m.raised, 0) + 5").replace(
        "coalesce(m.held, 0)", "coalesce(m.held, 0) + 5"
    )
    monkeypatch.setattr(closing, "_WRITE", wrong)
    with pytest.raises(IntegrityError, match="do not follow"), transaction.atomic():
        close(city)
        _flush_checks()
    monkeypatch.setattr(
        closing, "_WRITE", closing._WRITE.replace("WHERE k.book_id", "WHERE false AND k.book_id")
    )
    with pytest.raises(IntegrityError, match="do not follow"), transaction.atomic():
        close(city)
        _flush_checks()


def test_the_database_refuses_a_close_over_a_difference(
    city: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = account(city)
    take_in(city, own, HEAD + "2026-11-23,不明来款,88.00,,188.00,某人,Z1\n2026-11-24,利息,1.00,,189.00,,Z2\n")
    monkeypatch.setattr(closing, "DifferencesLeft", lambda count: _never())
    monkeypatch.setattr(closing.Difference.objects, "filter", lambda **_: closing.Difference.objects.none())
    with pytest.raises(IntegrityError, match="unexplained"), transaction.atomic():
        close(city)
        _flush_checks()


def _never() -> Exception:
    raise AssertionError("the operation's own check was taken out")


def test_figures_are_never_added_to_a_day_that_is_closed(committed_db: Any) -> None:
    city = w.build()
    closed = close(city)
    from apps.ledger.operations import open_earmark

    mark = open_earmark(book=book(), kind="wish", owner=1)
    with pytest.raises(IntegrityError, match="together with their day"):
        DayFigure.objects.create(
            close=closed,
            earmark=mark,
            **dict.fromkeys(
                (
                    "raised",
                    "income",
                    "refunded",
                    "disputed",
                    "fees",
                    "spent",
                    "moved_in",
                    "moved_out",
                    "held",
                    "reserved",
                    "gifts",
                ),
                0,
            ),
        )
    for sql in (
        "UPDATE payments_dayfigure SET raised = 1",
        "DELETE FROM payments_dayclose",
        "UPDATE payments_dayclose SET day = day + 1",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_one_day_is_closed_once_by_eight_at_once(committed_db: Any) -> None:
    city = w.build()
    w.give(city, 10_000)
    barrier, outcomes = threading.Barrier(8), []

    def run() -> None:
        try:
            barrier.wait(30)
            close(city)
            outcomes.append("closed")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["closed"] + ["day_out_of_turn"] * 7
    assert DayClose.objects.count() == 1
    check()


def test_one_statement_by_eight_at_once_is_taken_in_once(committed_db: Any) -> None:
    city = w.build()
    own = account(city)
    drafts = [bring(city, own, RUNNING) for _ in range(8)]
    barrier, outcomes = threading.Barrier(8), []

    def run(draft: StatementDraft) -> None:
        try:
            barrier.wait(30)
            done = reconciling.record_statement(actor=cashier(city), draft=draft, now=NEXT)
            outcomes.append("taken" if done else "known")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["known"] * 7 + ["taken"] and BankLine.objects.count() == 8


# The published statements


@needs_lists
@pytest.mark.parametrize(
    ("name", "rows", "left"), [("agribank", 2493, 0), ("vietcombank", 10_000, 1), ("vietinbank", 6474, 0)]
)
def test_published_statements_reconcile_with_the_gifts_recorded_from_them(
    city: w.World, name: str, rows: int, left: int
) -> None:
    fund, path = vnd_fund(city), SHARED / "vietnam" / f"{name}.csv"
    own = account(city, number="2589163307083", currency="VND", starts_on=dt.date(2024, 9, 1))
    load(city, path, fund=fund, project=None, currency="VND", source="2589163307083", account="2589163307083")
    taken = take_in(city, own, path)
    assert taken is not None and taken.rows == rows and (taken.opening is not None) == (name == "agribank")
    assert Match.objects.filter(how="key").count() == rows - left, "line by line, by the same identity"
    found = open_differences()
    assert found == ([("bank", "theirs", -55_000, None)] if left else []), "the bank's own fee"
    assert take_in(city, own, path) is None


@needs_lists
def test_agribanks_running_balance_points_at_every_tampering(city: w.World) -> None:
    own = account(city, number="150", currency="VND")
    lines = (SHARED / "vietnam" / "agribank.csv").read_text(encoding="utf-8-sig").strip().split("\n")
    assert not faults(city, own, "\n".join(lines))
    for at in (2, 700, 2000):
        assert faults(city, own, "\n".join(lines[:at] + lines[at + 1 :])) == {(at + 1, "I", "balance_breaks")}
        assert faults(city, own, "\n".join(lines[: at + 1] + lines[at:])) == {(at + 2, "I", "line_doubled")}
    cells = lines[500].split('"')
    cells[1] = "1," + cells[1] if "," in cells[1] else cells[1]
    assert faults(city, own, "\n".join([*lines[:500], '"'.join(cells), *lines[501:]])) == {
        (501, "I", "balance_breaks")
    }


def test_the_same_identity_in_sql_and_in_python(city: w.World) -> None:
    list_ = "日期,姓名,金额,备注,流水号\n2026-11-23,甲（一）,5,ｘ,\n2026-11-23,甲（一）,5,ｘ,\n2026-11-23,乙,6,,Ｔ１\n"
    load(city, list_, fund=city.fund, project=None, source="6222021234567890", account="6222021234567890")
    take_in(city, account(city), list_)
    assert set(BankLine.objects.values_list("key", flat=True)) == set(
        Gift.objects.values_list("offline_key", flat=True)
    )
    assert Match.objects.filter(how="key").count() == 3 and Explanation.objects.count() == 0
