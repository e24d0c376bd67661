"""Large exports made by a worker, part by part: pinned, written, taken up after a kill, cancelled, deleted (S4)."""

from __future__ import annotations

import array
import csv
import datetime as dt
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.core import events
from apps.core.actors import Actor, system
from apps.core.errors import BadInput, NotFound, WrongState
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.tables.writing import XLSX_ROWS
from apps.core.transitions import move, note_status
from apps.publication.models.rows import CURRENCIES
from search import parameters, policies
from search.catalog import catalog
from search.contract import SearchRequest
from search.engines.statement import Statement
from search.events import ExportFinished
from search.exports.columns import COLUMNS, dictionary, joins, select
from search.exports.writing import KINDS, SETTINGS, hashed, header, json_pieces, xlsx_file
from search.models import ExportJob, ExportStatusChange
from search.reading import reading
from search.states import EXPORT_FORWARD, ExportStatus

ACTOR = system("search.exports")
PART = 20_000
"""Rows written before progress is kept: what a killed worker loses at most."""
TRIES = 5
KEPT = dt.timedelta(days=2)
LOCK = 0x7A69_8000
PIN = 2
"""Numbers per pinned row: its id and its version."""


class ExportTooLarge(BadInput):
    code = "export_too_large"
    message = _("XLSX最多放1,048,575行。请改用CSV或JSON，或把条件写得更具体些。")


def read_query(query: str) -> SearchRequest:
    """This will read a search's query string as the page does. Raises what search.parameters raises."""
    given = QueryDict(query, mutable=True)
    for name in ("cursor", "limit"):
        given.pop(name, None)
    return parameters.read(given, extra=("view",))[0]


@transaction.atomic
def start_export(
    *, actor: Actor, kind: str, query: str, language: str, email: str, now: dt.datetime
) -> ExportJob:
    """This will have a worker write all matches of a query string into a file (S4). `email` may be empty; else a mail
    says when the file is ready. Raises BadInput, NotFound for a kind that isn't offered."""
    authorize(policies.can_take_export, actor)
    if kind not in KINDS:
        raise NotFound()
    if len(query) > 4000:
        raise BadInput(field="q")
    read_query(query)
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise BadInput(_("邮箱地址不对，请检查；也可以留空，在页面上等。"), field="email") from error
    job = ExportJob.objects.create(kind=kind, query=query, language=language, email=email, asked_at=now)
    note_status(job, "", history=ExportStatusChange, actor=actor, now=now)
    ring_export(job)
    return job


@transaction.atomic
def cancel_export(*, actor: Actor, job: ExportJob, now: dt.datetime) -> ExportJob:
    """This will stop an export that is being made; the worker ends it and deletes what was written. Raises
    WrongState."""
    authorize(policies.can_take_export, actor)
    locked = ExportJob.objects.select_for_update().get(pk=job.pk)
    if locked.status != ExportStatus.MAKING:
        raise WrongState()
    locked.cancel_asked_at = now
    locked.save(update_fields=["cancel_asked_at"])
    ring_export(locked)
    return locked


def ring_export(job: ExportJob) -> None:
    """This will ask a worker after commit; the sweep finds the work anyway."""
    from search.tasks import work_export

    transaction.on_commit(lambda: work_export.delay(job.pk))


def work_export(*, pk: int, now: dt.datetime) -> bool:
    """This will make the next part of an export. True while there is more to do; False when it ended, or another
    worker is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, pk])
        if not cursor.fetchone()[0]:
            return False
    try:
        job = ExportJob.objects.filter(pk=pk, status=ExportStatus.MAKING).first()
        if job is None:
            return False
        with translation.override(job.language):
            return _step(job, now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, pk])


def _step(job: ExportJob, now: dt.datetime) -> bool:
    if job.cancel_asked_at:
        _end(job, ExportStatus.CANCELLED, now)
    elif job.total is None or not (folder_of(job) / "pins").is_file():
        if job.begun >= TRIES:
            _end(job, ExportStatus.FAILED, now)
        elif _pin(job, now):
            return True
        else:
            _end(job, ExportStatus.FAILED, now)
    elif job.made < job.total:
        _write_part(job)
        return True
    else:
        _finish(job, now)
    return False


def delete_old_exports(*, now: dt.datetime) -> int:
    """This will delete the files of exports that are two days old."""
    old = list(ExportJob.objects.filter(status=ExportStatus.DONE, finished_at__lt=now - KEPT)[:50])
    for job in old:
        _end(job, ExportStatus.EXPIRED, now)
    return len(old)


def folder_of(job: ExportJob) -> Path:
    """This will give the folder of an export's files; its random name is in no address."""
    return Path(settings.DATA_DIR) / "exports" / job.file


def file_of(job: ExportJob) -> Path:
    """This will give where a finished export lies."""
    return folder_of(job) / f"export.{job.kind}"


