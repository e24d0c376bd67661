"""Risk flags (P6), and four eyes that stay four after a re-opened approval, a change of roles and joined accounts."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.models import Person
from apps.accounts.operations import join_accounts
from apps.accounts.operations.joining import JoinRefused
from apps.casework.operations import change_bank_account
from apps.disbursements import operations, queries
from apps.disbursements.errors import FlagsUnanswered, FourEyes
from apps.disbursements.models import FOUR, Disbursement, RiskAnswer, RiskFlag, StepTaker
from apps.disbursements.queries import QueueFilter
from apps.disbursements.risks import current_risks
from tests import world as w

pytestmark = pytest.mark.django_db


def kinds(item: Disbursement) -> list[str]:
    return sorted(risk.kind for risk in current_risks(item))


def test_every_flag_is_answered_by_the_verifier_and_by_the_approver() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.apply_aid(city, w.household(city, 1), 10_000)
    assert kinds(item) == ["first"] and RiskFlag.objects.count() == 1
    reviewer, manager = city.people["reviewer_shiqiao"], city.people["manager"]
    with pytest.raises(FlagsUnanswered):
        operations.verify_disbursement(actor=reviewer, disbursement=item, note="材料齐全", now=w.NOW)
    with pytest.raises(FlagsUnanswered):
        operations.verify_disbursement(actor=reviewer, disbursement=item, answers={"first": "   "}, now=w.NOW)
    mark = RiskFlag.objects.get().fingerprint
    operations.verify_disbursement(actor=reviewer, disbursement=item, answers={mark: "是户主本人"}, now=w.NOW)
    with pytest.raises(FlagsUnanswered):
        operations.approve_disbursement(actor=manager, disbursement=item, now=w.NOW)
    operations.approve_disbursement(actor=manager, disbursement=item, answers={mark: "同意"}, now=w.NOW)
    assert list(RiskAnswer.objects.order_by("id").values_list("step", "text")) == [
        ("verifier", "是户主本人"), ("approver", "同意"),
    ]  # fmt: skip


def test_each_kind_with_its_evidence() -> None:
    city = w.build()
    w.give(city, 10_000_000)
    one, two = w.household(city, 1), w.household(city, 2, town=city.towns[1])
    w.pay_out(city, [w.approve(city, w.apply_aid(city, one, 10_000))])
    change_bank_account(
        actor=city.people["caseworker_hengxi"], household=two, bank_name="某银行", bank_account=f"62220000{1:08d}",
        now=w.NOW,
    )  # fmt: skip
    again = w.apply_aid(city, one, 30_000)
    assert kinds(again) == ["above", "account"]
    by = {risk.kind: risk.evidence for risk in current_risks(again)}
    assert (by["above"]["usual"], by["above"]["amount"]) == (10_000, 30_000)
    assert by["account"] == {"files": [], "towns": [[city.towns[1].pk, 1]]}, (
        "another town's file is not named"
    )
    assert two.file_number not in str(by)
    same = w.household(city, 1, town=city.towns[1])
    other = w.apply_aid(city, same, 5_000)
    assert kinds(other) == ["account", "duplicate", "first"]
    assert not set(kinds(w.apply_aid(city, one, 20_000))) & {"above"}, "twice the usual is not above"


def test_a_donor_who_is_helped_and_a_declared_relation() -> None:
    city = w.build()
    w.give(city, 100_000, payer="户主七", payer_code=w.id_number(7).lower())
    w.give(city, 100_000, payer="某公司", payer_code=city.organization.uscc)
    item = operations.apply_for_aid(
        actor=city.people["caseworker_shiqiao"], project=city.project, household=w.household(city, 7),
        budget_line=city.line, money=w.Money(1_000), purpose="自费药", need="已核实", staff_relation="申请人的堂姐",
        now=w.NOW,
    )  # fmt: skip
    assert kinds(item) == ["donor", "first", "staff"]
    assert [r.evidence for r in current_risks(item) if r.kind == "donor"] == [{"gifts": 1}]


def test_new_evidence_is_a_new_flag_that_the_approver_must_see() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.apply_aid(city, w.household(city, 1), 10_000)
    operations.verify_disbursement(
        actor=city.people["reviewer_shiqiao"], disbursement=item, answers=w.ANSWERS, now=w.NOW
    )
    other = w.household(city, 2)
    change_bank_account(
        actor=city.people["caseworker_shiqiao"], household=other, bank_name="某银行", bank_account=f"62220000{1:08d}",
        now=w.NOW,
    )  # fmt: skip
    with pytest.raises(FlagsUnanswered):
        operations.approve_disbursement(
            actor=city.people["manager"], disbursement=item, answers={"first": "同意"}, now=w.NOW
        )
    operations.approve_disbursement(
        actor=city.people["manager"], disbursement=item, answers=w.ANSWERS, now=w.NOW
    )


def test_many_at_once_each_judged_alone() -> None:
    city = w.build()
    w.give(city, 25_000)
    manager = city.people["manager"]
    items = [w.apply_aid(city, w.household(city, n), 10_000) for n in range(1, 5)]
    done = operations.verify_many(
        actor=city.people["reviewer_shiqiao"], numbers=[i.number for i in items], note="", now=w.NOW
    )
    assert [one.refused is None for one in done] == [False] * 4, "flags are not answered by silence"
    done = operations.verify_many(
        actor=city.people["reviewer_shiqiao"], numbers=[i.number for i in items[:3]], note="", answers=w.ANSWERS,
        now=w.NOW,
    )  # fmt: skip
    assert all(one.refused is None for one in done)
    done = operations.approve_many(
        actor=manager, numbers=[i.number for i in items], answers=w.ANSWERS, now=w.NOW
    )
    told = {one.number: one.refused for one in done}
    assert [told[i.number] is None for i in items] == [True, True, False, False], (
        "money for two; one not verified"
    )
    statuses = [Disbursement.objects.get(pk=i.pk).status for i in items]
    assert statuses == ["approved", "approved", "verified", "applied"]


@pytest.mark.parametrize(
    ("first", "second"), [pair for pair in itertools.permutations(FOUR, 2) if pair[0] != "applicant"]
)
def test_the_database_remembers_steps_that_were_taken_back(first: str, second: str) -> None:
    """In SQL, as the owner: somebody out of a step's column can't come into another's, ever."""
    city = w.build()
    w.give(city, 100_000)
    item = w.help_family(city, 1, 10_000)
    was = getattr(item, f"{first}_id")
    spare = Person.objects.create(display_name="someone else").pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE disbursements_disbursement SET {first}_id = %s WHERE id = %s", [spare, item.pk]
        )
        with pytest.raises(IntegrityError, match="did another step"), transaction.atomic():
            cursor.execute(
                f"UPDATE disbursements_disbursement SET {second}_id = %s WHERE id = %s", [was, item.pk]
            )
        cursor.execute(f"UPDATE disbursements_disbursement SET {first}_id = %s WHERE id = %s", [was, item.pk])


