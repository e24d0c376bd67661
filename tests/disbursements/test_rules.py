"""The centres' tables (C6): versions, examples, the amount line by line, evidence, periods, once a year."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from apps.casework.models import Attachment, Household, Member
from apps.casework.operations import add_attachment, add_member
from apps.core.errors import DomainError
from apps.disbursements import operations
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import AidAlert, AidedPerson, Application, Disbursement, RuleRow, RuleVersion
from apps.disbursements.operations import ExampleDraft, TableDraft
from apps.disbursements.operations.applying import AidedThisYear, PeriodOverlaps, StageNotDue, UseRuleTable
from apps.disbursements.operations.ruling import ExamplesFail, RuleOverlaps
from apps.disbursements.rules import FactsMissing, NothingDue, explain
from apps.disbursements.ruling import EvidenceMissing, rule_for
from apps.disbursements.standard_tables import STANDARD
from apps.disbursements.states import AidKind
from tests import world as w

DAY = dt.date(2026, 9, 1)


def published(city: w.World, kind: str, table: TableDraft | None = None, day: dt.date = DAY) -> RuleVersion:
    drafted = operations.draft_rule(
        actor=city.people["officer"], organization=city.organization, kind=kind, table=table or STANDARD[AidKind(kind)],
        effective_from=day, note="按公布的数字", now=w.NOW,
    )  # fmt: skip
    return operations.publish_rule(actor=city.people["manager"], version=drafted, now=w.NOW)


_shades = iter(range(1, 100_000))


def evidence(city: w.World, family: Household, *kinds: str, member: Member | None = None) -> list[int]:
    made = []
    for kind in kinds:
        out, n = io.BytesIO(), next(_shades)
        Image.new("RGB", (24, 24), (n % 256, n // 256 % 256, 99)).save(out, "PNG")
        made.append(
            add_attachment(actor=city.people[f"caseworker_{family.town.code}"], household=family, kind=kind,
                           content=out.getvalue(), member=member, now=w.NOW).pk
        )  # fmt: skip
    return made


def apply(city: w.World, family: Household, **more: object) -> Disbursement:
    fields: dict[str, object] = {
        "facts": {"total": 50_000_00, "insured": 38_000_00, "other_aid": 0}, "member": None,
        "starts_on": dt.date(2026, 9, 1), "ends_on": dt.date(2026, 11, 1), "attachments": [],
        "project": city.project, "budget_line": city.line, "purpose": "自费药", "need": "已核实",
    } | more  # fmt: skip
    return operations.apply_by_rule(
        actor=city.people[f"caseworker_{family.town.code}"], household=family, now=w.NOW, **fields
    )  # type: ignore[arg-type]


ILLNESS = ("diagnosis", "hospital_bill", "insurance_settlement")


@pytest.mark.parametrize("kind", AidKind.values)
def test_standard_examples_come_out(kind: str) -> None:
    table = STANDARD[AidKind(kind)]
    for one in table.examples:
        made = explain(kind, table.rows, one.facts, given_before=one.given_before)
        assert made.amount == one.expected == sum(line.amount for line in made.lines) == sum(made.stages), (
            one.title_zh
        )


@given(
    total=st.integers(0, 10**9),
    insured=st.integers(0, 10**9),
    other=st.integers(0, 10**8),
    before=st.integers(0, 10**7),
)
def test_illness_never_pays_more_than_the_family_did_nor_beyond_the_cap(
    total: int, insured: int, other: int, before: int
) -> None:
    table = STANDARD[AidKind.ILLNESS]
    try:
        made = explain(
            "illness",
            table.rows,
            {"total": total, "insured": insured, "other_aid": other},
            given_before=before,
        )
    except (FactsMissing, NothingDue):
        return
    assert 0 < made.amount <= min(total - insured - other, max(30_000_00 - before, 0))
    assert made.amount == sum(line.amount for line in made.lines)


@given(cost=st.integers(1, 10**9), grade=st.sampled_from(["c", "d"]))
def test_stages_sum_to_the_whole(cost: int, grade: str) -> None:
    try:
        made = explain("housing", STANDARD[AidKind.HOUSING].rows, {"grade": grade, "repair_cost": cost})
    except NothingDue:
        return
    assert sum(made.stages) == made.amount and len(made.stages) == 3 and min(made.stages) >= 0


@pytest.mark.django_db
def test_two_people_and_examples_that_come_out() -> None:
    city = w.build()
    good = STANDARD[AidKind.EDUCATION]
    wrong = TableDraft(
        good.rows, [ExampleDraft("大学", "University", {"level": "university"}, 7_999_99)], good.evidence
    )
    drafted = operations.draft_rule(
        actor=city.people["manager"], organization=city.organization, kind="education", table=wrong,
        effective_from=DAY, note="错的算例", now=w.NOW,
    )  # fmt: skip
    with pytest.raises(FourEyes):
        operations.publish_rule(actor=city.people["manager"], version=drafted, now=w.NOW)
    with pytest.raises(ExamplesFail) as refused:
        operations.publish_rule(actor=city.people["manager2"], version=drafted, now=w.NOW)
    assert "1" in str(refused.value.message)
    with pytest.raises(DomainError):
        operations.publish_rule(actor=city.people["officer"], version=drafted, now=w.NOW)
    with pytest.raises(IntegrityError, match="rule_two_people"), transaction.atomic():
        RuleVersion.objects.filter(pk=drafted.pk).update(
            status="published", published_by=drafted.drafted_by_id, published_at=w.NOW
        )


@pytest.mark.django_db
def test_versions_follow_each_other_and_never_change() -> None:
    city = w.build()
    first = published(city, "education")
    second = published(city, "education", day=dt.date(2026, 12, 1))
    first.refresh_from_db()
    assert first.effective_to == second.effective_from
    city.project.category = "education"
    assert rule_for(city.project, dt.date(2026, 11, 30)) == first
    assert rule_for(city.project, dt.date(2026, 12, 1)) == second
    assert rule_for(city.project, dt.date(2026, 8, 31)) is None
    with pytest.raises(RuleOverlaps):
        published(city, "education", day=dt.date(2026, 10, 1))
    for sql in (
        "UPDATE disbursements_rulerow SET amount = 1 WHERE version_id = %s",
        "DELETE FROM disbursements_ruleexample WHERE version_id = %s",
        "UPDATE disbursements_ruleversion SET note = 'x' WHERE id = %s",
        "UPDATE disbursements_ruleversion SET effective_to = NULL WHERE id = %s",
    ):
        with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(sql, [first.pk])
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
        RuleRow.objects.create(
            version=first, n=9, what="level", key="x", label_zh="x", label_en="x", amount=1
        )
    with pytest.raises(IntegrityError, match="rule_education_no_overlap"), transaction.atomic():
        RuleVersion.objects.create(
            organization=city.organization, kind="education", number=9, status="published", note="x",
            effective_from=dt.date(2026, 12, 15), drafted_by_id=city.people["officer"].person_id, drafted_at=w.NOW,
            published_by_id=city.people["manager"].person_id, published_at=w.NOW,
        )  # fmt: skip


@pytest.mark.django_db
def test_an_application_is_refused_without_its_evidence_and_frozen_with_its_explanation() -> None:
    city = w.build()
    rule = published(city, "illness")
    family, stranger = w.household(city, 1), w.household(city, 2)
    with pytest.raises(EvidenceMissing) as refused:
        apply(city, family, attachments=evidence(city, family, "diagnosis", "hospital_bill"))
    assert "医保结算单" in str(refused.value.message)
    with pytest.raises(EvidenceMissing):
        apply(city, family, attachments=evidence(city, stranger, *ILLNESS))
    assert not Application.objects.exists() and not Disbursement.objects.exists()
    item = apply(city, family, attachments=evidence(city, family, *ILLNESS))
    made = item.application
    assert made is not None and (item.amount, made.rule, made.facts["total"]) == (3_600_00, rule, 50_000_00)
    assert [line["code"] for line in made.lines] == ["own_cost", "band"]
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        Application.objects.update(amount=1)
    with pytest.raises(UseRuleTable):
        w.apply_aid(city, stranger, 1_000)


@pytest.mark.django_db
def test_the_yearly_cap_counts_what_the_family_had_and_overlapping_periods_are_refused() -> None:
    city = w.build()
    published(city, "illness")
    family = w.household(city, 1)
    big = {"total": 150_000_00, "insured": 95_000_00, "other_aid": 5_000_00}
    papers = evidence(city, family, *ILLNESS)
    first = apply(city, family, facts=big, attachments=papers)
    assert first.amount == 21_000_00
    with pytest.raises(PeriodOverlaps):
        apply(
            city,
            family,
            facts=big,
            attachments=papers,
            starts_on=dt.date(2026, 10, 31),
            ends_on=dt.date(2026, 12, 1),
        )
    second = apply(city, family, facts=big, attachments=papers, starts_on=dt.date(2026, 11, 1),
                   ends_on=dt.date(2026, 12, 1))  # fmt: skip
    assert second.amount == 9_000_00 and second.application is not None
    assert second.application.lines[-1]["code"] == "cap"
    operations.reject_disbursement(
        actor=city.people["reviewer_shiqiao"], disbursement=first, reason="单据不全", now=w.NOW
    )
    third = apply(city, family, facts=big, attachments=papers)
    assert third.amount == 21_000_00, "what was turned down counts no more and its period is free again"


@pytest.mark.django_db
def test_education_is_once_a_school_year_a_person_whatever_file() -> None:
    city = w.build()
    published(city, "education")
    project = w.make_project(city, slug="study", category="education")
    line = project.budget_lines.get(code="aid")

    def member(family: Household, number: str) -> Member:
        return add_member(
            actor=city.people[f"caseworker_{family.town.code}"], household=family, relation="child", name="小满",
            id_number=number, schooling="university", now=w.NOW,
        )  # fmt: skip

    def study(family: Household, one: Member, day: dt.date = dt.date(2026, 11, 1)) -> Disbursement:
        return apply(
            city, family, project=project, budget_line=line, member=one, facts={}, starts_on=day, ends_on=day,
            attachments=evidence(city, family, "enrolment_proof", member=one),
        )  # fmt: skip

    number = "110101200603070011"
    number = number[:17] + w_check(number[:17])
    one, two = w.household(city, 1), w.household(city, 2, town=city.towns[1])
    child, same_child = member(one, number), member(two, number)
    item = study(one, child)
    assert item.amount == 8_000_00
    assert item.application is not None and item.application.starts_on == dt.date(2026, 9, 1)
    with pytest.raises((AidedThisYear, PeriodOverlaps)):
        study(one, child)
    with pytest.raises(AidedThisYear):
        study(two, same_child)
    with pytest.raises(IntegrityError), transaction.atomic():
        AidedPerson.objects.create(mark=AidedPerson.objects.get().mark, application=item.application)
    later = study(two, same_child, dt.date(2027, 9, 2))
    assert later.amount == 8_000_00
    alerts = AidAlert.objects.filter(disbursement=later)
    assert {alert.other_town_id for alert in alerts} == {city.towns[0].pk, city.towns[1].pk}
    assert alerts.filter(person=one.registered_by_id, shows_number=False).exists(), (
        "not the other file's number"
    )
    assert alerts.filter(town=two.town_id).exists()


def w_check(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * k for d, k in zip(body, weights, strict=True)) % 11]


@pytest.mark.django_db
def test_a_house_is_paid_in_stages_each_with_its_photos() -> None:
    city = w.build()
    w.give(city, 10_000_000)
    published(city, "housing")
    project = w.make_project(city, slug="homes", category="housing")
    w.give(city, 10_000_000, project=project)  # type: ignore[arg-type]
    family = w.household(city, 1)
    first = apply(
        city, family, project=project, budget_line=project.budget_lines.get(code="aid"),
        facts={"grade": "c", "repair_cost": 40_000_00}, attachments=evidence(city, family, "house_appraisal",
        "photo_before"),
    )  # fmt: skip
    application = first.application
    assert application is not None
    assert (first.amount, application.amount, application.stages) == (
        7_200_00,
        24_000_00,
        [7_200_00, 9_600_00, 7_200_00],
    )
    worker = city.people["caseworker_shiqiao"]
    during = evidence(city, family, "photo_during")
    with pytest.raises(StageNotDue):
        operations.apply_for_stage(
            actor=worker, application=application, attachments=during, need="", now=w.NOW
        )
    w.pay_out(city, [w.approve(city, first)])
    with pytest.raises(EvidenceMissing):
        operations.apply_for_stage(actor=worker, application=application, attachments=[], need="", now=w.NOW)
    second = operations.apply_for_stage(
        actor=worker, application=application, attachments=during, need="主体完成", now=w.NOW
    )
    assert (second.stage, second.amount) == (2, 9_600_00)
    with pytest.raises(IntegrityError, match="application_stage_once"), transaction.atomic():
        Disbursement.objects.filter(pk=second.pk).update(stage=1)
    assert Attachment.objects.filter(household=family).count() == 3
