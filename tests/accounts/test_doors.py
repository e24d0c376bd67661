"""The second factor at every staff door, by every kind of visitor, method and spelling of the address."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client

from apps.accounts.models import Account
from tests.accounts.signing import PASSWORD, account_for, code_of, signed_in, with_session

DOORS = [
    "/workbench/", "/en/workbench/", "/workbench/people/", "/en/workbench/people/", "/cms/", "/cms/pages/", "/admin/",
    "/admin/axes/accessattempt/", "/cms/images/", "/workbench/no-such-page/", "/cms/no-such-page/",
]  # fmt: skip
ODD = ["/workbench", "/en/workbench", "/WORKBENCH/", "/workbench//", "/en//workbench/",
       "/workbench/../workbench/", "/%77orkbench/", "/cms", "/admin"]  # fmt: skip
STAFF = ("administrator", "city", 0)

pytestmark = pytest.mark.django_db


def _ask(client: Client, address: str, method: str) -> tuple[int, str]:
    answer = getattr(client, method)(address)
    return answer.status_code, answer.headers.get("Location", "")


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "head"])
@pytest.mark.parametrize("address", DOORS)
def test_only_staff_with_a_second_factor_pass(address: str, method: str) -> None:
    status, where = _ask(Client(), address, method)
    assert status == 302 and where.removeprefix("/en").startswith("/accounts/login/?next=")
    donor = with_session(account_for(None, "donor@example.org", mfa=False), second=False)
    assert _ask(donor, address, method)[0] == 403
    fresh = with_session(account_for(None, "fresh@example.org", STAFF, mfa=False), second=False)
    status, where = _ask(fresh, address, method)
    assert status == 302 and where.removeprefix("/en").startswith("/accounts/2fa/totp/activate/")
    half = with_session(account_for(None, "half@example.org", STAFF), second=False)
    status, where = _ask(half, address, method)
    assert status == 302 and where.removeprefix("/en").startswith("/accounts/2fa/reauthenticate/")
    role = ("editor", "city", 0) if address.startswith("/cms/") else STAFF
    whole = with_session(account_for(None, "whole@example.org", role), second=True)
    status, where = _ask(whole, address, method)
    assert "/accounts/" not in where and status not in (403, 500)


@pytest.mark.parametrize("address", ODD)
def test_odd_spellings_open_nothing(address: str) -> None:
    for client in (Client(), with_session(account_for(None, "half@example.org", STAFF), second=False)):
        answer = client.get(address)
        assert answer.status_code in (301, 302, 404)
        assert "/workbench/people/" not in answer.content.decode(errors="replace")


def test_documents_of_the_editors_need_no_role_but_give_nothing() -> None:
    assert Client().get("/cms-documents/1/x.pdf").status_code == 404


def test_sign_in_by_the_pages_needs_both_steps() -> None:
    account = account_for(None, "manager@example.org", ("manager", "organization", 1))
    half = signed_in(account, second=False)
    assert half.get("/workbench/").status_code == 302
    assert "_auth_user_id" not in half.session
    whole = signed_in(account)
    assert whole.get("/workbench/").status_code == 200


def test_a_reset_second_factor_ends_what_its_sessions_could_do() -> None:
    account = account_for(None, "manager@example.org", ("manager", "organization", 1))
    client = signed_in(account)
    Authenticator.objects.filter(user=account).delete()
    assert client.get("/workbench/").status_code == 302


def test_secrets_of_second_factors_are_sealed_at_rest() -> None:
    account = account_for(None, "manager@example.org", ("manager", "organization", 1))
    stored = Authenticator.objects.get(user=account).data["secret"]
    assert stored.startswith("1:") and len(stored) > 60


def test_ten_failures_lock_the_account_for_this_address_alone() -> None:
    account = account_for(None, "manager@example.org", ("manager", "organization", 1))
    other = account_for(None, "other@example.org", mfa=False)
    cache.clear()
    client = Client()
    for number in range(10):
        spelled = account.email.upper() if number % 2 else account.email
        last = client.post("/accounts/login/", {"login": spelled, "password": "wrong"})
    assert last.status_code == 429
    right = {"login": account.email, "password": PASSWORD}
    assert client.post("/accounts/login/", right).status_code == 429
    assert client.post("/accounts/login/", {"login": other.email, "password": PASSWORD}).status_code == 302
    assert Client(REMOTE_ADDR="10.1.1.1").post("/accounts/login/", right).status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_next_never_leads_away(target: str) -> None:
    account = account_for(None, "donor@example.org", mfa=False)
    answer = Client().post("/accounts/login/", {"login": account.email, "password": PASSWORD, "next": target})
    assert answer.status_code == 302 and answer["Location"] in ("/me/", "/workbench/")


def test_nobody_becomes_a_superuser() -> None:
    account = account_for(None, "donor@example.org", mfa=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(pk=account.pk).update(is_superuser=True)
    with pytest.raises(PermissionError):
        Account.objects.create_superuser("root@example.org", "x")


@pytest.mark.parametrize("address", ["/cms/users/", "/cms/users/new/", "/cms/groups/", "/cms/groups/new/",
                                     "/admin/auth/group/", "/admin/mfa/authenticator/", "/admin/account/emailaddress/",
                                     "/admin/password_change/", "/admin/axes/accessattempt/add/"])  # fmt: skip
def test_no_tool_edits_accounts_beside_the_operations(address: str) -> None:
    for role in ("administrator", "editor"):
        account = account_for(None, f"{role}@example.org", (role, "city", 0))
        Account.objects.filter(pk=account.pk).update(is_staff=True)
        for method in ("get", "post"):
            assert _ask(with_session(account, second=True), address, method)[0] in (302, 403, 404), role


@pytest.mark.parametrize("address", ["/_util/login/", "/en/_util/login/", "/cms/login/", "/admin/login/"])
def test_no_other_form_signs_anybody_in(address: str) -> None:
    account = account_for(None, "manager@example.org", ("manager", "organization", 1))
    client = Client()
    answer = client.post(address, {"username": account.email, "login": account.email, "password": PASSWORD})
    assert answer.status_code == 302 and "/accounts/login/" in answer["Location"]
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("address", ["/accounts/2fa/", "/accounts/2fa/totp/deactivate/",
    "/accounts/2fa/recovery-codes/",
                                     "/accounts/2fa/recovery-codes/generate/", "/accounts/2fa/recovery-codes/download/",
                                     "/accounts/password/change/", "/accounts/email/",
                                     "/en/accounts/2fa/totp/deactivate/"])  # fmt: skip
def test_a_password_alone_never_takes_the_second_factor_off(address: str) -> None:
    account = account_for(None, "manager@example.org", ("manager", "organization", 1))
    half = with_session(account, second=False)
    half.post("/accounts/reauthenticate/", {"password": PASSWORD})
    for method in ("get", "post"):
        status, where = _ask(half, address, method)
        assert status == 302 and "/accounts/2fa/reauthenticate/" in where
    assert Authenticator.objects.filter(user=account).count() == 1


def test_codes_of_the_second_step_can_not_be_guessed() -> None:
    account = account_for(None, "manager@example.org", ("manager", "organization", 1))
    cache.clear()
    client = Client()
    client.post("/accounts/login/", {"login": account.email, "password": PASSWORD})
    for _try in range(20):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of(account)})
    assert answer.status_code in (200, 429) and "_auth_user_id" not in client.session


def test_a_phone_folds_the_navigation_of_somebody_with_many_roles() -> None:
    """One line with where one is; the same entries, nothing hidden from wide screens."""
    few = with_session(account_for(None, "few@example.org", STAFF), second=True)
    assert "bench-menu" not in few.get("/workbench/").content.decode()
    roles = [(role, "city", 0) for role in ("supervisor", "city_reviewer", "administrator")]
    many = with_session(account_for(None, "many@example.org", *roles), second=True)
    page = many.get("/workbench/people/").content.decode()
    menu = page[page.index('<details class="bench-menu">') : page.index("</details>")]
    wide = page[page.index('<ul class="wide-only">') :]
    wide = wide[: wide.index("</ul>")]
    assert "人员和角色" in menu[: menu.index("</summary>")]
    assert menu.count("<li>") == wide.count("<li>") > 4 and menu.count('aria-current="page"') == 1


def test_the_citys_reviewer_lands_on_the_workbench() -> None:
    account = account_for(None, "cityreviewer@example.org", ("city_reviewer", "city", 0))
    client = Client()
    client.post("/accounts/login/", {"login": account.email, "password": PASSWORD})
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of(account)})
    assert answer.headers["Location"] == "/workbench/" and client.get("/workbench/").status_code == 200
