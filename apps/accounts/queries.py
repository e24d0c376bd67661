from __future__ import annotations

from django.http import HttpRequest

from apps.accounts.models import Account, Grant
from apps.core.actors import Actor
from apps.core.actors import Grant as Held


def actor_for(account: Account, *, mfa: bool) -> Actor:
    """This will give the actor of an account: its person's confirmed, unrevoked roles, counted only with MFA passed."""
    grants = Grant.objects.filter(person=account.person_id, revoked_at__isnull=True, confirmed_by__isnull=False)
    held = frozenset(Held(*row) for row in grants.values_list("role", "scope_kind", "scope_id"))
    return Actor(
        kind="person", label=account.person.display_name, person_id=account.person_id, account_id=account.pk, mfa=mfa,
        grants=held,
    )  # fmt: skip


def passed_mfa(request: HttpRequest) -> bool:
    """This will tell whether this very session passed the second factor, as allauth recorded it."""
    from allauth.account.authentication import get_authentication_records

    return any(record.get("method") == "mfa" for record in get_authentication_records(request))


def has_mfa(account: Account) -> bool:
    """This will tell whether an account has set up a second factor."""
    from allauth.mfa.utils import is_mfa_enabled

    return bool(is_mfa_enabled(account))


def people_with(role: str, scope_ids: set[int] | None = None) -> list[tuple[int, int]]:
    """This will list (person id, scope id) of everybody who holds a role now, in id order."""
    rows = Grant.objects.filter(role=role, revoked_at__isnull=True, confirmed_by__isnull=False)
    if scope_ids is not None:
        rows = rows.filter(scope_id__in=scope_ids)
    return list(rows.order_by("person", "scope_id").values_list("person", "scope_id"))


def roles_of(person_id: int) -> set[tuple[str, str, int]]:
    """This will list the live roles of a person."""
    rows = Grant.objects.filter(person=person_id, revoked_at__isnull=True, confirmed_by__isnull=False)
    return set(rows.values_list("role", "scope_kind", "scope_id"))
