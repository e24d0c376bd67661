"""The administrators' pages: two people, what was typed stays, nobody else gets in."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.models import Account, Grant
from tests.accounts.signing import account_for, with_session
from tests.world import World, build

pytestmark = pytest.mark.django_db
ADMIN = ("administrator", "city", 0)


@pytest.fixture
def world() -> World:
    return build()


@pytest.fixture
def admins() -> list[Client]:
    return [with_session(account_for(None, f"admin{n}@example.org", ADMIN), second=True) for n in (1, 2)]


def test_invite_ask_confirm_revoke(world: World, admins: list[Client]) -> None:
    first, second = admins
    answer = first.post("/workbench/people/invite/", {"email": "li@example.org", "display_name": "李某"})
    assert answer.status_code == 302
    assert (
        mail.outbox[-1].to == ["li@example.org"] and "/accounts/password/reset/key/" in mail.outbox[-1].body
    )
    page = answer["Location"]
    scope = f"organization:{world.organization.pk}"
    assert first.post(page, {"act": "ask", "ask-role": "cashier", "ask-scope": scope}).status_code == 302
    grant = Grant.objects.get(role="cashier", person__display_name="李某")
    first.post(page, {"act": "confirm", "id": grant.pk})
    grant.refresh_from_db()
    assert grant.confirmed_by_id is None
    assert "等另一位管理员确认" in second.get("/workbench/people/").content.decode()
    second.post(page, {"act": "confirm", "id": grant.pk})
    grant.refresh_from_db()
    assert grant.confirmed_by_id is not None
    assert "授权生效" in first.get(page).content.decode()
    first.post(page, {"act": "revoke", "id": grant.pk})
    grant.refresh_from_db()
    assert grant.revoked_at is not None


def test_errors_keep_what_was_typed(world: World, admins: list[Client]) -> None:
    answer = admins[0].post("/workbench/people/invite/", {"email": "not an address", "display_name": "李某"})
    assert answer.status_code == 422
    assert "not an address" in answer.content.decode() and "李某" in answer.content.decode()
    person = account_for(None, "li@example.org", mfa=False).person
    page = f"/workbench/people/{person.public_id}/"
    answer = admins[0].post(page, {"act": "ask", "ask-role": "cashier", "ask-scope": "city:0"})
    assert answer.status_code == 422 and '<option value="cashier" selected' in answer.content.decode()
    answer = admins[0].post(
        page, {"act": "join", "join-other": "nobody@example.org", "join-reason": "看过身份证"}
    )
    assert answer.status_code == 422 and "看过身份证" in answer.content.decode()


@pytest.mark.parametrize("typed", [{"act": "confirm", "id": "x"}, {"act": "confirm", "id": "9" * 30}, {"act": "boo"},
                                   {"act": "confirm_reset", "id": "-1"}, {"act": "ask", "ask-role": "king"},
                                   {"act": "reset", "reset-account": "0"}, {"act": "confirm", "id": "１"}])  # fmt: skip
def test_nonsense_changes_nothing(world: World, admins: list[Client], typed: dict[str, str]) -> None:
    person = account_for(None, "li@example.org", mfa=False).person
    before = Grant.objects.count()
    answer = admins[0].post(f"/workbench/people/{person.public_id}/", typed)
    assert answer.status_code in (302, 404, 422) and Grant.objects.count() == before


def test_a_grant_is_reached_through_its_own_person_only(world: World, admins: list[Client]) -> None:
    grant = Grant.objects.create(
        person=account_for(None, "a@example.org", mfa=False).person, role="editor", scope_kind="city"
    )
    other = account_for(None, "b@example.org", mfa=False).person
    answer = admins[0].post(f"/workbench/people/{other.public_id}/", {"act": "confirm", "id": grant.pk})
    assert answer.status_code == 404


def test_search_and_pages(world: World, admins: list[Client]) -> None:
    for n in range(55):
        account_for(None, f"person{n}@example.org", ("editor", "city", 0), mfa=False)
    first = admins[0].get("/workbench/people/").content.decode()
    assert "after=" in first
    assert "person7@example.org" in admins[0].get("/workbench/people/?q=person7%40").content.decode()
    assert "没有找到" in admins[0].get("/workbench/people/?q=zzzz").content.decode()
    assert Account.objects.count() > 55


def test_others_are_refused(world: World) -> None:
    manager = with_session(
        account_for(None, "m@example.org", ("manager", "organization", world.organization.pk)), second=True
    )
    person = account_for(None, "li@example.org", mfa=False).person
    for address in (
        "/workbench/people/",
        "/workbench/people/invite/",
        f"/workbench/people/{person.public_id}/",
    ):
        assert manager.get(address).status_code == 403
        assert manager.post(address, {"act": "ask"}).status_code in (403, 405)
