"""Which days a report is about (D1): by what began its duty. [start, end) in civil days of Asia/Shanghai."""

from __future__ import annotations

import datetime as dt

from apps.core.clock import civil_day
from apps.disclosures.errors import NoDuty, PeriodWrong
from apps.disclosures.figures import last_period_end
from apps.disclosures.models import Duty
from apps.disclosures.states import RECURRING, Rule, Trigger

DAY = dt.timedelta(days=1)


def chooses_end(duty: Duty) -> bool:
    """This will tell whether the writer says how far a report reaches: only where windows recur."""
    return duty.kind.rule in RECURRING


def period_of(duty: Duty, until: dt.date | None, today: dt.date) -> tuple[dt.date, dt.date]:
    """This will give a report's period; `until` counts for recurring kinds only (default: up to its date, at most
    today). Raises PeriodWrong when it ends before it begins or lies ahead, NoDuty for a duty without such a report."""
    kind, project = duty.kind, duty.project
    if kind.trigger == Trigger.CORRECTION_ORDERED:
        raise NoDuty()
    if kind.rule == Rule.YEARLY_BY:
        return dt.date(duty.began_on.year, 1, 1), dt.date(duty.began_on.year + 1, 1, 1)
    if project is None or kind.trigger == Trigger.DECLARED:
        return duty.began_on, duty.began_on + DAY
    if kind.trigger == Trigger.CAMPAIGN_FILED:
        return project.starts_on, project.ends_on + DAY
    if kind.trigger == Trigger.CAMPAIGN_ENDED:
        return civil_day(project.raising_at or project.created_at), duty.began_on + DAY
    if kind.trigger == Trigger.PROJECT_COMPLETED:
        if "whole" in kind.fields:
            first = min(project.starts_on, civil_day(project.raising_at or project.created_at))
            return first, max(duty.began_on, min(today, duty.due_on)) + DAY
        return duty.began_on, min(today, duty.due_on) + DAY
    start = last_period_end(project, duty.code) or duty.starts_on
    end = (until or min(today, duty.due_on - DAY)) + DAY
    if end <= start or end > today + DAY:
        raise PeriodWrong()
    return start, end
