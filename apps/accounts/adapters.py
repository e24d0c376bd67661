"""How allauth keeps secrets and where it sends people."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest, QueryDict

from apps.accounts.models import Account, Person
from apps.accounts.queries import holds_role
from apps.core.crypto import current_version, seal, unseal
from apps.core.pages import local_path

PLACE = "accounts.second_factor"
SECRETS = ("secret", "seed")


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are encrypted at rest with a key derived from FIELD_KEY_FILE."""

    def encrypt(self, text: str) -> str:
        return seal(text, PLACE)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, PLACE)


def factors_under_other_keys() -> int:
    """This will count second factors sealed with another key than the current one (rotation)."""
    return len(_stale(list(Authenticator.objects.values_list("pk", "data"))))


def seal_factors_anew(limit: int) -> int:
    """This will seal up to `limit` such second factors with the current key, and return how many."""
    wanted = _stale(list(Authenticator.objects.values_list("pk", "data")))[:limit]
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(pk__in=wanted).order_by("pk"):
            for name in SECRETS:
                if row.data.get(name):
                    row.data[name] = seal(unseal(row.data[name], PLACE), PLACE)
            row.save(update_fields=["data"])
    return len(wanted)


def _stale(rows: list[tuple[int, dict[str, Any]]]) -> list[int]:
    prefix = f"{current_version()}:"
    return [
        pk for pk, data in rows if any(data.get(name, prefix)[: len(prefix)] != prefix for name in SECRETS)
    ]


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """This will send staff to their workbench and everybody else to their own gifts."""
        if request.user.is_authenticated and holds_role(request.user.person_id):
            return local_path("/workbench/")
        return local_path("/me/")

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: Account, form: Any, commit: bool = True) -> Account:
        """This will give a donor who signs up a person of their own, named by the part before the @."""
        if user.person_id is None:
            name = str(form.cleaned_data["email"]).partition("@")[0][:80]
            user.person = Person.objects.create(display_name=name)
        saved: Account = super().save_user(request, user, form, commit)
        return saved


def attempted_account(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str | None:
    """This will name the account that somebody tries to sign in to, folded, so that capitals give no new attempts."""
    given = credentials or {}
    typed = request.POST if request is not None else QueryDict()
    name = given.get("email") or given.get("username") or typed.get("login") or ""
    return str(name).strip().casefold()[:254] or None
