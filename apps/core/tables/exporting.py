"""Tables taken away: logged first, then written without formulas. Columns come from import-export Resources."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from import_export.resources import ModelResource

from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.core.models import ExportRecord
from apps.core.tables.cells import Cell
from apps.core.tables.writing import MIME, csv_lines, write_xlsx

STEP = 2000


def record_export(
    *, actor: Actor, what: str, kind: str, query: dict[str, Any], now: dt.datetime
) -> ExportRecord:
    """This will write down who takes what away by which question. Raises NotFound for a kind that isn't offered."""
    if kind not in (*MIME, "zip"):
        raise NotFound()
    return ExportRecord.objects.create(
        what=what, kind=kind, query=query, actor_person=actor.person_id, actor_label=actor.label[:80], at=now
    )


def export_rows(
    rows: Iterable[Sequence[Cell]],
    *,
    actor: Actor,
    what: str,
    kind: str,
    query: dict[str, Any],
    now: dt.datetime,
) -> HttpResponseBase:
    """This will log an export and answer with its file: CSV as a stream, XLSX from a temporary file."""
    if kind not in MIME:
        raise NotFound()
    record_export(actor=actor, what=what, kind=kind, query=query, now=now)
    if kind == "csv":
        response: HttpResponseBase = StreamingHttpResponse(csv_lines(rows), content_type=MIME[kind])
    else:
        file = tempfile.TemporaryFile(prefix="export-")  # noqa: SIM115  (the response closes it)
        write_xlsx(rows, file)
        file.seek(0)
        response = FileResponse(file, content_type=MIME[kind])
    response["Content-Disposition"] = f'attachment; filename="{what}.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response


def resource_rows(resource: ModelResource, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
    """This will give a resource's header and its rows, as the resource defines its columns, some at a time."""
    fields = resource.get_export_fields()
    yield [str(field.column_name) for field in fields]
    for record in rows.iterator(chunk_size=STEP):
        yield [_cell(resource.export_field(field, record)) for field in fields]


def _cell(value: Any) -> Cell:
    return value if isinstance(value, str | int | float | dt.date) or value is None else str(value)
