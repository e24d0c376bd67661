from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict
from apps.core.money import DIGITS, Money, format_money
from apps.core.policies import authorize
from apps.core.tables import columns as tables
from apps.core.tables.columns import Columns
from apps.core.tables.opening import Table, UnreadableTable, open_table
from apps.ledger.models import Book
from apps.payments import policies
from apps.payments.models import BankAccount, BankLine, BankStatement, StatementDraft
from apps.payments.operations.reconciling.matching import match_bank
from apps.payments.statements.reading import Statement, guess_columns, read_statement

LARGEST = 16 * 1024 * 1024


class StatementHasFaults(BadInput):
    code = "statement_has_faults"

    def __init__(self, count: int) -> None:
        text = ngettext("没有记入：对账单有%(n)d处不对。", "没有记入：对账单有%(n)d处不对。", count)
        super().__init__(text % {"n": count})


class StatementGap(Conflict):
    """The opening balance isn't what the last statement closed with: one is missing, or it is another account's."""

    code = "statement_gap"

    def __init__(self, last: str, opening: str, day: dt.date) -> None:
        text = _(
            "没有记入：上一份对账单到%(day)s余额%(last)s，这一份期初%(opening)s，接不上。中间少了对账单，或是另一个账户的。"
        )
        super().__init__(str(text) % {"last": last, "opening": opening, "day": day})


class StatementPartlyKnown(Conflict):
    code = "statement_partly_known"

    def __init__(self, count: int) -> None:
        text = ngettext(
            "没有记入：有%(n)d行已经导入过，又没有逐行余额可以核对。是同一行就选“跳过”，是另外的就从文件里分开。",
            "没有记入：有%(n)d行已经导入过，又没有逐行余额可以核对。是同一行就选“跳过”，是另外的就从文件里分开。",
            count,
        )
        super().__init__(text % {"n": count})


class AccountKnown(Conflict):
    code = "account_known"
    field = "number"
    message = _("这个账号已经登记过。")


@transaction.atomic
def open_bank_account(
    *, actor: Actor, book: Book, bank: str, number: str, currency: str, starts_on: dt.date, now: dt.datetime
) -> BankAccount:
    """This will register the charity's own account at a bank; from `starts_on` (Asia/Shanghai) on it is compared with
    the ledger. Raises AccountKnown, BadInput."""
    authorize(policies.can_reconcile, actor, book.owner or 0)
    bare = "".join(number.split())
    if not bare.isalnum() or not bank.strip() or currency not in DIGITS:
        raise BadInput(_("请填银行名称、账号（数字和字母）和币种。"), field="number")
    try:
        with transaction.atomic():
            return BankAccount.objects.create(
                book=book, bank=bank.strip(), number=bare, currency=currency, starts_on=starts_on, opened_at=now,
                opened_by=actor.person_id,
            )  # fmt: skip
    except IntegrityError as error:
        raise AccountKnown() from error


def bring_statement(
    *, actor: Actor, account: BankAccount, file_name: str, path: Path, now: dt.datetime
) -> StatementDraft:
    """This will take a statement's file in to be looked at; columns are remembered per bank account, else guessed.

    Raises UnreadableTable.
    """
    authorize(policies.can_reconcile, actor, account.book.owner or 0)
    if path.stat().st_size > LARGEST:
        raise UnreadableTable(_("对账单超过16MB。请按月分开导入。"))
    table = open_table(path)
    kept = tables.recognized(table.head(), Columns.from_json(account.columns)) if account.columns else None
    chosen = kept or guess_columns(table, account.currency)
    content = path.read_bytes()
    return StatementDraft.objects.create(
        account=account, file_name=file_name[-160:], sha256=hashlib.sha256(content).hexdigest(), content=content,
        columns=chosen.as_json() if chosen else None, made_at=now, made_by=actor.person_id,
    )  # fmt: skip


