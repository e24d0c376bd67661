"""The income tier: who said it, on what ground, from when until when. Rows are only added; the newest one that covers
a day is the tier of that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import policies
from apps.casework.models import (
    Attachment,
    BlindIndex,
    Household,
    IncomeTier,
    RegistryEntry,
    RegistryList,
    TierRow,
)
from apps.casework.operations.sealing import lock_household
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.policies import authorize

STRONGEST = (IncomeTier.TEKUN, IncomeTier.DIBAO, IncomeTier.CHILD, IncomeTier.LOW_INCOME)
"""Where a family stands in several lists, the first of these counts."""

_MATCHES = """
SELECT b.household_id, l.kind, l.id, e.valid_from, e.valid_until
FROM casework_blindindex b
JOIN casework_household h ON h.id = b.household_id AND h.erased_at IS NULL
LEFT JOIN casework_member m ON m.id = b.member_id
JOIN casework_registryentry e ON e.digest = b.digest
JOIN casework_registrylist l ON l.id = e.list_id AND l.status = 'live'
WHERE b.name = 'id_number' AND m.left_at IS NULL AND b.household_id = ANY(%s)
  AND e.valid_from <= %s AND (e.valid_until IS NULL OR e.valid_until >= %s)
"""


class BadTierPeriod(BadInput):
    code = "bad_tier_period"
    message = _("有效期的结束不能早于开始，开始不能晚于今天。")
    field = "valid_until"


@dataclass(frozen=True, slots=True)
class Match:
    """What the live lists say of a household: the strongest tier with its list and period."""

    tier: str
    registry_list: int
    valid_from: dt.date
    valid_until: dt.date | None


@transaction.atomic
def set_income_tier(
    *, actor: Actor, household: Household, tier: str, valid_from: dt.date, valid_until: dt.date | None,
    now: dt.datetime, attachment: Attachment | None = None,
) -> TierRow:  # fmt: skip
    """This will record a tier that a caseworker saw proof of; `attachment` is the proof in the file. Dates are civil.
    Raises BadTierPeriod."""
    household = lock_household(household.pk)
    authorize(policies.can_change_household, actor, household)
    if tier not in IncomeTier.values:
        raise BadInput(_("请选择收入类别。"), field="tier")
    if attachment is not None and attachment.household_id != household.pk:
        raise BadInput(_("这个附件不在这份档案里。"), field="attachment")
    if valid_from > civil_day(now) or (valid_until is not None and valid_until < valid_from):
        raise BadTierPeriod()
    row = TierRow.objects.create(
        household=household, tier=tier, source=TierRow.Source.CASEWORKER, valid_from=valid_from,
        valid_until=valid_until, reference=attachment.public_id if attachment else "",
        recorded_by=actor.person_id, recorded_at=now,
    )  # fmt: skip
    keep_present_tier([household.pk], civil_day(now))
    return row


def matches(household_ids: Iterable[int], day: dt.date) -> dict[int, Match]:
    """This will compare households with the live lists by blind index: {household: strongest match}. Nothing is
    decrypted."""
    found: dict[int, Match] = {}
    with connection.cursor() as cursor:
        cursor.execute(_MATCHES, [list(household_ids), day, day])
        for household, kind, pk, valid_from, valid_until in cursor.fetchall():
            if kind not in STRONGEST:
                continue
            known = found.get(household)
            if known is None or STRONGEST.index(kind) < STRONGEST.index(IncomeTier(known.tier)):
                found[household] = Match(kind, pk, valid_from, valid_until)
    return found


def note_matches(
    household_ids: Iterable[int], now: dt.datetime, *, ended_by: RegistryList | None = None
) -> int:
    """This will append a row wherever the lists now say something else than the newest row that came from a list, and
    return how many. `ended_by`: the list whose coming ended entries of an older one; who stands in no list any more
    falls to "none"."""
    day = civil_day(now)
    ids = sorted(set(household_ids))
    said = matches(ids, day)
    newest = _newest_from_lists(ids)
    rows = []
    for pk in ids:
        match, last = said.get(pk), newest.get(pk)
        if match is None:
            if last is not None and last.tier != IncomeTier.NONE and ended_by is not None:
                rows.append(_row(pk, IncomeTier.NONE, ended_by.pk, day, None, now))
        elif last is None or (last.tier, last.valid_until) != (match.tier, match.valid_until):
            rows.append(_row(pk, match.tier, match.registry_list, match.valid_from, match.valid_until, now))
    TierRow.objects.bulk_create(rows, batch_size=1000)
    keep_present_tier([row.household_id for row in rows], day)
    return len(rows)


def keep_present_tier(household_ids: Iterable[int], day: dt.date) -> int:
    """This will set the present tier of households that have rows to what the rows say for a civil date."""
    ids = sorted(set(household_ids))
    present = tiers_on(ids, day)
    changed = 0
    for tier in set(present.values()):
        same = [pk for pk, said in present.items() if said == tier]
        changed += Household.objects.filter(pk__in=same).exclude(income_tier=tier).update(income_tier=tier)
    return changed


def tiers_on(household_ids: Iterable[int], day: dt.date) -> Mapping[int, str]:
    """This will give the tier of each household that has rows on a civil date; "none" where no row covers it."""
    found: dict[int, str] = {}
    rows = TierRow.objects.filter(household__in=list(household_ids)).order_by("household_id", "id")
    for pk, tier, start, end in rows.values_list("household_id", "tier", "valid_from", "valid_until"):
        # In order of writing: a later row that covers the day takes the earlier one's place.
        covers = start <= day and (end is None or day <= end)
        found[pk] = tier if covers else found.get(pk, IncomeTier.NONE.value)
    return found


@transaction.atomic
def lower_ended_tiers(*, now: dt.datetime, limit: int = 1000) -> int:
    """This will let tiers whose validity has ended fall to what the rows say today; run by the clock."""
    day = civil_day(now)
    ended = (
        TierRow.objects.filter(valid_until__lt=day, household__erased_at__isnull=True)
        .exclude(household__income_tier=IncomeTier.NONE)
        .values_list("household", flat=True)
        .distinct()
    )
    return keep_present_tier(list(ended[:limit]), day)


def _newest_from_lists(ids: list[int]) -> dict[int, TierRow]:
    rows = TierRow.objects.filter(household__in=ids, source=TierRow.Source.REGISTRY).order_by("id")
    return {row.household_id: row for row in rows}


def _row(
    household: int, tier: str, registry_list: int, start: dt.date, end: dt.date | None, now: dt.datetime
) -> TierRow:
    return TierRow(
        household_id=household, tier=tier, source=TierRow.Source.REGISTRY, registry_list=registry_list,
        valid_from=start, valid_until=end, recorded_at=now,
    )  # fmt: skip


def indexed_in(list_ids: Iterable[int]) -> list[int]:
    """This will list the households with a person in any of the given lists."""
    rows = BlindIndex.objects.filter(
        name="id_number", household__erased_at__isnull=True,
        digest__in=RegistryEntry.objects.filter(list__in=list(list_ids)).values("digest"),
    )  # fmt: skip
    return sorted(set(rows.values_list("household", flat=True)))
