"""What an application needs of a family's file: that it exists, that the family agrees; what erasure takes with it; and
an account that changed re-opens what was approved."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from apps.casework import operations as casework
from apps.casework.models import Consent, Household
from apps.core.errors import DomainError, PermissionRefused
from apps.disbursements import operations
from apps.disbursements.models import AidedPerson, Disbursement
from apps.disbursements.operations.applying import _facts, _take_year
from apps.ledger.queries import figures
from tests import world as w
from tests.disbursements.test_accounts_held import change
from tests.disbursements.test_rules import ILLNESS, apply, evidence, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def refused(act: Any) -> str:
    with pytest.raises(DomainError) as caught:
        act()
    return str(caught.value.code)


def erase(city: w.World, family: Household) -> None:
    asked = casework.ask_erasure(
        actor=city.people["caseworker_shiqiao"], household=family, ground="asked", now=w.NOW
    )
    casework.approve_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)


def test_no_aid_without_consent_or_file() -> None:
    city = w.build()
    w.give(city, 500_000)
    family = w.household(city, 1)
    actor = city.people["caseworker_shiqiao"]
    consent = Consent.objects.get(household=family)
    casework.withdraw_consent(actor=actor, consent=consent, now=w.NOW)
    assert refused(lambda: w.apply_aid(city, family, 1_000)) == "no_consent"
    casework.give_consent(
        actor=actor, member=consent.member, purpose="registration", given_by="self", now=w.NOW
    )
    w.pay_out(city, [w.approve(city, w.apply_aid(city, family, 1_000))])
    stale = Household.objects.get(pk=family.pk)
    erase(city, family)
    assert refused(lambda: w.apply_aid(city, stale, 1_000)) == "file_erased"
    published(city, "illness")
    assert refused(lambda: apply(city, stale)) == "file_erased"
    other = w.household(city, 2)
    casework.withdraw_consent(actor=actor, consent=Consent.objects.get(household=other), now=w.NOW)
    assert refused(lambda: apply(city, other)) == "no_consent"
    assert Disbursement.objects.count() == 1


def test_temporary_aid_takes_the_tier_of_the_day() -> None:
    """The stored tier is lowered by the clock at night; an application between midnight and then reads the rows."""
    city = w.build()
    family = w.household(city, 1)
    casework.set_income_tier(
        actor=city.people["caseworker_shiqiao"], household=family, tier="tekun", valid_from=w.NOW.date(),
        valid_until=w.NOW.date(), now=w.NOW,
    )  # fmt: skip
    family.refresh_from_db()
    day, end = w.NOW.date(), w.NOW.date() + dt.timedelta(days=30)
    later = day + dt.timedelta(days=1)
    assert family.income_tier == "tekun"
    assert _facts("temporary", {}, family, None, day, end, day)[0]["tier"] == "tekun"
    assert _facts("temporary", {}, family, None, day, end, later)[0]["tier"] == "dibao"


def test_erasure_forgets_whom_a_year_helped() -> None:
    city = w.build()
    w.give(city, 5_000_000)
    published(city, "illness")
    family, other = w.household(city, 1), w.household(city, 2)
    for one in (family, other):
        item = apply(city, one, attachments=evidence(city, one, *ILLNESS))
        assert item.application is not None
        _take_year(item.application, one.members.get(), 2026)
        w.pay_out(city, [w.approve(city, item)])
    erase(city, family)
    assert [row.application.household_id for row in AidedPerson.objects.all()] == [other.pk]


def test_a_changed_account_re_opens_approval_by_itself() -> None:
    city = w.build()
    w.give(city, 500_000)
    family = w.household(city, 1)
    approved, waiting, other = (
        w.approve(city, w.apply_aid(city, family, 1_000)),
        w.apply_aid(city, family, 2_000),
        w.approve(city, w.apply_aid(city, w.household(city, 2), 3_000)),
    )
    paid = w.approve(city, w.apply_aid(city, family, 4_000))
    w.pay_out(city, [paid])
    change(city, approved, "6222999999999999")
    w.work()
    for item in (approved, waiting, other, paid):
        item.refresh_from_db()
    assert [item.status for item in (approved, waiting, other, paid)] == [
        "verified",
        "applied",
        "approved",
        "paid",
    ]
    assert approved.approver_id is None and approved.approved_account == ""
    assert figures([city.earmark]).reserved == 3_000
    operations.approve_disbursement(
        actor=city.people["manager"], disbursement=approved, answers=w.ANSWERS, now=w.NOW
    )
    assert operations.reopen_changed_accounts(actor=w.SETUP, household_id=family.pk, now=w.NOW) == [], (
        "approved for the new account"
    )
    with pytest.raises(PermissionRefused):
        operations.reopen_changed_accounts(actor=city.people["cashier"], household_id=family.pk, now=w.NOW)


def test_an_account_changed_while_the_bank_has_it_re_opens_what_comes_back() -> None:
    city = w.build()
    w.give(city, 500_000)
    items = [w.approve(city, w.apply_aid(city, w.household(city, n), 1_000 * n)) for n in (1, 2)]
    batch = operations.release_batch(
        actor=city.people["cashier"], organization=city.organization, disbursement_ids=[i.pk for i in items],
        now=w.NOW,
    )  # fmt: skip
    change(city, items[0], "6222999999999999")
    w.work()
    items[0].refresh_from_db()
    assert items[0].status == "paying", "the bank's answer decides"
    operations.record_results(
        actor=city.people["cashier"], batch=batch, effective_at=w.NOW, now=w.NOW,
        outcomes=[operations.LineOutcome(n, 1_000 * n, False, "账户更换") for n in (1, 2)],
    )  # fmt: skip
    w.work()
    for item in items:
        item.refresh_from_db()
    assert [item.status for item in items] == ["verified", "returned"], (
        "the second one's account is as approved"
    )
    assert figures([city.earmark]).reserved == 2_000