def change_statement(*, actor: Actor, draft: StatementDraft, columns: Columns) -> StatementDraft:
    """This will read a statement with other columns."""
    authorize(policies.can_reconcile, actor, draft.account.book.owner or 0)
    draft.columns = columns.as_json()
    draft.save(update_fields=["columns"])
    return draft


def drop_statement(*, actor: Actor, draft: StatementDraft) -> None:
    """This will forget a statement that wasn't taken in."""
    authorize(policies.can_reconcile, actor, draft.account.book.owner or 0)
    draft.delete()


@contextmanager
def opened(draft: StatementDraft) -> Iterator[Table]:
    """This will open a draft's file."""
    with tempfile.NamedTemporaryFile(prefix="statement-") as file:
        file.write(bytes(draft.content))
        file.flush()
        yield open_table(Path(file.name))


def read_draft(draft: StatementDraft, now: dt.datetime) -> Statement | None:
    """This will read a draft as it stands; None where its columns aren't known yet. Raises UnreadableTable."""
    if draft.columns is None:
        return None
    with opened(draft) as table:
        return read_statement(
            table, Columns.from_json(draft.columns), account=draft.account.number, currency=draft.account.currency,
            today=civil_day(now),
        )  # fmt: skip


@transaction.atomic
def record_statement(
    *, actor: Actor, draft: StatementDraft, now: dt.datetime, skip_known: bool = False
) -> BankStatement | None:
    """This will take a statement in, all lines or none, and match them with the ledger. None when every line is known.

    Where the bank states a running balance, it must follow the last statement. Raises StatementHasFaults, StatementGap,
    StatementPartlyKnown (lines known, no balance to prove it; `skip_known` says they are the same).
    """
    authorize(policies.can_reconcile, actor, draft.account.book.owner or 0)
    Book.objects.select_for_update(no_key=True).get(pk=draft.account.book_id)
    account = (
        BankAccount.objects.select_for_update(of=("self",)).select_related("book").get(pk=draft.account_id)
    )
    read = read_draft(draft, now)
    if read is None or read.faults:
        raise StatementHasFaults(len(read.faults) if read else 1)
    keys = [line.key for line in read.lines]
    known = set(BankLine.objects.filter(account=account, key__in=keys).values_list("key", flat=True))
    fresh = [line for line in read.lines if line.key not in known]
    if not fresh:
        draft.delete()
        return None
    if known and not read.runs and not skip_known:
        raise StatementPartlyKnown(len(known))
    _follow(account, read, fresh[0].balance, fresh[0].amount)
    days = [line.day for line in read.lines]
    statement = BankStatement.objects.create(
        account=account, file_name=draft.file_name, sha256=draft.sha256, first_day=min(days), last_day=max(days),
        opening=read.opening, closing=read.closing, rows=len(read.lines), added=len(fresh), credits=read.credits,
        debits=read.debits, imported_at=now, imported_by=actor.person_id, imported_by_label=actor.label[:80],
    )  # fmt: skip
    BankLine.objects.bulk_create(
        (BankLine(statement=statement, account=account, row=line.row, day=line.day, amount=line.amount, name=line.name,
                  balance=line.balance, note=line.note, reference=line.reference, key=line.key) for line in fresh),
        batch_size=2000,
    )  # fmt: skip
    account.columns = draft.columns
    account.save(update_fields=["columns"])
    draft.delete()
    match_bank(actor=actor, book=account.book)
    return statement


def _follow(account: BankAccount, read: Statement, balance: int | None, amount: int) -> None:
    """The first new line must follow the newest known one that states a balance and isn't later."""
    if not read.runs or balance is None:
        return
    last = BankLine.objects.filter(account=account, balance__isnull=False).order_by("-day", "-id").first()
    first_day = read.lines[0].day
    if last is None or last.day > first_day:
        return
    if last.balance != balance - amount:
        said = [
            format_money(Money(int(value), account.currency))
            for value in (last.balance or 0, balance - amount)
        ]
        raise StatementGap(said[0], said[1], last.day)
