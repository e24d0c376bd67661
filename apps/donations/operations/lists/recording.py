from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection, transaction

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.core.transitions import move
from apps.donations import policies
from apps.donations.events import GiftListRecorded
from apps.donations.lists import sql
from apps.donations.models import GiftImport, GiftImportStatusChange, GiftList, GiftSource, StagedGift
from apps.donations.operations.lists.errors import ImportCancelled, ListHasErrors, PartlyKnown
from apps.donations.operations.lists.starting import drop_staged, end_cancelled
from apps.donations.operations.receiving import count_gifts
from apps.donations.ringing import ring_import
from apps.donations.states import IMPORT_FORWARD, GiftStatus, ImportStatus, Known, PaidBy, ShownAs, Source
from apps.funds.models import MicroFund
from apps.funds.queries import fund_earmarks, project_earmarks
from apps.ledger.operations import Credit, post_credits
from apps.ledger.states import AccountRole

STEP = 5_000
ROWS_SHOWN = 20
Tell = Callable[[int], None]


@transaction.atomic
def decide_import(
    *, actor: Actor, listing: GiftImport, known: str, now: dt.datetime, ring: bool = True
) -> GiftImport:
    """This will say that a list shall be recorded, and what its known rows are ("skip", "add", "" where none is known).

    Raises ListHasErrors, PartlyKnown, WrongState. The recording itself is a worker's.
    """
    authorize(policies.can_import_gifts, actor, listing.fund)
    locked = (
        GiftImport.objects.select_for_update(of=("self",))
        .select_related("fund", "project")
        .get(pk=listing.pk)
    )
    if locked.status != ImportStatus.PREVIEW:
        raise WrongState()
    if locked.faults:
        raise ListHasErrors(locked.faults)
    partly = 0 < locked.known < locked.gifts
    if partly and known not in Known.values:
        raise PartlyKnown(_known_rows(locked), locked.known)
    move(locked, ImportStatus.RECORDING, forward=IMPORT_FORWARD, history=GiftImportStatusChange, actor=actor, now=now,
         known_as=known if partly else "")  # fmt: skip
    if ring:
        ring_import(locked)
    return locked


def record_import(
    *, actor: Actor, listing: GiftImport, now: dt.datetime, tell: Tell | None = None
) -> GiftImport:
    """This will record a decided list in one transaction: every gift, its ledger entry and the list itself, or none.

    A list whose gifts are all known adds nothing and says so (no gift list). Donors' names stay hidden from the public.
    Safe to repeat. Raises PartlyKnown (back to the preview) when another list came first, ImportCancelled.
    """
    authorize(policies.can_import_gifts, actor, listing.fund)
    try:
        with transaction.atomic():
            done = _record(actor, listing, now, tell or _keep_progress(listing))
    except ImportCancelled:
        with transaction.atomic():
            locked = GiftImport.objects.select_for_update(of=("self",)).get(pk=listing.pk)
            end_cancelled(actor=actor, locked=locked, now=now)
        raise
    if done.status == ImportStatus.PREVIEW:
        raise PartlyKnown(_known_rows(done), done.known)
    return done


