"""Needs assessments: answers to a numbered form, by one visitor, signed by another."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.casework import policies
from apps.casework.models import Assessment, AssessmentForm, Household
from apps.casework.operations.sealing import key_of, lock_household, note_access, owner_of
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict
from apps.core.policies import authorize

OLDEST_VISIT = dt.timedelta(days=90)


class AnswerMissing(BadInput):
    code = "answer_missing"
    message = _("每一题都要选一个答案。")


class BadVisitDay(BadInput):
    code = "bad_visit_day"
    message = _("入户日期不能在今天之后，也不能早于90天前。")
    field = "visited_on"


class SameVisitor(Conflict):
    code = "same_visitor"
    message = _("入户评估要两个人：记录的人不能再作为第二位入户人签字。请同去的同事登录后签字。")


@dataclass(frozen=True, slots=True)
class Line:
    """One question of an assessment as explained: the answer and the points it gave."""

    question: str
    answer: str
    points: int


def newest_form(day: dt.date) -> AssessmentForm:
    """This will give the questions in force on a civil date."""
    return AssessmentForm.objects.filter(effective_from__lte=day).latest("version")


@transaction.atomic
def record_assessment(
    *, actor: Actor, household: Household, visited_on: dt.date, answers: Mapping[str, str], now: dt.datetime
) -> Assessment:
    """This will record a visit's answers, {question key: answer key}, sealed with the household's key, and their score
    (0 to 100). It counts once the second visitor has signed. Raises AnswerMissing, BadVisitDay."""
    household = lock_household(household.pk)
    authorize(policies.can_change_household, actor, household)
    today = civil_day(now)
    if not today - OLDEST_VISIT <= visited_on <= today:
        raise BadVisitDay()
    form = newest_form(today)
    chosen = {question["key"]: answers.get(question["key"], "") for question in form.questions}
    score = sum(line.points for line in _explained(form.questions, chosen))
    assert actor.person_id is not None
    assessment = Assessment.objects.create(
        household=household, form=form, score=min(score, 100), visited_on=visited_on, first_visitor_id=actor.person_id,
        recorded_at=now,
    )  # fmt: skip
    assessment.answers = crypto.encrypt(key_of(household), json.dumps(chosen), _place(assessment))
    assessment.save(update_fields=["answers"])
    return assessment


@transaction.atomic
def confirm_assessment(*, actor: Actor, assessment: Assessment, now: dt.datetime) -> Assessment:
    """This will add the second visitor's signature. Raises SameVisitor; signed already: returns it as it is."""
    household = lock_household(assessment.household_id)
    authorize(policies.can_change_household, actor, household)
    assessment = Assessment.objects.select_for_update().get(pk=assessment.pk)
    if assessment.first_visitor_id == actor.person_id:
        raise SameVisitor()
    if assessment.second_visitor_id is None:
        assessment.second_visitor_id, assessment.confirmed_at = actor.person_id, now
        assessment.save(update_fields=["second_visitor", "confirmed_at"])
    return assessment


@transaction.atomic
def open_assessment(*, actor: Actor, assessment: Assessment, reason: str, now: dt.datetime) -> list[Line]:
    """This will decrypt the answers and explain the score line by line, leaving a row (C2)."""
    assessment = Assessment.objects.select_related("household", "form").get(pk=assessment.pk)
    household = assessment.household
    note_access(
        policies.can_read_household, actor, household, household, [f"assessment.{assessment.pk}"], reason, now
    )
    assert assessment.answers is not None
    chosen = json.loads(crypto.decrypt(key_of(household), bytes(assessment.answers), _place(assessment)))
    return _explained(assessment.form.questions, chosen)


def _place(assessment: Assessment) -> str:
    return f"{owner_of(assessment.household)}:assessment:{assessment.pk}"


def _explained(questions: list[dict[str, Any]], chosen: Mapping[str, str]) -> list[Line]:
    language = "en" if (get_language() or "").startswith("en") else "zh"
    lines = []
    for question in questions:
        found = [one for one in question["answers"] if one["key"] == chosen.get(question["key"])]
        if not found:
            raise AnswerMissing(field=f"q_{question['key']}")
        lines.append(Line(question[language], found[0][language], int(found[0]["points"])))
    return lines
