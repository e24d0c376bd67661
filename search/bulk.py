"""Everything published as files, made anew every night (S5): uses and reports as CSV, grants as 360Giving JSON, and the
manifest with what each field means and each file's SHA-256."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from apps.core.clock import civil_day
from apps.publication.models.rows import PublicRow
from search.catalog import catalog
from search.contract import SearchRequest
from search.engines import engine
from search.exports.columns import dictionary
from search.exports.writing import csv_pieces, hashed, manifest_of
from search.grants import STANDARD, grant, package_head
from search.results import results

NAMES = ("uses.csv", "reports.csv", "grants.json")
LOCK = 0x5EA5C402
STEP = 1_000


def folder() -> Path:
    """This will give where the files lie."""
    return Path(settings.DATA_DIR) / "open-data"


def build_bulk(*, now: dt.datetime) -> dict[str, Any] | None:
    """This will write all files beside and put them in the place of the old ones; gives the manifest, or None when
    another worker is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
    try:
        return _build(now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _build(now: dt.datetime) -> dict[str, Any]:
    fresh = folder().with_name("open-data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o755, parents=True)
    files = []
    for name in NAMES:
        asked = SearchRequest(view="report" if name == "reports.csv" else "use", sort="date")
        counted = engine("postgres").search(asked)
        parts = csv_pieces(asked) if name.endswith(".csv") else _grants(now)
        with (fresh / name).open("wb") as out:
            digest, size = hashed(_through(out, parts))
            out.flush()
            os.fsync(out.fileno())
        about = manifest_of(asked, f"view={asked.view}s", counted, now)
        del about["fields"]
        files.append({"name": name, "sha256": digest, "bytes": size, **about})
    manifest = {
        "made_at": now.isoformat(timespec="seconds"),
        "files": files,
        "fields": dictionary(),
        "grants_standard": f"360Giving {STANDARD}",
    }
    (fresh / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    old = folder().with_name("open-data.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder().exists():
        folder().rename(old)
    fresh.rename(folder())
    shutil.rmtree(old, ignore_errors=True)
    return manifest


def _through(out: Any, parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        out.write(part)
        yield part


def _grants(now: dt.datetime) -> Iterator[bytes]:
    head = json.dumps(package_head(issued=civil_day(now)), ensure_ascii=False)
    yield f'{head[:-1]}, "grants":['.encode()
    last, before = 0, "\n"
    values = catalog()
    while True:
        rows = PublicRow.objects.filter(pk__gt=last, alive=True, view=0).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:STEP])
        if not ids:
            break
        last = ids[-1]
        for result in results(ids, values):
            yield (before + json.dumps(grant(result), ensure_ascii=False)).encode()
            before = ",\n"
    yield b"\n]}\n"


def read_manifest() -> dict[str, Any] | None:
    """This will give the manifest of the files that lie there, or None before the first night."""
    try:
        told: dict[str, Any] = json.loads((folder() / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told
