"""The law's table of kinds changes: a new row from a day on, or an end (D1). What stands is never written over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import NotFound
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.disclosures import policies
from apps.disclosures.errors import KindDateWrong, KindEnded, KindFromWrong, KindUnchanged, ReasonMissing
from apps.disclosures.models import DutyKind
from apps.disclosures.states import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class KindInput:
    """What of a kind may change by data. What begins it, for whom it counts, how its date is counted and which lines it
    has stay: they are judged for the whole past of a project, and lines need their computers."""

    name_zh: str
    name_en: str
    legal_source: str
    audited: bool
    number: int | None = None
    due_month: int | None = None
    due_day: int | None = None


@transaction.atomic
def change_duty_kind(
    *, actor: Actor, code: str, effective_from: dt.date, given: KindInput, now: dt.datetime
) -> DutyKind:
    """This will write a kind's next row, in force from a later day of Asia/Shanghai on (the supervisor). Duties whose
    windows began before keep the row they have. Raises KindFromWrong, KindDateWrong, KindUnchanged, KindEnded,
    ReasonMissing (no legal source)."""
    authorize(policies.can_change_kind, actor)
    newest = _newest(code)
    if newest.effective_until is not None:
        raise KindEnded()
    if effective_from <= max(civil_day(now), newest.effective_from):
        raise KindFromWrong()
    if not given.legal_source.strip() or not given.name_zh.strip() or not given.name_en.strip():
        raise ReasonMissing(field="legal_source")
    _check_date(newest.rule, given)
    changed = {
        "name_zh": given.name_zh.strip()[:60], "name_en": given.name_en.strip()[:80],
        "legal_source": given.legal_source.strip()[:200], "audited": given.audited, "number": given.number,
        "due_month": given.due_month, "due_day": given.due_day,
    }  # fmt: skip
    if all(getattr(newest, name) == value for name, value in changed.items()):
        raise KindUnchanged()
    made = DutyKind.objects.create(
        code=newest.code, position=newest.position, scope=newest.scope, trigger=newest.trigger,
        applies=newest.applies, rule=newest.rule, fields=newest.fields, second_hand=False,
        effective_from=effective_from, set_by=actor.person_id, set_at=now, **changed,
    )  # fmt: skip
    bump_epoch()
    return made


@transaction.atomic
def end_duty_kind(*, actor: Actor, code: str, effective_until: dt.date, now: dt.datetime) -> DutyKind:
    """This will write down the last day on which a kind is in force (the supervisor): what begins later owes nothing by
    it. Raises KindEnded, KindFromWrong (a day that is past)."""
    authorize(policies.can_change_kind, actor)
    newest = _newest(code)
    if newest.effective_until is not None:
        raise KindEnded()
    if effective_until < max(civil_day(now), newest.effective_from):
        raise KindFromWrong(field="effective_until")
    newest.effective_until = effective_until
    newest.save(update_fields=["effective_until"])
    bump_epoch()
    return newest


def _newest(code: str) -> DutyKind:
    """The newest row. Its kind's rows are locked first and read again: whoever waited sees the row that was added
    meanwhile, so that two supervisors at once make one row after the other."""
    rows = DutyKind.objects.filter(code=code)
    if not list(rows.select_for_update().order_by("pk").values_list("pk", flat=True)):
        raise NotFound()
    return rows.latest("effective_from")


def _check_date(rule: str, given: KindInput) -> None:
    if rule == Rule.YEARLY_BY:
        if given.number is not None or given.due_month is None or given.due_day is None:
            raise KindDateWrong(field="due_month")
        try:
            dt.date(2028, given.due_month, given.due_day)  # a leap year: 29 February is a day
        except ValueError as error:
            raise KindDateWrong(field="due_day") from error
    elif given.number is None or not 0 < given.number <= 999 or given.due_month or given.due_day:
        raise KindDateWrong(field="number")
