"""Receipts as one ZIP: asked for, made part by part, joined, taken away, deleted after a week."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from io import BufferedRandom
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max, Sum
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor, system
from apps.core.clock import SHANGHAI
from apps.core.documents import DocumentsUnavailable, missing_parts
from apps.core.errors import BadInput, WrongState
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.tables.writing import csv_lines
from apps.core.transitions import move, note_status
from apps.donations import policies
from apps.donations.documents import receipt_pdf
from apps.donations.models import Receipt, ReceiptBundle, ReceiptBundleStatusChange
from apps.donations.receipt_queries import find_receipts, receipts_of_bundle
from apps.donations.ringing import ring_bundle
from apps.donations.states import BUNDLE_FORWARD, BundleStatus
from apps.organizations.queries import federation

ACTOR = system("donations.bundles")
PART = 50
"""Receipts made before progress is written down: what a killed worker loses at most."""
MOST = 20_000
KEPT = dt.timedelta(days=7)
LOCK = 0x7A69_7000
"""The first half of the advisory lock of a bundle: held by the session that works on it, gone with a killed worker."""
PIECE = 1 << 20
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The same receipts make the same bytes: a ZIP's dates say nothing here."""


class TooManyReceipts(BadInput):
    code = "too_many_receipts"
    message = _("一次最多打包20,000张票据。请缩短时间段，分几次下载。")


@transaction.atomic
def start_bundle(*, actor: Actor, query: dict[str, Any], now: dt.datetime) -> ReceiptBundle:
    """This will have the receipts that a question finds put into one ZIP by a worker (G10). The same question, asked
    again while the first is being worked on, is the same bundle.

    Raises BadInput when it finds none, TooManyReceipts, DocumentsUnavailable.
    """
    authorize(policies.can_read_receipts, actor, federation().pk)
    if actor.person_id is None:
        raise WrongState()
    if missing_parts():
        raise DocumentsUnavailable()
    running = ReceiptBundle.objects.filter(
        asked_by=actor.person_id, status=BundleStatus.MAKING, query=query, cancel_asked_at=None
    ).first()
    if running:
        return running
    found = find_receipts(query).aggregate(n=Count("pk"), last=Max("pk"))
    if not found["n"]:
        raise BadInput(_("没有符合条件的票据，没有可打包的。请放宽条件。"))
    if found["n"] > MOST:
        raise TooManyReceipts()
    # Rows of transactions that were open meanwhile may carry smaller numbers: the set is counted again up to the last.
    total = find_receipts(query).filter(pk__lte=found["last"]).count()
    bundle = ReceiptBundle.objects.create(
        asked_by=actor.person_id, asked_by_label=actor.label[:80], asked_at=now, query=query, up_to=found["last"],
        total=total,
    )  # fmt: skip
    note_status(bundle, "", history=ReceiptBundleStatusChange, actor=actor, now=now)
    ring_bundle(bundle)
    return bundle


@transaction.atomic
def cancel_bundle(*, actor: Actor, bundle: ReceiptBundle, now: dt.datetime) -> ReceiptBundle:
    """This will stop a bundle that is being made; the worker ends it and deletes what was made. Raises WrongState."""
    authorize(policies.can_read_receipts, actor, federation().pk)
    locked = ReceiptBundle.objects.select_for_update().get(pk=bundle.pk)
    if locked.status != BundleStatus.MAKING or locked.asked_by != actor.person_id:
        raise WrongState()
    locked.cancel_asked_at = now
    locked.save(update_fields=["cancel_asked_at"])
    ring_bundle(locked)
    return locked


def work_bundle(*, pk: int, now: dt.datetime) -> bool:
    """This will make the next part of a bundle, or join its parts. True while there is more to do; False when another
    worker is at it. What a killed worker began, the next one begins anew; what it finished stays."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, pk])
        if not cursor.fetchone()[0]:
            return False
    try:
        bundle = ReceiptBundle.objects.filter(pk=pk, status=BundleStatus.MAKING).first()
        if bundle is None:
            return False
        if bundle.cancel_asked_at:
            shutil.rmtree(folder_of(bundle), ignore_errors=True)
            _end(bundle, BundleStatus.CANCELLED, now)
            return False
        if bundle.made < bundle.total:
            _make_part(bundle)
            return True
        return not _join(bundle, now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, pk])


def delete_old_bundles(*, now: dt.datetime) -> int:
    """This will delete the files of bundles that are a week old."""
    old = list(
        ReceiptBundle.objects.filter(status=BundleStatus.DONE, finished_at__lt=now - KEPT).order_by("id")[:20]
    )
    for bundle in old:
        shutil.rmtree(folder_of(bundle), ignore_errors=True)
        _end(bundle, BundleStatus.EXPIRED, now)
    return len(old)


def folder_of(bundle: ReceiptBundle) -> Path:
    """This will give the folder of a bundle's files; its random name is in no address."""
    return Path(settings.DATA_DIR) / "bundles" / bundle.file


