"""Statements and the provider's balance beside the ledger (G12)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.core.errors import PermissionRefused
from apps.core.tables.opening import UnreadableTable
from apps.ledger.models import Entry, Line
from apps.payments.models import (
    BalanceLine,
    BankLine,
    Difference,
    Match,
    Payout,
)
from apps.payments.operations import reconciling
from apps.payments.operations.reconciling import explaining, statements
from apps.payments.states import Side
from tests import world as w
from tests.payments.desk import (
    DAY,
    HEAD,
    NEXT,
    RUNNING,
    SYSTEM,
    account,
    book,
    bring,
    cashier,
    check,
    faults,
    open_differences,
    paid_and_read,
    take_in,
)

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


def test_refunds_and_disputes_are_matched_like_charges(city: w.World) -> None:
    gift, other = w.give(city, 20_000), w.give(city, 30_000)
    w.refund(city, gift, 5_000)
    w.act(gift, "refund_succeed")
    w.act(other, "dispute_open")
    w.work()
    reconciling.read_balances(actor=SYSTEM, now=w.NOW + dt.timedelta(hours=1))
    kinds = list(BalanceLine.objects.order_by("id").values_list("kind", "part", "amount"))
    assert ("refund", "gross", -5_000) in kinds
    assert ("dispute", "gross", -30_000) in kinds and ("dispute", "fee", -1_500) in kinds
    assert not Difference.objects.exists() and Match.objects.count() == len(kinds)
    w.act(other, "dispute_win")
    w.work()
    reconciling.read_balances(actor=SYSTEM, now=w.NOW + dt.timedelta(hours=2))
    assert not Difference.objects.exists(), "what came back as well"
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
