"""Lists of other departments (救助信息共享): kept only as hashes, compared with all files, replaced by the next one."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import files, policies, registry_files
from apps.casework.models import PrivateField, RegistryEntry, RegistryList
from apps.casework.operations.disabilities import note_disabilities
from apps.casework.operations.tiers import indexed_in, note_matches
from apps.casework.registry_files import Layout
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict, WrongState
from apps.core.policies import authorize
from apps.core.tables.opening import Table, UnreadableTable, open_table

LARGEST = 20 * 1024 * 1024
STEP = 2000
SHOWN_FAULTS = 200
KEPT = dt.timedelta(days=14)
_S = RegistryList.Status
WAITING = (_S.UPLOADED, _S.READY, _S.APPLYING)
"""States in which the file is still there."""


class ListTooLarge(BadInput):
    code = "list_too_large"
    message = _("名单最大20 MB。请另存为CSV，只留身份证号和有效期几列。")
    field = "file"


class OlderList(Conflict):
    code = "older_list"
    message = _("现行名单的日期更新。旧名单不能替换新名单；请核对名单日期。")
    field = "as_of"


class NothingReadable(BadInput):
    code = "nothing_readable"
    message = _("名单里没有一行可用的身份证号，不能生效。")


def upload_registry_list(
    *, actor: Actor, kind: str, source: str, as_of: dt.date, content: bytes, file_name: str, now: dt.datetime
) -> RegistryList:
    """This will take a department's list (CSV, XLSX, XLS): the file is kept encrypted until it has been confirmed or
    dropped, and read by a worker. `as_of` is the list's own civil date.

    Raises UnreadableTable, ListTooLarge, BadInput.
    """
    authorize(policies.can_manage_registry, actor)
    if kind not in RegistryList.Kind.values or not source.strip():
        raise BadInput(_("请选择名单种类，写明是哪个部门的名单。"), field="source")
    if as_of > civil_day(now):
        raise BadInput(_("名单日期不能在今天之后。"), field="as_of")
    if len(content) > LARGEST:
        raise ListTooLarge()
    with _unpacked(content) as table:
        layout = registry_files.guess(table.head())
    assert actor.person_id is not None
    item = RegistryList(
        kind=kind, source=source.strip()[:120], as_of=as_of, file_name=file_name[:120], uploaded_by_id=actor.person_id,
        uploaded_at=now, columns=layout.as_json() if layout else {},
    )  # fmt: skip
    name = stored_name(item)
    files.write(name, crypto.seal_bytes(content, _place(item)))
    try:
        item.save()
    except BaseException:
        files.remove(name)
        raise
    return item


@transaction.atomic
def choose_columns(*, actor: Actor, item: RegistryList, layout: Layout, now: dt.datetime) -> RegistryList:
    """This will say which column is what, and have the list read again."""
    authorize(policies.can_manage_registry, actor)
    item = RegistryList.objects.select_for_update().get(pk=item.pk)
    if item.status not in (_S.UPLOADED, _S.READY):
        raise WrongState()
    item.columns, item.status, item.done = layout.as_json(), _S.UPLOADED, 0
    item.save(update_fields=["columns", "status", "done"])
    return item


def list_head(*, actor: Actor, item: RegistryList) -> list[list[str]]:
    """This will give the titles of a list's columns for the person who maps them: the first row that is a header, or
    blanks; never a line with a person in it."""
    authorize(policies.can_manage_registry, actor)
    sealed = files.read(stored_name(item))
    if sealed is None:
        return []
    with _unpacked(crypto.unseal_bytes(sealed, _place(item))) as table:
        head = table.head()
    found = registry_files.guess(head)
    return [[str(cell)[:20] for cell in head[found.header_row - 1]]] if found else []


def read_registry_list(*, pk: int, now: dt.datetime) -> RegistryList:
    """This will read an uploaded list into hashes, 2,000 lines a transaction so that the page can show how far it is;
    run again after a crash it starts anew. Lines that can't be used are noted by number and left out."""
    item = RegistryList.objects.get(pk=pk)
    if item.status != _S.UPLOADED or not item.columns:
        return item
    sealed = files.read(stored_name(item))
    if sealed is None:
        return _refused(item)
    layout = Layout.from_json(item.columns)
    item.entries.all().delete()
    seen: set[str] = set()
    faults: list[dict[str, Any]] = []
    bad = done = 0
    waiting: list[RegistryEntry] = []
    try:
        with _unpacked(crypto.unseal_bytes(sealed, _place(item))) as table:
            for line in registry_files.lines(table, layout, item.as_of):
                done += 1
                fault = line.fault
                digest = "" if fault else crypto.blind_index(PrivateField.ID_NUMBER, line.number)
                if not fault and digest in seen:
                    fault = "doubled"
                if fault:
                    bad += 1
                    if len(faults) < SHOWN_FAULTS:
                        faults.append({"row": line.row, "code": fault})
                else:
                    assert line.valid_from is not None
                    seen.add(digest)
                    waiting.append(RegistryEntry(list=item, digest=digest, valid_from=line.valid_from,
                                                 valid_until=line.valid_until))  # fmt: skip
                if len(waiting) >= STEP:
                    _keep(item, waiting, done)
    except UnreadableTable:
        return _refused(item)
    _keep(item, waiting, done)
    matched = len(indexed_in([item.pk]))
    RegistryList.objects.filter(pk=item.pk, status=_S.UPLOADED).update(
        status=_S.READY, total=done, done=done, bad=bad, errors=faults, matched=matched
    )
    item.refresh_from_db()
    return item


