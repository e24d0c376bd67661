from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.crash import crash_point
from apps.core.policies import authorize
from apps.core.tables.cells import Cell
from apps.core.tables.columns import Columns
from apps.core.tables.opening import BOOKS, UnreadableTable, open_table
from apps.core.transitions import move
from apps.donations import policies
from apps.donations.lists import sql
from apps.donations.lists.reading import GiftList, ListedGift, read_gifts
from apps.donations.models import GiftFilePart, GiftImport, GiftImportStatusChange, ListFault, StagedGift
from apps.donations.operations.lists.errors import ImportCancelled
from apps.donations.operations.lists.starting import end_cancelled
from apps.donations.states import IMPORT_FORWARD, ImportStatus

STEP = 5_000
PROSE_SHOWN = 30
Tell = Callable[[int], None]


def stage_import(
    *, actor: Actor, listing: GiftImport, now: dt.datetime, path: Path | None = None, tell: Tell | None = None
) -> GiftImport:
    """This will read a list into the staging table by COPY, note every fault by row and column, and mark what is known:
    the preview. Safe to repeat: a reading that was cut off starts anew. Memory doesn't grow with the list.

    `tell` hears how many gifts were read. Raises UnreadableTable (kept with the import), ImportCancelled.
    """
    authorize(policies.can_import_gifts, actor, listing.fund)
    StagedGift.objects.filter(listing=listing).delete()
    ListFault.objects.filter(listing=listing).delete()
    try:
        with list_file(listing, path) as where:
            sheet = read_gifts(where, currency=listing.currency, today=civil_day(now), day=listing.day,
                               at=Columns.from_json(listing.columns or {}))  # fmt: skip
            _copy(actor, listing, sheet, now, tell)
        crash_point("donations.list_staged")
        return _finish(actor, listing, sheet, now)
    except UnreadableTable as error:
        _fail(actor, listing, error, now)
        raise


@contextmanager
def list_file(listing: GiftImport, path: Path | None = None) -> Iterator[Path]:
    """This will give a path of the list as it was brought, for as long as it is read."""
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="list-") as file:
        for content in (
            GiftFilePart.objects.filter(listing=listing)
            .order_by("n")
            .values_list("content", flat=True)
            .iterator(1)
        ):
            file.write(bytes(content))
        file.flush()
        yield Path(file.name)


def list_head(listing: GiftImport) -> list[list[Cell]]:
    """This will give the first rows of a list as it was brought; of a long text file only its first part is read."""
    parts = GiftFilePart.objects.filter(listing=listing).order_by("n")
    first = bytes(parts[0].content)
    if first.startswith(BOOKS) or parts.count() == 1:
        with list_file(listing) as path:
            return open_table(path).head()
    with tempfile.NamedTemporaryFile(prefix="list-") as file:
        end = first.rfind(b"\n") + 1
        file.write(first[: end - end % 2 if first[:2] in (b"\xff\xfe", b"\xfe\xff") else end])
        file.flush()
        return open_table(Path(file.name)).head()


def _copy(actor: Actor, listing: GiftImport, sheet: GiftList, now: dt.datetime, tell: Tell | None) -> None:
    step: list[ListedGift] = []
    done = 0
    for gift in sheet.gifts():
        step.append(gift)
        if len(step) == STEP:
            done += _write(listing, step)
            step = []
            _note_progress(actor, listing, done, now, tell)
    done += _write(listing, step)
    _note_progress(actor, listing, done, now, tell)


def _write(listing: GiftImport, gifts: list[ListedGift]) -> int:
    if gifts:
        with connection.cursor() as cursor, cursor.copy(sql.COPY) as copy:
            for gift in gifts:
                copy.write_row(
                    (listing.pk, gift.row, gift.day, gift.name, gift.amount, gift.note, gift.reference)
                )
    return len(gifts)


def _note_progress(actor: Actor, listing: GiftImport, done: int, now: dt.datetime, tell: Tell | None) -> None:
    GiftImport.objects.filter(pk=listing.pk).update(rows_read=done)
    if tell:
        tell(done)
    if GiftImport.objects.filter(pk=listing.pk, cancel_asked_at__isnull=False).exists():
        with transaction.atomic():
            locked = GiftImport.objects.select_for_update(of=("self",)).get(pk=listing.pk)
            end_cancelled(actor=actor, locked=locked, now=now)
        raise ImportCancelled()


@transaction.atomic
def _finish(actor: Actor, listing: GiftImport, sheet: GiftList, now: dt.datetime) -> GiftImport:
    locked = (
        GiftImport.objects.select_for_update(of=("self",))
        .select_related("fund", "project")
        .get(pk=listing.pk)
    )
    ListFault.objects.bulk_create(
        (ListFault(listing=locked, row=each.row, column=each.column, code=each.code, detail=each.detail[:60])
         for each in sheet.faults),
        batch_size=2000,
    )  # fmt: skip
    outside = (
        sql.note_outside(locked, locked.project, sheet.columns.at.get("date", -1)) if locked.project else 0
    )
    sql.mark_keys(locked)
    rows, known, known_total = sql.mark_known(locked)
    faults = sheet.fault_count + outside
    if not rows and not faults:
        raise UnreadableTable(_("表头下面没有捐赠行。"))
    move(
        locked,
        ImportStatus.PREVIEW,
        forward=IMPORT_FORWARD,
        history=GiftImportStatusChange,
        actor=actor,
        now=now,
        gifts=rows,
        total=sheet.total,
        known=known,
        known_total=known_total,
        faults=faults,
        rows_read=rows,
        stated_total=sheet.stated_total,
        prose=[list(each) for each in sheet.prose[:PROSE_SHOWN]],
        known_as="",
        notes=_notes(locked, sheet),
    )
    if locked.cancel_asked_at:
        end_cancelled(actor=actor, locked=locked, now=now)
    return locked


def _notes(listing: GiftImport, sheet: GiftList) -> list[str]:
    """A list that counts persons (人次) may count two in one row: said, not refused. Its sum of money must agree."""
    notes = [note for note in listing.notes if not note.startswith("count:")]
    if sheet.stated_count is not None and sheet.stated_count != sheet.gifts_read:
        notes.append(f"count:{sheet.stated_count}")
    return notes


@transaction.atomic
def _fail(actor: Actor, listing: GiftImport, error: UnreadableTable, now: dt.datetime) -> None:
    locked = GiftImport.objects.select_for_update(of=("self",)).get(pk=listing.pk)
    with override("zh-hans"):
        said = str(error.message)[:200]
    move(locked, ImportStatus.FAILED, forward=IMPORT_FORWARD, history=GiftImportStatusChange, actor=actor, now=now,
         refusal=said)  # fmt: skip
    StagedGift.objects.filter(listing=locked).delete()
