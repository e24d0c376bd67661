from __future__ import annotations

from django.http import HttpRequest

from apps.accounts.models import Account, Grant
from apps.core.actors import Actor
from apps.core.actors import Grant as Held


def actor_for(account: Account, *, mfa: bool) -> Actor:
    """This will give the actor of an account: its person's confirmed, unrevoked roles, counted only with MFA passed."""
    grants = Grant.objects.filter(
        person=account.person_id, revoked_at__isnull=True, confirmed_by__isnull=False
    )
    held = frozenset(Held(*row) for row in grants.values_list("role", "scope_kind", "scope_id"))
    return Actor(
        kind="person", label=account.person.display_name, person_id=account.person_id, account_id=account.pk, mfa=mfa,
        grants=held,
    )  # fmt: skip


def passed_mfa(request: HttpRequest) -> bool:
    """This will tell whether this very session passed a second factor that the account still has: allauth records
    which, so a factor that was reset or taken off ends what its sessions could do."""
    from allauth.account.authentication import get_authentication_records
    from allauth.mfa.models import Authenticator

    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    used = {record.get("id") for record in records if record.get("method") == "mfa"}
    if not used:
        return False
    return bool(Authenticator.objects.filter(user_id=request.user.pk, pk__in=used).exists())


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


def holds_role(person_id: int) -> bool:
    """This will tell whether a person holds any role now."""
    return Grant.objects.filter(
        person=person_id, revoked_at__isnull=True, confirmed_by__isnull=False
    ).exists()


def verified_addresses(account: Account) -> list[str]:
    """This will list the addresses that an account has proven to be its own."""
    from allauth.account.models import EmailAddress

    return list(EmailAddress.objects.filter(user=account, verified=True).values_list("email", flat=True))