@transaction.atomic
def confirm_registry_list(*, actor: Actor, item: RegistryList, now: dt.datetime) -> RegistryList:
    """This will let a read list take effect; a worker compares it with all files. Raises OlderList, NothingReadable."""
    authorize(policies.can_manage_registry, actor)
    item = RegistryList.objects.select_for_update().get(pk=item.pk)
    if item.status != _S.READY:
        raise WrongState()
    live = RegistryList.objects.filter(kind=item.kind, status=_S.LIVE).first()
    if live is not None and live.as_of > item.as_of:
        raise OlderList()
    if item.total == item.bad:
        raise NothingReadable()
    item.status, item.applied_by_id = _S.APPLYING, actor.person_id
    item.save(update_fields=["status", "applied_by"])
    return item


@transaction.atomic
def drop_registry_list(*, actor: Actor, item: RegistryList, now: dt.datetime) -> RegistryList:
    """This will throw an unconfirmed list away, its file and hashes included."""
    authorize(policies.can_manage_registry, actor)
    item = RegistryList.objects.select_for_update().get(pk=item.pk)
    if item.status not in (_S.UPLOADED, _S.READY):
        raise WrongState()
    return _refused(item)


@transaction.atomic
def apply_registry_list(*, pk: int, now: dt.datetime) -> RegistryList:
    """This will make a confirmed list the live one of its kind: whoever stands in it gets its tier with the source,
    whoever stood only in the older one loses it. One transaction, set-based; safe to run twice."""
    item = RegistryList.objects.select_for_update().get(pk=pk)
    if item.status != _S.APPLYING:
        return item
    older = list(RegistryList.objects.select_for_update().filter(kind=item.kind, status=_S.LIVE))
    affected = indexed_in([item.pk, *(one.pk for one in older)])
    RegistryList.objects.filter(pk__in=[one.pk for one in older]).update(status=_S.REPLACED)
    item.status, item.applied_at = _S.LIVE, now
    item.matched = len(indexed_in([item.pk]))
    item.save(update_fields=["status", "applied_at", "matched"])
    if item.kind == RegistryList.Kind.DISABILITY:
        note_disabilities(affected, now, ended_by=item.pk)
    else:
        note_matches(affected, now, ended_by=item)
    RegistryEntry.objects.filter(list__in=older).delete()
    name = stored_name(item)
    transaction.on_commit(lambda: files.remove(name))
    return item


def work_registry_lists(*, now: dt.datetime) -> int:
    """This will go on with whatever lists wait for a worker, and drop unconfirmed ones after two weeks."""
    done = 0
    for item in RegistryList.objects.filter(status__in=(_S.UPLOADED, _S.APPLYING)).order_by("id")[:20]:
        if item.status == _S.APPLYING:
            apply_registry_list(pk=item.pk, now=now)
            done += 1
        elif item.columns:
            read_registry_list(pk=item.pk, now=now)
            done += 1
    for item in RegistryList.objects.filter(status__in=(_S.UPLOADED, _S.READY), uploaded_at__lt=now - KEPT)[
        :20
    ]:
        _refused(item)
        done += 1
    return done


def lists_under_other_keys() -> int:
    """This will count waiting lists whose file is sealed with another key than the current one (rotation)."""
    return sum(1 for _item, _sealed in _stale_files())


def seal_lists_anew(limit: int) -> int:
    """This will seal up to `limit` such files with the current key, and return how many."""
    done = 0
    for item, sealed in itertools.islice(_stale_files(), limit):
        files.replace(
            stored_name(item), crypto.seal_bytes(crypto.unseal_bytes(sealed, _place(item)), _place(item))
        )
        done += 1
    return done


def _stale_files() -> Iterator[tuple[RegistryList, bytes]]:
    prefix = crypto.current_version().encode() + b":"
    for item in RegistryList.objects.filter(status__in=WAITING).order_by("id"):
        sealed = files.read(stored_name(item))
        if sealed is not None and not sealed.startswith(prefix):
            yield item, sealed


def _keep(item: RegistryList, waiting: list[RegistryEntry], done: int) -> None:
    with transaction.atomic():
        RegistryEntry.objects.bulk_create(waiting, batch_size=STEP)
        RegistryList.objects.filter(pk=item.pk).update(done=done)
    waiting.clear()


def _refused(item: RegistryList) -> RegistryList:
    with transaction.atomic():
        item.entries.all().delete()
        item.status = _S.REFUSED
        item.save(update_fields=["status"])
        name = stored_name(item)
        transaction.on_commit(lambda: files.remove(name))
    return item


def _place(item: RegistryList) -> str:
    return f"registry:{item.public_id}"


def stored_name(item: RegistryList) -> str:
    """This will give a list's file name on the disk, made from its own random id."""
    return crypto.blind_index("registry-file", item.public_id)[:32]


@contextlib.contextmanager
def _unpacked(content: bytes) -> Iterator[Table]:
    """A table wants a path: the decrypted file stands there for our own user alone, and goes at once."""
    folder = Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix="registry-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield open_table(Path(path))
    finally:
        Path(path).unlink(missing_ok=True)
