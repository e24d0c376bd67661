"""Lists of goods received or given out: read, asked about, recorded all or nothing. A known list adds nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.canonical import sha256_of_file
from apps.core.clock import SHANGHAI, civil_day
from apps.core.errors import BadInput, Conflict, WrongState
from apps.core.policies import authorize
from apps.core.text import unit_line
from apps.core.transitions import note_status
from apps.inventory import policies
from apps.inventory.lists.judging import GoodsRow, Judged, judge, key_of
from apps.inventory.lists.matching import NONE, Match, matches
from apps.inventory.lists.reading import read_list
from apps.inventory.models import (
    Dispatch,
    DispatchLine,
    DispatchStatusChange,
    GoodsImport,
    GoodsImportRow,
    Handover,
    Location,
    Lot,
    Unit,
    Warehouse,
)
from apps.inventory.operations.moving import Move, lock_lots, place_of, post_moves
from apps.inventory.operations.receiving import Giver, LotDraft, make_lot, new_number, take_in
from apps.inventory.operations.warehousing import add_unit
from apps.inventory.states import Category, DispatchStatus, Kind, Known, ListKind, ListStatus, Place, Receiver

MOST_ANSWERS = 2_000
NOON = dt.time(12)


class NoDay(BadInput):
    code = "list_day_missing"
    message = _("名单里没有写明是哪一天的。请填日期。")
    field = "day"


class StillAsked(BadInput):
    code = "list_has_questions"
    message = _("还有没回答的问题，一行都没有记。请先回答。")


class PartlyKnown(BadInput):
    code = "list_partly_known"
    message = _("名单里有些行以前记过。请说明它们是什么：已有的不再记，还是都是新的。")
    field = "known"


class LotGone(Conflict):
    code = "list_lot_gone"
    message = _("第%(row)s行说是从%(lot)s发出的，这一批现在没有这么多了。请收回这个回答，再核对库存。")


@transaction.atomic
def start_import(
    *, actor: Actor, warehouse: Warehouse, kind: str, source: str, category: str, file_name: str, path: Path,
    day: dt.date | None = None, columns: Mapping[str, int] | None = None, now: dt.datetime,
) -> GoodsImport:  # fmt: skip
    """This will read a list and keep its lines with what has to be asked; nothing is recorded yet.

    `day` is the list's day where it names none. Raises UnreadableTable, NoDay, BadInput.
    """
    authorize(policies.can_import_goods, actor, warehouse)
    if kind not in ListKind.values or category not in Category.values or not source.strip():
        raise BadInput(_("请选名单种类、物资类别，并写明名单是谁公布的。"), field="source")
    reading = read_list(path, kind, columns)
    on = day or reading.found_day
    if on is None and not all(row.day for row in reading.rows):
        raise NoDay()
    if on is not None and on > civil_day(now):
        raise BadInput(_("收到的日期还没有到。"), field="day")
    if not reading.rows:
        raise BadInput(_("名单里没有一行物资。"), field="file")
    listing = GoodsImport.objects.create(
        kind=kind, warehouse=warehouse, source=source.strip()[:80], day=on or civil_day(now), category=category,
        file_name=file_name[:160], sha256=sha256_of_file(path), prose=reading.prose[:200], started_at=now,
        started_by=actor.person_id, started_by_label=actor.label[:80],
        columns={"header_row": reading.header_row, "at": dict(reading.at), "other_sheets": reading.other_sheets,
                 "day_in_file": reading.found_day is not None and (day is None or day == reading.found_day)},
    )  # fmt: skip
    GoodsImportRow.objects.bulk_create(
        GoodsImportRow(
            listing=listing, row=row.row, last_row=row.last_row, party=row.party[:300], carried=row.carried,
            item=row.item[:300], spec=row.spec[:300], amount=row.amount[:80], unit_word=row.unit_word[:40],
            day=row.day[:40], note=row.note[:300], at=row.at,
        )
        for row in reading.rows
    )  # fmt: skip
    _settle(listing)
    return listing


@transaction.atomic
def answer_import(
    *, actor: Actor, listing: GoodsImport, answers: Mapping[str, str], known_as: str = "", now: dt.datetime
) -> GoodsImport:
    """This will keep answers, {"unit:提": "包" or "new:0", "amount:49": "2箱", "item:20": "口罩"}; an empty one takes
    an answer back. What is still asked stays asked. Raises BadInput for what is no answer, WrongState once recorded."""
    locked = _lock(listing)
    authorize(policies.can_import_goods, actor, locked.warehouse)
    if locked.status not in (ListStatus.ASKING, ListStatus.READY):
        raise WrongState()
    kept = {what: dict(said) for what, said in locked.answers.items()}
    for name, said in list(answers.items())[:MOST_ANSWERS]:
        what, _sep, which = name.partition(":")
        if what not in ("unit", "amount", "item", "party", "day", "lot") or not which:
            raise BadInput(_("不认识这个回答。请从问题列表里回答。"))
        words = said.replace("\x00", "").strip()[:120]
        if what == "unit" and words and not _is_unit_answer(words):
            raise BadInput(_("单位请选已有的，或作为新单位添加（0到3位小数）。"), field=name)
        if words:
            kept.setdefault(what, {})[which] = words
        else:
            kept.get(what, {}).pop(which, None)
    locked.answers = kept
    if known_as in Known.values:
        locked.known_as = known_as
    _settle(locked)
    return locked


@transaction.atomic
def record_import(*, actor: Actor, listing: GoodsImport, now: dt.datetime) -> GoodsImport:
    """This will record a list, all of it: each line of a received list becomes a lot at the intake, each line of a
    given-out list a dispatch that has arrived: out of the stock's lot where a person said so, else out of a lot of its
    own (the list says nothing about which lot it was).

    Rows of an earlier list: all of them = nothing to add; some = refused until `known_as` says what they are. Raises
    StillAsked, PartlyKnown, LotGone, WrongState.
    """
    locked = _lock(listing)
    authorize(policies.can_import_goods, actor, locked.warehouse)
    if locked.status not in (ListStatus.ASKING, ListStatus.READY):
        raise WrongState()
    # One list at a time in a warehouse: two copies of a list can't both find their rows unknown.
    Warehouse.objects.select_for_update(no_key=True).get(pk=locked.warehouse_id)
    judged = judged_rows(locked)
    if judged.questions:
        raise StillAsked()
    rows, known = judged.rows, known_keys(judged.rows)
    if known and len(known) < len(rows) and not locked.known_as:
        raise PartlyKnown()
    if known and len(known) < len(rows) and locked.known_as == Known.ADD:
        rows = _as_new(rows, known)
    else:
        rows = [row for row in rows if row.key not in known]
    for word, places in judged.new_units.items():
        add_unit(actor=actor, code=word, name_en=word, places=places)
    if locked.kind == ListKind.RECEIVED:
        _record_received(actor, locked, rows, now)
    else:
        _record_given(actor, locked, rows)
    locked.status, locked.finished_at = ListStatus.RECORDED, now
    locked.recorded, locked.known = len(rows), len(judged.rows) - len(rows)
    locked.save(update_fields=["status", "finished_at", "recorded", "known"])
    return locked


@transaction.atomic
def drop_import(*, actor: Actor, listing: GoodsImport, now: dt.datetime) -> GoodsImport:
    """This will give a list up that isn't recorded. Raises WrongState."""
    locked = _lock(listing)
    authorize(policies.can_import_goods, actor, locked.warehouse)
    if locked.status not in (ListStatus.ASKING, ListStatus.READY):
        raise WrongState()
    locked.status, locked.finished_at = ListStatus.DROPPED, now
    locked.save(update_fields=["status", "finished_at"])
    return locked