def _record(actor: Actor, listing: GiftImport, now: dt.datetime, tell: Tell) -> GiftImport:
    # Two imports into one fund wait for each other: the second sees what the first recorded.
    # The lock leaves foreign keys alone: a gift being opened holds its project and then refers to this fund.
    fund = MicroFund.objects.select_for_update(no_key=True).get(pk=listing.fund_id)
    fresh = GiftImport.objects.select_related("project").get(pk=listing.pk)
    fresh.fund = fund
    if fresh.status != ImportStatus.RECORDING:
        return fresh
    rows, known, known_total = sql.mark_known(fresh)
    if rows != fresh.gifts:
        # The staging table is unlogged: after a crash of the server it is empty, and the list is read again.
        move(
            fresh,
            ImportStatus.READING,
            forward=IMPORT_FORWARD,
            history=GiftImportStatusChange,
            actor=actor,
            now=now,
        )
        ring_import(fresh)
        return fresh
    if 0 < known < rows and fresh.known_as not in Known.values:
        move(fresh, ImportStatus.PREVIEW, forward=IMPORT_FORWARD, history=GiftImportStatusChange, actor=actor, now=now,
             known=known, known_total=known_total)  # fmt: skip
        return fresh
    recorded = None
    if known < rows:
        recorded = _write(actor, fresh, rows, known, known_total, now, tell)
    locked = (
        GiftImport.objects.select_for_update(of=("self",)).select_related("fund", "project").get(pk=fresh.pk)
    )
    if locked.cancel_asked_at:
        raise ImportCancelled()
    move(locked, ImportStatus.DONE, forward=IMPORT_FORWARD, history=GiftImportStatusChange, actor=actor, now=now,
         gift_list=recorded, finished_at=now, known=known, known_total=known_total)  # fmt: skip
    GiftSource.objects.update_or_create(
        fund=fund, name=locked.source, defaults={"columns": locked.columns, "updated_at": now}
    )
    drop_staged(locked)
    crash_point("donations.list_recorded")
    return locked


def _write(
    actor: Actor, listing: GiftImport, rows: int, known: int, known_total: int, now: dt.datetime, tell: Tell
) -> GiftList:
    earmark = _earmark(listing)
    added = rows if listing.known_as == Known.ADD else rows - known
    recorded = GiftList.objects.create(
        source=listing.source, file_name=listing.file_name, sha256=listing.sha256, rows=rows, added=added,
        total=listing.total if listing.known_as == Known.ADD else listing.total - known_total,
        currency=listing.currency, imported_at=now, imported_by=listing.started_by_label,
    )  # fmt: skip
    cash = listing.paid_by == PaidBy.CASH
    done = 0
    for first, last in sql.spans(listing, STEP):
        gifts = sql.insert_gifts(
            listing, first=first, last=last, salt=f"{listing.source}\x1f{listing.sha256}", fund=listing.fund_id,
            project=listing.project_id, source=Source.OFFLINE, status=GiftStatus.RECEIVED, currency=listing.currency,
            channel="cash" if cash else "bank", shown_as=ShownAs.ANONYMOUS, opened_at=now, earmark=earmark,
            gift_list=recorded.pk,
        )  # fmt: skip
        with sql.without_loops():
            post_credits(
                actor=actor,
                credits=[
                    Credit(key=f"offline:{key}", earmark=earmark, amount=amount, settled_at=received, origin=pk,
                           channel="cash" if cash else "bank", into=AccountRole.CASH if cash else AccountRole.BANK)
                    for pk, key, amount, received in gifts
                ],
            )  # fmt: skip
        done += len(gifts)
        _settle_checks()
        tell(done)
        if GiftImport.objects.filter(pk=listing.pk, cancel_asked_at__isnull=False).exists():
            raise ImportCancelled()
    assert done == added, (done, added)
    count_gifts(Counter({earmark: done}))
    publish(GiftListRecorded(list_id=recorded.pk, project_id=listing.project_id))
    bump_epoch()
    return recorded


def _settle_checks() -> None:
    """Deferred checks of the ledger run now, step by step, so that no queue of a million grows in the server."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _earmark(listing: GiftImport) -> int:
    if listing.project_id:
        return project_earmarks([listing.project_id])[listing.project_id]
    return next(mark for mark, owner in fund_earmarks(listing.fund_id).items() if owner == 0)


def _known_rows(listing: GiftImport) -> list[int]:
    rows = StagedGift.objects.filter(listing=listing, known=True).order_by("row")
    return list(rows.values_list("row", flat=True)[:ROWS_SHOWN])


def progress_key(listing: GiftImport) -> str:
    """This will name where the cache keeps how far a recording is: its transaction shows nothing before its end."""
    return f"gift-import:{listing.pk}"


def _keep_progress(listing: GiftImport) -> Tell:
    def keep(done: int) -> None:
        try:
            cache.set(progress_key(listing), done, 600)
        except Exception:  # a lost cache never fails an import
            return

    return keep
