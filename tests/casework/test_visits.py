"""Needs assessments: two visitors, sealed answers, a score that explains itself."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from apps.casework import operations
from apps.casework.models import AccessRow, Assessment, AssessmentForm, Household
from apps.core.errors import PermissionRefused
from tests import world as w
from tests.conftest import Database

ANSWERS = {
    "income": "none",
    "housing": "unsafe",
    "health": "one",
    "labour": "none",
    "spending": "over",
    "care": "some",
}


def record(city: w.World, family: Household, who: str = "caseworker_shiqiao", **answers: str) -> Assessment:
    return operations.record_assessment(
        actor=city.people[who],
        household=family,
        visited_on=w.NOW.date(),
        answers=ANSWERS | answers,
        now=w.NOW,
    )


@pytest.mark.django_db
def test_the_score_is_the_sum_of_its_lines() -> None:
    city = w.build()
    visit = record(city, w.household(city, 1))
    assert visit.score == 25 + 15 + 14 + 15 + 15 + 6
    lines = operations.open_assessment(
        actor=city.people["reviewer_shiqiao"], assessment=visit, reason="审核", now=w.NOW
    )
    assert sum(line.points for line in lines) == visit.score and lines[1].answer == "鉴定为危房"
    assert AccessRow.objects.get().fields == f"assessment.{visit.pk}"
    assert b"unsafe" not in bytes(visit.answers or b"")
    with pytest.raises(PermissionRefused):
        operations.open_assessment(
            actor=city.people["reviewer_hengxi"], assessment=visit, reason="看看", now=w.NOW
        )


@pytest.mark.django_db
def test_every_form_stays_within_100_points() -> None:
    for form in AssessmentForm.objects.all():
        most = sum(max(one["points"] for one in question["answers"]) for question in form.questions)
        assert most == 100


@pytest.mark.django_db
def test_two_people_or_nothing() -> None:
    city = w.build()
    visit = record(city, w.household(city, 1))
    for who, error in (
        ("caseworker_shiqiao", operations.SameVisitor),
        ("caseworker2_hengxi", PermissionRefused),
        ("manager", PermissionRefused),
    ):
        with pytest.raises(error):
            operations.confirm_assessment(actor=city.people[who], assessment=visit, now=w.NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.filter(pk=visit.pk).update(
            second_visitor=visit.first_visitor_id, confirmed_at=w.NOW
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.filter(pk=visit.pk).update(confirmed_at=w.NOW)
    signed = operations.confirm_assessment(
        actor=city.people["caseworker2_shiqiao"], assessment=visit, now=w.NOW
    )
    assert signed.second_visitor_id == city.people["caseworker2_shiqiao"].person_id


@pytest.mark.django_db
@pytest.mark.parametrize("answers", [{"income": ""}, {"income": "rich"}, {"care": "x" * 50}])
def test_a_missing_or_strange_answer_is_named(answers: dict[str, str]) -> None:
    city = w.build()
    family = w.household(city, 1)
    with pytest.raises(operations.AnswerMissing) as refused:
        record(city, family, **answers)
    assert refused.value.field == f"q_{next(iter(answers))}"
    assert Assessment.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("days", [1, -91])
def test_a_visit_is_neither_ahead_nor_long_past(days: int) -> None:
    city = w.build()
    with pytest.raises(operations.BadVisitDay):
        operations.record_assessment(
            actor=city.people["caseworker_shiqiao"], household=w.household(city, 1), answers=ANSWERS, now=w.NOW,
            visited_on=w.NOW.date() + dt.timedelta(days=days),
        )  # fmt: skip


def test_two_signatures_at_once_leave_one(committed_db: Database) -> None:
    city = w.build()
    visit = record(city, w.household(city, 1))
    third = w.person("caseworker3", ("caseworker", "town", city.towns[0].pk))
    barrier = threading.Barrier(2)

    def sign(actor: object) -> None:
        barrier.wait()
        try:
            operations.confirm_assessment(actor=actor, assessment=visit, now=w.NOW)  # type: ignore[arg-type]
        finally:
            connection.close()

    people = (city.people["caseworker2_shiqiao"], third)
    threads = [threading.Thread(target=sign, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    visit.refresh_from_db()
    assert visit.second_visitor_id in {actor.person_id for actor in people}