def judged_rows(listing: GoodsImport) -> Judged:
    """This will tell what an import's lines mean with the answers it has."""
    return judge(
        listing.rows.order_by("row"), kind=listing.kind, source=listing.source, day_given=listing.day,
        day_in_file=bool(listing.columns.get("day_in_file")), answers=listing.answers,
    )  # fmt: skip


def known_keys(rows: Iterable[GoodsRow]) -> set[str]:
    """This will tell which rows an earlier list has recorded."""
    keys = [row.key for row in rows]
    return {
        *Lot.objects.filter(list_row__in=keys).values_list("list_row", flat=True),
        *Dispatch.objects.filter(list_row__in=keys).values_list("list_row", flat=True),
    }


def _as_new(rows: list[GoodsRow], known: set[str]) -> list[GoodsRow]:
    """Rows that look like known ones but are new get the next occurrence that nobody has."""
    taken = {row.key for row in rows} | known
    found = []
    for row in rows:
        n, key = 1, row.key
        while key in known:
            n += 1
            key = key_of(row.base, n)
            if key in taken or known_keys([replace(row, key=key)]):
                key = row.key
        taken.add(key)
        found.append(replace(row, key=key))
    return found


def _record_received(actor: Actor, listing: GoodsImport, rows: list[GoodsRow], now: dt.datetime) -> None:
    for (party, on), group in groupby(rows, key=lambda row: (row.party, row.day)):
        mine = list(group)
        notes = "；".join(dict.fromkeys(row.note for row in mine if row.note))
        for start in range(0, len(mine), 200):
            take_in(
                actor=actor, warehouse=listing.warehouse, giver=Giver(party[:120]), received_on=on, now=now,
                note=f"{listing.source} {listing.file_name}。{notes}"[:300],
                lots=[
                    LotDraft(row.item[:120], row.quantity, row.unit, listing.category, row.spec[:160],
                             per_unit=row.per_unit, inner_unit=row.inner_unit, list_row=row.key)
                    for row in mine[start : start + 200]
                ],
            )  # fmt: skip