def file_of(bundle: ReceiptBundle) -> Path:
    """This will give where a finished bundle lies."""
    return folder_of(bundle) / "receipts.zip"


def _part(bundle: ReceiptBundle, n: int) -> Path:
    return folder_of(bundle) / f"part-{n:06d}.zip"


def _name(receipt: Receipt) -> str:
    return f"{receipt.code}-{receipt.number}.pdf"


def _make_part(bundle: ReceiptBundle) -> None:
    folder_of(bundle).mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = list(receipts_of_bundle(bundle).filter(pk__gt=bundle.last).prefetch_related("lines")[:PART])
    with _Whole(_part(bundle, bundle.parts)) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as part:
        for receipt in rows:
            part.writestr(zipfile.ZipInfo(_name(receipt), EARLIEST), receipt_pdf(receipt))
    ReceiptBundle.objects.filter(pk=bundle.pk, status=BundleStatus.MAKING, parts=bundle.parts).update(
        made=bundle.made + len(rows), parts=bundle.parts + 1, last=rows[-1].pk
    )


class _Whole:
    """A file that is there wholly or not at all: written beside and renamed, readable by nobody else."""

    def __init__(self, path: Path) -> None:
        self.path, self.beside = path, path.with_suffix(".new")

    def __enter__(self) -> BufferedRandom:
        self.file = os.fdopen(os.open(self.beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
        return self.file

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.file.flush()
            os.fsync(self.file.fileno())
        self.file.close()
        if kind is None:
            self.beside.rename(self.path)


def _join(bundle: ReceiptBundle, now: dt.datetime) -> bool:
    """Streams the parts into one file with the manifest. False when a part is gone (another disk): made anew."""
    if not all(_part(bundle, n).is_file() for n in range(bundle.parts)):
        ReceiptBundle.objects.filter(pk=bundle.pk).update(made=0, parts=0, last=0)
        return False
    listing = folder_of(bundle) / "manifest.csv"
    with _Whole(file_of(bundle)) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as joined, _Whole(listing) as manifest:
            manifest.writelines(csv_lines(_copied(bundle, joined)))
            manifest.flush()
            joined.write(listing.with_suffix(".new"), "manifest.csv")
            joined.writestr(zipfile.ZipInfo("manifest.json", EARLIEST), _summary(bundle))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    _end(bundle, BundleStatus.DONE, now, sha256=digest, size=size)
    listing.unlink()
    for n in range(bundle.parts):
        _part(bundle, n).unlink(missing_ok=True)
    return True


def _copied(bundle: ReceiptBundle, joined: zipfile.ZipFile) -> Iterator[list[Any]]:
    """Copies every file of every part, and gives its row of the manifest."""
    yield ["文件", "票据代码", "票据号码", "开票日期", "交款人", "金额", "币种", "SHA-256"]
    rows = receipts_of_bundle(bundle).iterator(chunk_size=500)
    for n in range(bundle.parts):
        with zipfile.ZipFile(_part(bundle, n)) as part:
            for name in part.namelist():
                receipt = next(rows)
                content = part.read(name)
                joined.writestr(zipfile.ZipInfo(name, EARLIEST), content)
                day = receipt.issued_at.astimezone(SHANGHAI).date()
                yield [name, receipt.code, receipt.number, day, receipt.payer,
                       str(Money(receipt.amount, receipt.currency).major), receipt.currency,
                       hashlib.sha256(content).hexdigest()]  # fmt: skip


def _summary(bundle: ReceiptBundle) -> str:
    totals = receipts_of_bundle(bundle).order_by("currency").values("currency").annotate(amount=Sum("amount"))
    return json.dumps(
        {"rows": bundle.total, "totals": [{"amount": row["amount"], "currency": row["currency"]} for row in totals],
         "query": bundle.query, "asked_by": bundle.asked_by_label, "asked_at": bundle.asked_at.isoformat()},
        ensure_ascii=False, indent=1,
    )  # fmt: skip


@transaction.atomic
def _end(bundle: ReceiptBundle, status: BundleStatus, now: dt.datetime, **fields: Any) -> None:
    locked = ReceiptBundle.objects.select_for_update().get(pk=bundle.pk)
    move(
        locked, status, forward=BUNDLE_FORWARD, history=ReceiptBundleStatusChange, actor=ACTOR, now=now,
        finished_at=now, **fields,
    )  # fmt: skip
