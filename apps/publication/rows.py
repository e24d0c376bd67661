"""Operations on the projection of public rows. Called inside the transaction that publishes or withdraws.

The caller has authorized and passed the privacy gate; these only write. Order of locks: facet values, then rows by id.
A row's version is taken from one sequence while the row is locked, so a higher version is always the later truth.
"""

from __future__ import annotations

import bisect
import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Max, Q

from apps.core.events import is_heard, publish
from apps.core.pages import bump_epoch
from apps.core.text import unit_line
from apps.publication.drafts import Facet, RowDraft
from apps.publication.events import MOST, RowsChanged
from apps.publication.models.rows import (
    BANDS,
    CURRENCIES,
    OPINIONS,
    PERIODS,
    VIEWS,
    FacetValue,
    PublicHeading,
    PublicRow,
    PublicRowText,
)

SINGLE = ("organization", "fund", "category", "town", "kind")
CODE_FIELDS = ("version", "amount", "heading_id", "people", "day", "month", "project", "category", "town", "view",
               "kind", "opinion", "band", "period", "currency", "alive", "units")  # fmt: skip
NO_PROJECT = "~"
"""Begins the key of the stand-in project of rows that belong to a fund or an organization alone; never shown."""


def publish_rows(*, rows: Sequence[RowDraft], now: dt.datetime) -> list[int]:
    """This will publish rows, or replace those of the same source, and return their ids in the order given.

    Runs in the caller's transaction. Raises core.text.TooMuchText for a text the index can't hold, ValueError when a
    source is named twice.
    """
    if len({draft.source for draft in rows}) != len(rows):
        raise ValueError("each source once in a call")
    with transaction.atomic():
        if not rows:
            return []
        codes, renamed = _facet_codes(rows)
        headings = _heading_ids(rows)
        known = _locked(source=[draft.source for draft in rows])
        fresh: dict[str, tuple[PublicRow, PublicRowText]] = {}
        kept: list[tuple[PublicRow, PublicRowText]] = []
        versions = _versions(len(rows))
        for draft, version in zip(rows, versions, strict=True):
            shown = known.get(draft.source)
            row = shown.row if shown else PublicRow()
            shown = shown or PublicRowText(source=draft.source)
            _fill(row, shown, draft, codes, headings, version, now)
            if row.pk:
                kept.append((row, shown))
            else:
                fresh[draft.source] = (row, shown)
        PublicRow.objects.bulk_create([row for row, _ in fresh.values()], batch_size=2000)
        for row, shown in fresh.values():
            shown.row = row
        PublicRowText.objects.bulk_create([shown for _, shown in fresh.values()], batch_size=2000)
        PublicRow.objects.bulk_update([row for row, _ in kept], CODE_FIELDS, batch_size=500)
        PublicRowText.objects.bulk_update(
            [shown for _, shown in kept],
            ["batch", "public_id", "link", "heading", "text", "more", "published_at", "withdrawn_at"],
            batch_size=500,
        )
        ids = {shown.source: row.pk for row, shown in [*fresh.values(), *kept]}
        changed = list(ids.values())
        if renamed:
            changed += _write_labels_anew(renamed, leave=set(changed))
        _tell(changed)
        bump_epoch()
        return [ids[draft.source] for draft in rows]


def withdraw_rows(*, now: dt.datetime, batch: str | None = None, sources: Iterable[str] | None = None) -> int:
    """This will take rows from the public, those of a batch or of named sources, and return how many were taken.

    A withdrawn row keeps its id and gets a higher version; its text is gone.
    """
    if (batch is None) == (sources is None):
        raise TypeError("name a batch, or sources")
    with transaction.atomic():
        known = _locked(source=list(sources)) if sources is not None else _locked(batch=batch)
        alive = [shown for shown in known.values() if shown.row.alive]
        for shown, version in zip(alive, _versions(len(alive)), strict=True):
            shown.row.version, shown.row.alive, shown.row.units = version, False, ""
            shown.row.amount = shown.row.people = 0
            shown.heading, shown.text, shown.more, shown.withdrawn_at = "", "", {}, now
        PublicRow.objects.bulk_update(
            [shown.row for shown in alive], ["version", "alive", "units", "amount", "people"], batch_size=500
        )
        PublicRowText.objects.bulk_update(alive, ["heading", "text", "more", "withdrawn_at"], batch_size=500)
        _tell([shown.row_id for shown in alive])
        bump_epoch()
        return len(alive)