def _record_given(actor: Actor, listing: GoodsImport, rows: list[GoodsRow]) -> None:
    warehouse = listing.warehouse
    shelf = Location.objects.filter(warehouse=warehouse, kind=Place.SHELF).order_by("pk").first()
    assert shelf is not None
    from_stock = _agreed(listing, rows)
    at = {
        kind: place_of(warehouse, kind)
        for kind in (Place.DONOR, Place.INTAKE, Place.TRANSIT, Place.RECIPIENT)
    }
    for on, group in groupby(rows, key=lambda row: row.day):
        now = dt.datetime.combine(on, NOON, tzinfo=SHANGHAI)
        moves: dict[str, list[Move]] = {
            kind: [] for kind in (Kind.RECEIVE, Kind.PASS, Kind.SEND, Kind.DELIVER)
        }
        for row in group:
            match = from_stock.get(row.key)
            lot = match.lot if match else make_lot(
                LotDraft(row.item[:120], row.quantity, row.unit, listing.category, row.spec[:160],
                         per_unit=row.per_unit, inner_unit=row.inner_unit),
                warehouse=warehouse, received_on=on, now=now, origin_note=f"发放名单：{listing.source}"[:120],
            )  # fmt: skip
            place = match.location if match else shelf.pk
            line, handover = _arrived(actor, warehouse, lot, place, row, now)
            q = row.quantity
            if not match:
                moves[Kind.RECEIVE].append(Move(Kind.RECEIVE, lot.pk, at[Place.DONOR], at[Place.INTAKE], q))
                moves[Kind.PASS].append(Move(Kind.PASS, lot.pk, at[Place.INTAKE], place, q))
            moves[Kind.SEND].append(
                Move(Kind.SEND, lot.pk, place, at[Place.TRANSIT], q, dispatch_line=line.pk)
            )
            moves[Kind.DELIVER].append(
                Move(Kind.DELIVER, lot.pk, at[Place.TRANSIT], at[Place.RECIPIENT], q, dispatch_line=line.pk,
                     handover=handover.pk)
            )  # fmt: skip
        post_moves(actor=actor, moves=[move for kind in moves.values() for move in kind], now=now)


def _agreed(listing: GoodsImport, rows: list[GoodsRow]) -> dict[str, Match]:
    """The rows a person said came out of stock, with the lots locked before their stock is read."""
    said = {row: lot for row, lot in listing.answers.get("lot", {}).items() if lot != NONE}
    wanted = [row for row in rows if str(row.row) in said]
    lock_lots(
        Lot.objects.filter(
            number__in=said.values(), stock__location__warehouse=listing.warehouse_id
        ).values_list("pk", flat=True)
    )
    found = {key: match for key, match in matches(listing, rows).items() if match.said}
    for row in wanted:
        if row.key not in found:
            raise LotGone(LotGone.message % {"row": row.row, "lot": said[str(row.row)]})
    return found


def _arrived(
    actor: Actor, warehouse: Warehouse, lot: Lot, place: int, row: GoodsRow, now: dt.datetime
) -> tuple[DispatchLine, Handover]:
    dispatch = Dispatch.objects.create(
        number=new_number("D", now), warehouse=warehouse, status=DispatchStatus.CLOSED, receiver=Receiver.INSTITUTION,
        receiver_name=row.party[:120], folded=unit_line([row.party[:120]]), planned_by_id=actor.person_id,
        planned_at=now, sent_at=now, list_row=row.key,
    )  # fmt: skip
    note_status(dispatch, "", history=DispatchStatusChange, actor=actor, now=now, reason=row.note[:200])
    line = DispatchLine.objects.create(
        dispatch=dispatch,
        n=1,
        lot=lot,
        location_id=place,
        planned=row.quantity,
        sent=row.quantity,
        handed=row.quantity,
    )
    handover = Handover.objects.create(dispatch=dispatch, handed_at=now, handed_by_id=actor.person_id)
    return line, handover


def _settle(listing: GoodsImport) -> None:
    listing.status = ListStatus.ASKING if judged_rows(listing).questions else ListStatus.READY
    listing.save(update_fields=["status", "answers", "known_as"])


def _is_unit_answer(words: str) -> bool:
    if words.startswith("new:"):
        return words[4:] in ("0", "1", "2", "3")
    return Unit.objects.filter(pk=words).exists()


def _lock(listing: GoodsImport) -> GoodsImport:
    return (
        GoodsImport.objects.select_for_update(of=("self",))
        .select_related("warehouse__organization")
        .get(pk=listing.pk)
    )
