"""Four different people (P2): refused by the operations, and by the database whoever asks."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.errors import DomainError
from apps.disbursements import operations
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import FOUR, Disbursement
from apps.disbursements.operations.deciding import check_four_eyes
from apps.ledger.models import EarmarkBalance
from tests import world as w

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("first", "second"), itertools.combinations(FOUR, 2))
def test_the_database_refuses_one_person_in_two_steps(first: str, second: str) -> None:
    city = w.build()
    w.give(city, 1_000_000)
    item = w.help_family(city, 1, 10_000)
    with pytest.raises(IntegrityError, match=f"four_eyes_{first}_not_{second}"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE disbursements_disbursement SET {second}_id = {first}_id WHERE id = %s", [item.pk]
            )


@pytest.mark.parametrize(("done", "step"), itertools.permutations(FOUR, 2))
def test_the_operation_refuses_before_the_database_has_to(done: str, step: str) -> None:
    city = w.build()
    actor = city.people["manager"]
    item = Disbursement(**{f"{done}_id": actor.person_id})
    with pytest.raises(FourEyes):
        check_four_eyes(item, actor, step)


def test_one_person_with_every_role_gets_no_second_step() -> None:
    city = w.build()
    w.give(city, 1_000_000)
    town, org = city.towns[0].pk, city.organization.pk
    everybody = w.person(
        "one person", ("caseworker", "town", town), ("town_reviewer", "town", town), ("manager", "organization", org),
        ("cashier", "organization", org),
    )  # fmt: skip
    item = operations.apply_for_aid(
        actor=everybody, project=city.project, household=w.household(city, 1), budget_line=city.line,
        money=w.Money(1_000), purpose="自费药", need="已核实", now=w.NOW,
    )  # fmt: skip
    with pytest.raises(FourEyes):
        operations.verify_disbursement(actor=everybody, disbursement=item, now=w.NOW)
    reviewer = city.people["reviewer_shiqiao"]
    operations.verify_disbursement(actor=reviewer, disbursement=item, answers=w.ANSWERS, now=w.NOW)
    with pytest.raises(FourEyes):
        operations.approve_disbursement(actor=everybody, disbursement=item, now=w.NOW)
    operations.approve_disbursement(
        actor=city.people["manager"], disbursement=item, answers=w.ANSWERS, now=w.NOW
    )
    with pytest.raises(FourEyes):
        operations.release_batch(
            actor=everybody, organization=city.organization, disbursement_ids=[item.pk], now=w.NOW
        )


def test_approving_needs_a_live_project_room_in_the_budget_and_money() -> None:
    city = w.build(target=100_000)
    w.give(city, 50_000)
    budget = city.line.planned
    poor = w.apply_aid(city, w.household(city, 1), 50_001)
    for n, (fen, code) in enumerate([(budget + 1, "budget_exceeded"), (60_000, "not_enough_money")], start=2):
        item = w.apply_aid(city, w.household(city, n), fen)
        with pytest.raises(DomainError) as refused:
            w.approve(city, item)
        assert refused.value.code == code
    assert city.line.committed == 0, "what was refused has committed nothing"
    w.funds.suspend_project(actor=city.people["supervisor"], project=city.project, reason="抽查", now=w.NOW)
    with pytest.raises(DomainError) as refused:
        w.approve(city, poor)
    assert refused.value.code == "project_not_spendable"


def test_approval_reserves_and_rejection_gives_back() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.approve(city, w.apply_aid(city, w.household(city, 1), 30_000))
    balance = EarmarkBalance.objects.get(earmark=city.earmark)
    free = balance.available
    assert (balance.reserved, city.line.committed) == (30_000, 30_000)
    operations.reject_disbursement(actor=city.people["manager2"], disbursement=item, reason="重复", now=w.NOW)
    balance.refresh_from_db()
    assert (balance.reserved, balance.available, city.line.committed) == (0, free + 30_000, 0)