def republish_rows(*, batch: str, rows: Sequence[RowDraft], now: dt.datetime) -> list[int]:
    """This will make `rows` the whole of a batch: what the batch held and `rows` doesn't is withdrawn (D5)."""
    if any(draft.batch != batch for draft in rows):
        raise ValueError("every row must belong to the batch")
    with transaction.atomic():
        staying = {draft.source for draft in rows}
        gone = [source for source in _locked(batch=batch) if source not in staying]
        withdraw_rows(sources=gone, now=now)
        return publish_rows(rows=rows, now=now)


def _tell(rows: list[int]) -> None:
    """Where no index outside the database listens, nothing is written: one that comes later is built from the rows."""
    if not is_heard(RowsChanged):
        return
    publish(*(RowsChanged(tuple(rows[at : at + MOST])) for at in range(0, len(rows), MOST)))


def _locked(source: list[str] | None = None, batch: str | None = None) -> dict[str, PublicRowText]:
    texts = PublicRowText.objects.select_related("row").select_for_update().order_by("row_id")
    texts = texts.filter(source__in=source) if source is not None else texts.filter(batch=batch)
    return {shown.source: shown for shown in texts}


def _versions(count: int) -> list[int]:
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('publication_row_version') FROM generate_series(1, %s)", [count])
        return [version for (version,) in cursor.fetchall()]


def _fill(
    row: PublicRow,
    shown: PublicRowText,
    draft: RowDraft,
    codes: dict[tuple[str, str], int],
    headings: dict[bytes, int],
    version: int,
    now: dt.datetime,
) -> None:
    row.version, row.alive, row.view = version, True, VIEWS[draft.view]
    row.amount, row.currency = draft.amount.minor, CURRENCIES.index(draft.amount.currency)
    row.people, row.day = draft.household_times, draft.day.toordinal()
    row.month = draft.day.year * 12 + draft.day.month - 1
    row.project = codes["project", _project_key(draft)]
    row.category = codes["category", draft.category.key] if draft.category else 0
    row.town = codes["town", draft.town.key] if draft.town else 0
    row.kind = codes["kind", draft.kind.key]
    row.opinion, row.period = OPINIONS.index(draft.opinion), PERIODS.index(draft.period)
    row.band = bisect.bisect_right(BANDS, abs(draft.amount.minor)) - 1
    row.heading_id = headings[_digest(draft.heading)]
    row.units = unit_line([draft.heading, draft.text, *draft.labels()])
    shown.batch, shown.public_id, shown.link = draft.batch, draft.public_id, draft.link
    shown.heading, shown.text, shown.more = draft.heading, draft.text, dict(draft.more)
    shown.published_at, shown.withdrawn_at = now, None


# Headings


def _digest(heading: str) -> bytes:
    return hashlib.blake2b(unit_line([heading]).encode(), digest_size=16).digest()


def _heading_ids(rows: Sequence[RowDraft]) -> dict[bytes, int]:
    wanted = {_digest(draft.heading): unit_line([draft.heading]) for draft in rows}
    PublicHeading.objects.bulk_create(
        [PublicHeading(digest=digest, units=units) for digest, units in wanted.items()],
        ignore_conflicts=True,
        batch_size=2000,
    )
    found = PublicHeading.objects.filter(digest__in=list(wanted)).values_list("digest", "id")
    return {bytes(digest): pk for digest, pk in found}


# Facet values


def _project_key(draft: RowDraft) -> str:
    if draft.project:
        return draft.project.key
    return NO_PROJECT + (draft.fund.key if draft.fund else f"{NO_PROJECT}{draft.organization.key}")


