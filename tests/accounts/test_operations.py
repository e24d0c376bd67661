"""Roles, second factors and joined accounts: always two administrators, always a row of history."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, IntegrityError, transaction

from apps.accounts import operations
from apps.accounts.models import AccessChange, Account, Grant, Person, SecondFactorReset
from apps.accounts.operations import BadScope, JoinRefused, LastAdministrators, SamePerson
from apps.accounts.queries import actor_for
from apps.core.actors import PUBLIC, Actor
from apps.core.errors import BadInput, PermissionRefused, WrongState
from apps.disbursements.models import Disbursement
from tests.accounts.signing import account_for
from tests.world import NOW, SETUP, World, apply_aid, approve, build, help_family, household

pytestmark = pytest.mark.django_db
ADMIN = ("administrator", "city", 0)


@pytest.fixture
def world() -> World:
    return build()


@pytest.fixture
def admins() -> list[Actor]:
    return [actor_for(account_for(None, f"admin{n}@example.org", ADMIN), mfa=True) for n in (1, 2, 3)]


def _member(email: str = "new@example.org") -> Account:
    return operations.invite_staff(actor=SETUP, email=email, display_name="新人", now=NOW)


def test_a_role_counts_when_a_second_administrator_confirmed(world: World, admins: list[Actor]) -> None:
    account = _member()
    grant = operations.ask_grant(
        actor=admins[0], person=account.person, role="manager", scope_id=world.organization.pk, now=NOW
    )
    assert not actor_for(account, mfa=True).grants
    with pytest.raises(SamePerson):
        operations.confirm_grant(actor=admins[0], grant=grant, now=NOW)
    operations.confirm_grant(actor=admins[1], grant=grant, now=NOW)
    assert actor_for(account, mfa=True).has("manager", "organization", world.organization.pk)
    assert not actor_for(account, mfa=False).has("manager")
    operations.revoke_grant(actor=admins[2], grant=grant, now=NOW)
    assert not actor_for(account, mfa=True).grants
    with pytest.raises(WrongState):
        operations.confirm_grant(actor=admins[1], grant=grant, now=NOW)
    steps = list(
        AccessChange.objects.filter(person=account.person_id).order_by("id").values_list("what", flat=True)
    )
    assert steps == ["invited", "asked", "confirmed", "revoked"]


def test_asking_twice_asks_once(world: World, admins: list[Actor]) -> None:
    account = _member()
    asked = [operations.ask_grant(actor=admin, person=account.person, role="editor", scope_id=0, now=NOW)
             for admin in admins]  # fmt: skip
    assert len({grant.pk for grant in asked}) == 1


def test_nobody_grants_to_themselves(admins: list[Actor]) -> None:
    me = Person.objects.get(pk=admins[0].person_id)
    with pytest.raises(SamePerson):
        operations.ask_grant(actor=admins[0], person=me, role="editor", scope_id=0, now=NOW)
    grant = operations.ask_grant(actor=admins[1], person=me, role="editor", scope_id=0, now=NOW)
    with pytest.raises(SamePerson):
        operations.confirm_grant(actor=admins[0], grant=grant, now=NOW)
    for change in ({"confirmed_by": me}, {"granted_by": me}, {"confirmed_by": admins[1].person_id}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.filter(pk=grant.pk).update(**change)


@pytest.mark.parametrize(
    ("role", "scope"), [("manager", 999_999), ("editor", 7), ("king", 0), ("storekeeper", 1)]
)
def test_scopes_exist(admins: list[Actor], role: str, scope: int) -> None:
    with pytest.raises(BadScope):
        operations.ask_grant(actor=admins[0], person=_member().person, role=role, scope_id=scope, now=NOW)


def test_only_administrators_with_a_second_factor(admins: list[Actor]) -> None:
    person = _member().person
    half = Actor("person", "half", admins[0].person_id, None, False, admins[0].grants)
    for actor in (PUBLIC, half, actor_for(_member("x@example.org"), mfa=True)):
        with pytest.raises(PermissionRefused):
            operations.ask_grant(actor=actor, person=person, role="editor", scope_id=0, now=NOW)
        with pytest.raises(PermissionRefused):
            operations.invite_staff(actor=actor, email="y@example.org", display_name="y", now=NOW)


def test_two_administrators_always_stay(admins: list[Actor]) -> None:
    grants = list(Grant.objects.filter(role="administrator").order_by("pk"))
    operations.revoke_grant(actor=admins[0], grant=grants[2], now=NOW)
    with pytest.raises(LastAdministrators):
        operations.revoke_grant(actor=admins[0], grant=grants[1], now=NOW)


def test_an_account_somebody_else_opened_first_loses_its_password() -> None:
    squatter = Account.objects.create_user("director@example.org", "squatter's pass phrase")
    EmailAddress.objects.create(user=squatter, email=squatter.email, verified=False, primary=True)
    invited = operations.invite_staff(actor=SETUP, email="Director@example.org", display_name="主任", now=NOW)
    assert invited.pk == squatter.pk and not invited.has_usable_password()
    donor = account_for(None, "donor@example.org", mfa=False)
    assert operations.invite_staff(
        actor=SETUP, email=donor.email, display_name="d", now=NOW
    ).has_usable_password()


@pytest.mark.parametrize("email", ["", "no", "a@", "a b@example.org", "x" * 300 + "@example.org"])
def test_bad_addresses_are_refused(email: str) -> None:
    with pytest.raises(BadInput):
        operations.invite_staff(actor=SETUP, email=email, display_name="x", now=NOW)


def test_a_lost_second_factor_takes_two_administrators(admins: list[Actor]) -> None:
    account = account_for(None, "lost@example.org", ("manager", "organization", 1))
    with pytest.raises(BadInput):
        operations.ask_reset(actor=admins[0], account=account, reason=" ", now=NOW)
    asked = operations.ask_reset(actor=admins[0], account=account, reason="当面核对", now=NOW)
    assert operations.ask_reset(actor=admins[1], account=account, reason="again", now=NOW).pk == asked.pk
    with pytest.raises(SamePerson):
        operations.confirm_reset(actor=admins[0], reset=asked, now=NOW)
    assert Authenticator.objects.filter(user=account).exists()
    operations.confirm_reset(actor=admins[1], reset=asked, now=NOW)
    assert not Authenticator.objects.filter(user=account).exists()
    with pytest.raises(WrongState):
        operations.confirm_reset(actor=admins[2], reset=asked, now=NOW)
    own = Account.objects.get(person=admins[0].person_id)
    with pytest.raises(SamePerson):
        operations.ask_reset(actor=admins[0], account=own, reason="mine", now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        SecondFactorReset.objects.filter(pk=asked.pk).update(confirmed_by=admins[0].person_id)


def test_joining_is_refused_where_it_breaks_four_people(world: World, admins: list[Actor]) -> None:
    item = help_family(world, 1, 100_00) if _funded(world) else None
    assert item is not None
    steps = (item.applicant_id, item.verifier_id, item.approver_id, item.payer_id)
    assert len(set(steps)) == 4
    for one in steps:
        for other in steps:
            if one != other:
                with pytest.raises(JoinRefused):
                    operations.join_accounts(
                        actor=admins[0], keep=Person.objects.get(pk=one), other=Person.objects.get(pk=other),
                        reason="same human", now=NOW,
                    )  # fmt: skip
    assert steps == Disbursement.objects.values_list("applicant", "verifier", "approver", "payer").get(
        pk=item.pk
    )


def test_the_database_refuses_it_whatever_the_check_says(world: World) -> None:
    assert _funded(world)
    item = approve(world, apply_aid(world, household(world, 1), 100_00))
    for column, person in (("verifier", item.applicant_id), ("approver", item.verifier_id), ("payer", item.approver_id),
                           ("payer", item.applicant_id)):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Disbursement.objects.filter(pk=item.pk).update(**{column: person})


def test_joined_records_follow_so_that_later_steps_still_need_others(
    world: World, admins: list[Actor]
) -> None:
    assert _funded(world)
    item = apply_aid(world, household(world, 1), 100_00)
    twin = account_for(None, "twin@example.org", ("town_reviewer", "town", world.towns[0].pk))
    keep = Person.objects.get(pk=item.applicant_id)
    operations.join_accounts(actor=admins[0], keep=twin.person, other=keep, reason="同一个人", now=NOW)
    item.refresh_from_db()
    twin.refresh_from_db()
    assert item.applicant_id == twin.person_id
    from apps.disbursements.errors import FourEyes
    from apps.disbursements.operations import verify_disbursement

    with pytest.raises(FourEyes):
        verify_disbursement(actor=actor_for(twin, mfa=True), disbursement=item, note="", now=NOW)


def test_history_is_never_rewritten(admins: list[Actor]) -> None:
    _member()
    for change in (
        lambda: AccessChange.objects.update(reason="x"),
        lambda: AccessChange.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def _funded(world: World) -> bool:
    from tests.world import give

    give(world, 500_000)
    return True
