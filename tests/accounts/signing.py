"""Signing in as somebody, the way a browser does it, for tests of doors and addresses."""

from __future__ import annotations

import time

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.test import Client

from apps.accounts.models import Account, Grant, Person
from apps.core.actors import Actor

PASSWORD = "a long pass phrase 7"


def account_for(
    person_id: int | None, email: str, *grants: tuple[str, str, int], mfa: bool = True
) -> Account:
    """This will give a person an account with a verified address, confirmed roles and (if wanted) a second factor."""
    who = Person.objects.get(pk=person_id) if person_id else Person.objects.create(display_name=email)
    account = Account.objects.create_user(email, PASSWORD, person=who)
    EmailAddress.objects.create(user=account, email=email, verified=True, primary=True)
    for role, kind, scope in grants:
        Grant.objects.get_or_create(
            person=who, role=role, scope_kind=kind, scope_id=scope, revoked_at=None,
            defaults={"confirmed_by": Person.objects.create(display_name="confirming administrator")},
        )  # fmt: skip
    if mfa:
        TOTP.activate(account, generate_totp_secret())
    return account


def account_of(actor: Actor, email: str, *, mfa: bool = True) -> Account:
    """This will give an actor of tests.world an account with the same roles, in the database."""
    held = [(grant.role, grant.scope_kind, grant.scope_id) for grant in actor.grants]
    return account_for(actor.person_id, email, *held, mfa=mfa)


def code_of(account: Account) -> str:
    row = Authenticator.objects.get(user=account, type=Authenticator.Type.TOTP)
    return str(format_hotp_value(hotp_value(decrypt(row.data["secret"]), int(time.time()) // 30)))


def signed_in(account: Account, *, second: bool = True) -> Client:
    """This will sign in by the pages: password, then the code."""
    client = Client()
    client.post("/accounts/login/", {"login": account.email, "password": PASSWORD})
    if second:
        client.post("/accounts/2fa/authenticate/", {"code": code_of(account)})
    return client


def with_session(account: Account, *, second: bool) -> Client:
    """This will make a client whose session passed the password, and the second factor only if wanted."""
    client = Client()
    client.force_login(account, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    records = [{"method": "password", "at": time.time(), "email": account.email}]
    if second:
        factor = Authenticator.objects.get(user=account, type=Authenticator.Type.TOTP)
        records.append({"method": "mfa", "at": time.time(), "id": factor.pk, "type": "totp"})
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(account.pk)
    session.save()
    return client
