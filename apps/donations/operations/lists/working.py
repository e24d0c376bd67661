from __future__ import annotations

import datetime as dt

import structlog
from django.db import connection, transaction

from apps.core.actors import system
from apps.core.errors import DomainError
from apps.donations.models import GiftImport
from apps.donations.operations.lists.recording import record_import
from apps.donations.operations.lists.staging import stage_import
from apps.donations.operations.lists.starting import end_cancelled
from apps.donations.states import ImportStatus

log = structlog.get_logger(__name__)
ACTOR = system("donations.imports")
LOCK = 0x6769_6674
"""The first half of the advisory lock of an import: held by the session that works on it, gone with a killed worker."""

FORGOTTEN = dt.timedelta(days=14)


def work_import(*, pk: int, now: dt.datetime) -> bool:
    """This will go on with one import where it stands: read it, or record it. False when another worker is at it, or
    nothing is to be done. A worker that was killed leaves nothing behind: the next one starts that step anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, pk])
        if not cursor.fetchone()[0]:
            return False
    try:
        listing = GiftImport.objects.select_related("fund", "project").filter(pk=pk).first()
        if listing is None or listing.status not in (ImportStatus.READING, ImportStatus.RECORDING):
            return False
        if listing.status == ImportStatus.READING:
            stage_import(actor=ACTOR, listing=listing, now=now)
        else:
            record_import(actor=ACTOR, listing=listing, now=now)
        return True
    except DomainError as error:
        log.info("donations.import_stopped", listing=pk, code=error.code)
        return True
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, pk])


def end_forgotten_imports(*, now: dt.datetime) -> int:
    """This will cancel imports that nobody has gone on with for two weeks, and so delete what they hold of donors."""
    rows = GiftImport.objects.filter(
        status__in=[ImportStatus.ASKING, ImportStatus.PREVIEW, ImportStatus.FAILED],
        started_at__lt=now - FORGOTTEN,
    )
    ended = 0
    for pk in rows.values_list("pk", flat=True)[:100]:
        with transaction.atomic():
            locked = (
                GiftImport.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
            )
            if locked and locked.status in (ImportStatus.ASKING, ImportStatus.PREVIEW, ImportStatus.FAILED):
                end_cancelled(actor=ACTOR, locked=locked, now=now)
                ended += 1
    return ended