def _open(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _pin(job: ExportJob, now: dt.datetime) -> bool:
    """Fixes the set: every match with its version, in order, and its sums. False when XLSX can't hold it."""
    request = read_query(job.query)
    sql, values = Statement(request, request.tree(), catalog()).ordered(
        "x.id, x.version, x.amount, x.currency, x.people", "", []
    )
    pins = array.array("q")
    totals: Counter[int] = Counter()
    people = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SETTINGS, ["120000"])
        cursor.execute(sql, values)
        for pk, version, amount, currency, times in cursor:
            pins.append(pk)
            pins.append(version)
            totals[currency] += amount
            people += times
    total = len(pins) // PIN
    shutil.rmtree(folder_of(job), ignore_errors=True)
    with os.fdopen(_open(folder_of(job) / "pins"), "wb") as file:
        pins.tofile(file)
    manifest = {
        "query": job.query,
        "reading": reading(request.tree()),
        "as_of": now.isoformat(timespec="seconds"),
        "rows": total,
        "totals": [Money(totals[code], CURRENCIES[code]).as_json() for code in sorted(totals)],
        "household_times": people,
        "fields": dictionary(),
    }
    ExportJob.objects.filter(pk=job.pk, status=ExportStatus.MAKING).update(
        total=total, made=0, written=0, begun=job.begun + 1, as_of=now, manifest=manifest
    )
    return job.kind != "xlsx" or total <= XLSX_ROWS


def _write_part(job: ExportJob) -> None:
    """Appends the next rows where the kept progress says. A row that changed meanwhile starts all anew."""
    pins = array.array("q")
    with (folder_of(job) / "pins").open("rb") as file:
        file.seek(job.made * PIN * pins.itemsize)
        pins.frombytes(file.read(PART * PIN * pins.itemsize))
    neutral = job.kind != "json"
    columns, values = select(neutral=neutral)
    sql = (
        f"SELECT {columns} FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS pin(id, version, n)"  # noqa: S608
        " JOIN publication_publicrow x ON x.id = pin.id AND x.version = pin.version AND x.alive"
        f" {joins(neutral=neutral)} ORDER BY pin.n"
    )
    written = 0
    with os.fdopen(_open(folder_of(job) / "rows.csv"), "r+b") as file:
        file.truncate(job.written)
        file.seek(job.written)
        if not job.written:
            file.write(header())
        with transaction.atomic(), connection.cursor() as cursor:
            with cursor.copy(
                f"COPY ({sql}) TO STDOUT WITH (FORMAT csv)", [*values, list(pins[::PIN]), list(pins[1::PIN])]
            ) as copy:
                for block in copy:
                    file.write(block)
            written = cursor.rowcount
        file.flush()
        os.fsync(file.fileno())
        end = file.tell()
    if written != len(pins) // PIN:
        (folder_of(job) / "pins").unlink()
        ExportJob.objects.filter(pk=job.pk).update(total=None, made=0, written=0)
        return
    ExportJob.objects.filter(pk=job.pk, status=ExportStatus.MAKING, made=job.made).update(
        made=job.made + written, written=end
    )


def _finish(job: ExportJob, now: dt.datetime) -> None:
    rows, target = folder_of(job) / "rows.csv", file_of(job)
    if not rows.exists():
        with os.fdopen(_open(rows), "wb") as file:
            file.write(header())
    if job.kind == "csv":
        rows.rename(target)
    else:
        beside = target.with_suffix(".new")
        with os.fdopen(_open(beside), "w+b") as out:
            if job.kind == "xlsx":
                xlsx_file(_read(rows), out)
            else:
                out.writelines(json_pieces(_read(rows), job.manifest))
        beside.rename(target)
        rows.unlink()
    with target.open("rb") as file:
        digest, size = hashed(iter(lambda: file.read(1 << 20), b""))
    (folder_of(job) / "pins").unlink(missing_ok=True)
    _end(job, ExportStatus.DONE, now, sha256=digest, size=size,
         manifest={**job.manifest, "sha256": digest, "bytes": size})  # fmt: skip


def _read(path: Path) -> Iterator[list[Any]]:
    """The written rows as typed values."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        next(lines, None)
        for line in lines:
            yield [_typed(column.kind, cell) for column, cell in zip(COLUMNS, line, strict=True)]


def _typed(kind: str, cell: str) -> Any:
    if not cell:
        return None
    if kind == "date":
        return dt.date.fromisoformat(cell)
    if kind == "number":
        return Decimal(cell) if "." in cell else int(cell)
    return cell


@transaction.atomic
def _end(job: ExportJob, status: ExportStatus, now: dt.datetime, **fields: Any) -> None:
    locked = ExportJob.objects.select_for_update().get(pk=job.pk)
    if status != ExportStatus.EXPIRED:
        fields["finished_at"] = now
    move(locked, status, forward=EXPORT_FORWARD, history=ExportStatusChange, actor=ACTOR, now=now, **fields)
    if status == ExportStatus.DONE and locked.email:
        events.publish(ExportFinished(job_id=locked.pk))
    if status != ExportStatus.DONE:
        transaction.on_commit(lambda: shutil.rmtree(folder_of(locked), ignore_errors=True))