def test_who_paid_once_never_approves_the_re_opened_one() -> None:
    """The payer of a returned payment becomes a manager; the approval is re-opened and the columns are empty."""
    city = w.build()
    w.give(city, 100_000)
    item = w.help_family(city, 1, 10_000)
    w.undo(city, item, "returned")
    operations.reopen_approval(actor=city.people["cashier"], disbursement=item, reason="账户更换", now=w.NOW)
    item.refresh_from_db()
    assert item.payer_id is None and item.approver_id is None
    payer = StepTaker.objects.get(disbursement=item, step="payer").person
    turned = w.Actor("person", "now manager", payer, None, True, city.people["manager"].grants)
    assert item not in queries.queue(turned, "approve", QueueFilter())
    with pytest.raises(FourEyes):
        operations.approve_disbursement(actor=turned, disbursement=item, answers=w.ANSWERS, now=w.NOW)
    operations.approve_disbursement(
        actor=city.people["manager2"], disbursement=item, answers=w.ANSWERS, now=w.NOW
    )


def test_two_people_of_one_record_are_never_joined_also_after_a_re_opened_approval() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.help_family(city, 1, 10_000)
    w.undo(city, item, "returned")
    operations.reopen_approval(actor=city.people["cashier"], disbursement=item, reason="账户更换", now=w.NOW)
    admin = w.person("admin", ("administrator", "city", 0))
    pairs = itertools.combinations(["caseworker_shiqiao", "reviewer_shiqiao", "manager", "cashier"], 2)
    for keep, other in pairs:
        with pytest.raises(JoinRefused):
            join_accounts(
                actor=admin, keep=Person.objects.get(pk=city.people[keep].person_id),
                other=Person.objects.get(pk=city.people[other].person_id), reason="同一人", now=w.NOW,
            )  # fmt: skip


def test_queues_count_filter_and_page_by_key() -> None:
    city = w.build()
    w.give(city, 1_000_000)
    actor = city.people["reviewer_shiqiao"]
    items = [w.apply_aid(city, w.household(city, n), 1_000 + n) for n in range(1, 6)]
    assert queries.queue_counts(actor) == {"verify": 5, "approve": 0, "pay": 0, "confirm": 0}
    assert list(queries.queue(actor, "verify", QueueFilter(after=items[2].pk))) == items[3:]
    assert list(queries.queue(actor, "verify", QueueFilter(number=items[1].number))) == [items[1]]
    assert not queries.queue(actor, "verify", QueueFilter(flag="donor")).exists()
    assert queries.queue(actor, "verify", QueueFilter(flag="first", kind="aid", town="shiqiao")).count() == 5
    assert not queries.queue(city.people["reviewer_hengxi"], "verify", QueueFilter()).exists()
    assert dt.timedelta(days=30) == queries.UNCONFIRMED_AFTER
