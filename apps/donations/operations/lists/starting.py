from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.canonical import sha256_of_file
from apps.core.errors import BadInput, WrongState
from apps.core.policies import authorize
from apps.core.tables import columns as tables
from apps.core.tables.columns import Columns
from apps.core.tables.opening import Table, open_table
from apps.core.transitions import move, note_status
from apps.donations import policies
from apps.donations.lists.reading import WANTED
from apps.donations.models import (
    GiftFilePart,
    GiftImport,
    GiftImportStatusChange,
    GiftSource,
    ListFault,
    StagedGift,
)
from apps.donations.operations.lists.errors import ColumnsWanted, DateWanted, WrongCurrency
from apps.donations.ringing import ring_import
from apps.donations.states import IMPORT_FORWARD, IN_WORK, ImportStatus, PaidBy
from apps.funds.models import MicroFund, Project

PART = 4 * 1024 * 1024
OPEN = (ImportStatus.ASKING, ImportStatus.READING, ImportStatus.PREVIEW)


def start_import(
    *, actor: Actor, fund: MicroFund, project: Project | None, source: str, file_name: str, path: Path, currency: str,
    now: dt.datetime, paid_by: str = PaidBy.BANK, account: str = "", day: dt.date | None = None,
    columns: Columns | None = None, keep_file: bool = True,
) -> GiftImport:  # fmt: skip
    """This will take a list in: keep the file, guess its columns (or remember them from the source's last list) and ask
    a worker to read it. Nothing is recorded. The same file brought twice by one person is one import.

    `day` (Asia/Shanghai) dates a list without a date column. Without `keep_file` the caller reads it from `path`
    itself. Raises UnreadableTable, WrongCurrency.
    """
    authorize(policies.can_import_gifts, actor, fund)
    if not source.strip():
        raise BadInput(_("请写名单来源，例如银行或登记人。"), field="source")
    if currency != fund.currency or (project is not None and project.currency != currency):
        raise WrongCurrency()
    table = open_table(path)
    sha256, size = sha256_of_file(path), path.stat().st_size
    head = table.head()
    chosen = (
        columns or _remembered(fund, source, head) or tables.guess(head, wanted=WANTED, currency=currency)
    )
    with transaction.atomic():
        MicroFund.objects.select_for_update(no_key=True).get(pk=fund.pk)
        same = GiftImport.objects.filter(
            fund=fund, project=project, source=source, sha256=sha256, status__in=OPEN, started_by=actor.person_id,
            day=day,
        ).first()  # fmt: skip
        if same is not None and keep_file:
            return same
        listing = GiftImport.objects.create(
            fund=fund, project=project, source=source, account=account, currency=currency, paid_by=paid_by, day=day,
            file_name=file_name[-160:], sha256=sha256, size=size, notes=_notes(table, file_name),
            columns=chosen.as_json() if chosen else None, started_at=now, started_by=actor.person_id,
            started_by_label=actor.label[:80], status=_waiting_for(chosen, day),
        )  # fmt: skip
        note_status(listing, "", history=GiftImportStatusChange, actor=actor, now=now)
        if keep_file:
            with path.open("rb") as file:
                n = 0
                while piece := file.read(PART):
                    GiftFilePart.objects.create(listing=listing, n=n, content=piece)
                    n += 1
            ring_import(listing)
    return listing


@transaction.atomic
def change_import(
    *, actor: Actor, listing: GiftImport, columns: Columns, day: dt.date | None, now: dt.datetime
) -> GiftImport:
    """This will read a list anew with other columns or another date. Raises ColumnsWanted, DateWanted, WrongState."""
    authorize(policies.can_import_gifts, actor, listing.fund)
    locked = GiftImport.objects.select_for_update(of=("self",)).select_related("fund").get(pk=listing.pk)
    if locked.status not in (ImportStatus.ASKING, ImportStatus.PREVIEW):
        raise WrongState()
    if "amount" not in columns.at:
        raise ColumnsWanted()
    if "date" not in columns.at and day is None:
        raise DateWanted()
    move(locked, ImportStatus.READING, forward=IMPORT_FORWARD, history=GiftImportStatusChange, actor=actor, now=now,
         columns=columns.as_json(), day=day, rows_read=0)  # fmt: skip
    ring_import(locked)
    return locked


@transaction.atomic
def cancel_import(*, actor: Actor, listing: GiftImport, now: dt.datetime) -> GiftImport:
    """This will cancel an import: at once, or (while a worker is at it) as soon as the worker looks up. Nothing is
    recorded then. Safe to repeat. Raises WrongState when it is recorded already."""
    authorize(policies.can_import_gifts, actor, listing.fund)
    # Without a lock on the row: the worker that records holds none until its end, and sees this between two steps.
    asked = GiftImport.objects.filter(pk=listing.pk, status__in=IN_WORK, cancel_asked_at=None).update(
        cancel_asked_at=now
    )
    if asked:
        listing.refresh_from_db()
        return listing
    locked = GiftImport.objects.select_for_update(of=("self",)).select_related("fund").get(pk=listing.pk)
    if locked.status in (ImportStatus.CANCELLED, *IN_WORK):
        return locked
    return end_cancelled(actor=actor, locked=locked, now=now)


def end_cancelled(*, actor: Actor, locked: GiftImport, now: dt.datetime) -> GiftImport:
    """This will put a locked import to its cancelled end and drop what was staged."""
    move(locked, ImportStatus.CANCELLED, forward=IMPORT_FORWARD, history=GiftImportStatusChange, actor=actor, now=now,
         finished_at=now)  # fmt: skip
    drop_staged(locked)
    return locked


def drop_staged(listing: GiftImport) -> None:
    """This will delete a finished import's file, staged rows and faults: donors' names aren't kept twice."""
    for model in (GiftFilePart, StagedGift, ListFault):
        model.objects.filter(listing=listing).delete()


def _remembered(fund: MicroFund, source: str, head: Sequence[Sequence[Any]]) -> Columns | None:
    kept = GiftSource.objects.filter(fund=fund, name=source).first()
    return tables.recognized(head, Columns.from_json(kept.columns)) if kept else None


def _waiting_for(columns: Columns | None, day: dt.date | None) -> str:
    if columns is None or "amount" not in columns.at or ("date" not in columns.at and day is None):
        return ImportStatus.ASKING
    return ImportStatus.READING


def _notes(table: Table, file_name: str) -> list[str]:
    """What a person should know before trusting the preview, as codes."""
    notes = []
    if table.other_sheets:
        notes.append("other_sheets")
    ending = file_name.rpartition(".")[2].lower()
    if ending in ("csv", "xlsx", "xls") and ending != table.kind:
        notes.append(f"really_{table.kind}")
    return notes