def _facet_codes(rows: Sequence[RowDraft]) -> tuple[dict[tuple[str, str], int], set[tuple[str, int]]]:
    """The codes of every facet value of the rows, and which of them got another label."""
    wanted: dict[tuple[str, str], Facet] = {}
    owners: dict[str, tuple[str, str]] = {}
    for draft in rows:
        for name in SINGLE:
            facet: Facet | None = getattr(draft, name)
            if facet:
                wanted[name, facet.key] = facet
        key = _project_key(draft)
        wanted["project", key] = draft.project or Facet(key, "")
        owners[key] = (draft.fund.key if draft.fund else "", draft.organization.key)
    keys = {key for _, key in wanted}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('publication_facetvalue'))")
    known = {
        (value.facet, value.key): value
        for value in FacetValue.objects.filter(key__in=keys)
        if (value.facet, value.key) in wanted
    }  # fmt: skip
    _add_missing(wanted, known)
    changed, renamed = [], set()
    for pair, facet in wanted.items():
        value = known[pair]
        before = (value.label_zh, value.label_en, value.fund, value.organization)
        if (value.label_zh, value.label_en) != (facet.zh, facet.en):
            renamed.add((value.facet, value.code))
        value.label_zh, value.label_en = facet.zh, facet.en
        if pair[0] == "project":
            fund, organization = owners[pair[1]]
            value.fund = known["fund", fund].code if fund else 0
            value.organization = known["organization", organization].code
        if before != (value.label_zh, value.label_en, value.fund, value.organization):
            changed.append(value)
    FacetValue.objects.bulk_update(changed, ["label_zh", "label_en", "fund", "organization"])
    return {pair: value.code for pair, value in known.items()}, renamed


def _add_missing(wanted: dict[tuple[str, str], Facet], known: dict[tuple[str, str], FacetValue]) -> None:
    missing = [pair for pair in wanted if pair not in known]
    if not missing:
        return
    last: dict[str, int] = defaultdict(int)
    for name, top in FacetValue.objects.values_list("facet").annotate(Max("code")):
        last[name] = top
    for name, key in missing:
        last[name] += 1
        facet = wanted[name, key]
        known[name, key] = FacetValue(
            facet=name, code=last[name], key=key, label_zh=facet.zh, label_en=facet.en
        )
    FacetValue.objects.bulk_create([known[pair] for pair in missing])


def _write_labels_anew(renamed: set[tuple[str, int]], leave: set[int]) -> list[int]:
    """Rows that carry a renamed label are written and versioned anew (labels are part of what is searched)."""
    projects = {code for name, code in renamed if name == "project"}
    for name in ("fund", "organization"):
        owners = [code for facet, code in renamed if facet == name]
        if owners:
            projects |= set(
                FacetValue.objects.filter(facet="project", **{f"{name}__in": owners}).values_list(
                    "code", flat=True
                )
            )
    touched = Q(project__in=projects)
    for name in ("category", "town", "kind"):
        touched |= Q(**{f"{name}__in": [code for facet, code in renamed if facet == name]})
    rows = (
        PublicRow.objects.filter(touched, alive=True).exclude(pk__in=leave).select_for_update().order_by("pk")
    )
    labels = facet_labels()
    batch: list[PublicRow] = []
    shown = PublicRowText.objects.in_bulk([row.pk for row in rows])
    for row in rows:
        row.units = row_units(row, shown[row.pk], labels)
        batch.append(row)
    for row, version in zip(batch, _versions(len(batch)), strict=True):
        row.version = version
    PublicRow.objects.bulk_update(batch, ["units", "version"], batch_size=500)
    return [row.pk for row in batch]


Labels = dict[tuple[str, int], FacetValue]


def facet_labels() -> Labels:
    """This will read what every code means."""
    return {(value.facet, value.code): value for value in FacetValue.objects.all()}


def row_units(row: PublicRow, shown: PublicRowText, labels: Labels) -> str:
    """This will write a row's line of units from what is shown of it, as publish_rows wrote it from the draft."""
    project = labels["project", row.project]
    codes = (("project", row.project), ("fund", project.fund), ("organization", project.organization),
             ("category", row.category), ("town", row.town), ("kind", row.kind))  # fmt: skip
    texts = [
        text
        for pair in codes
        if pair in labels
        for text in (labels[pair].label_zh, labels[pair].label_en)
        if text
    ]
    return unit_line([shown.heading, shown.text, *texts])
