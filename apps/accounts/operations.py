"""Writes of accounts: inviting staff, granting roles by two administrators, the first two by command, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import policies
from apps.accounts.models import Account, Grant, Person
from apps.core.actors import CITY, Actor
from apps.core.errors import BadInput, Conflict
from apps.core.policies import authorize

SCOPE_OF = {
    "caseworker": "town", "town_reviewer": "town", "city_reviewer": "city", "project_officer": "organization",
    "manager": "organization", "cashier": "organization", "purchaser": "organization", "storekeeper": "warehouse",
    "auditor": "audit_firm", "supervisor": "city", "administrator": "city", "editor": "city",
}  # fmt: skip
"""The scope kind each role is held in (product.md)."""

_validators: dict[str, Callable[[int], bool]] = {"city": lambda scope_id: scope_id == CITY}


class SamePerson(Conflict):
    code = "same_person"
    message = _("角色要由另一位管理员确认，不能确认自己的申请，也不能给自己授权。")


class NotTheFirst(Conflict):
    code = "administrators_exist"
    message = _("管理员已经存在，这个命令只能用一次。请由现有管理员邀请。")


class BadScope(BadInput):
    code = "bad_scope"
    message = _("这个角色的范围不存在，请重新选择。")
    field = "scope"


def register_scope(kind: str, exists: Callable[[int], bool]) -> None:
    """This will let a room say which scope ids of its kind exist; called when its app is ready."""
    _validators[kind] = exists


@transaction.atomic
def invite_staff(*, actor: Actor, email: str, display_name: str, now: dt.datetime) -> Account:
    """This will make an account for a member of staff, without a password: they set one by the reset link.

    Safe to repeat by e-mail.
    """
    authorize(policies.can_invite_staff, actor)
    if "@" not in email:
        raise BadInput(_("请填写正确的邮箱。"), field="email")
    known = Account.objects.filter(email__iexact=email.strip()).first()
    if known:
        return known
    person = Person.objects.create(display_name=display_name.strip()[:80], created_at=now)
    return Account.objects.create_user(email.strip(), None, person=person)


@transaction.atomic
def ask_grant(*, actor: Actor, person: Person, role: str, scope_id: int, now: dt.datetime) -> Grant:
    """This will ask for a role within its scope; it counts once a second administrator confirms. Safe to repeat."""
    authorize(policies.can_grant_role, actor)
    kind = SCOPE_OF.get(role)
    if kind is None or not _validators.get(kind, lambda _id: False)(scope_id):
        raise BadScope()
    if actor.person_id == person.pk:
        raise SamePerson()
    grant, _created = Grant.objects.get_or_create(
        person=person, role=role, scope_kind=kind, scope_id=scope_id, revoked_at=None,
        defaults={"granted_by_id": actor.person_id, "granted_at": now},
    )  # fmt: skip
    return grant


@transaction.atomic
def confirm_grant(*, actor: Actor, grant: Grant, now: dt.datetime) -> Grant:
    """This will confirm a role as a second administrator. Raises SamePerson."""
    authorize(policies.can_grant_role, actor)
    locked = Grant.objects.select_for_update().get(pk=grant.pk)
    if actor.person_id in (locked.granted_by_id, locked.person_id):
        raise SamePerson()
    if locked.confirmed_by_id is None:
        locked.confirmed_by_id = actor.person_id
        locked.save(update_fields=["confirmed_by"])
        _open_tools(locked)
    return locked


@transaction.atomic
def revoke_grant(*, actor: Actor, grant: Grant, now: dt.datetime) -> Grant:
    """This will end a role at once; one administrator is enough to take away."""
    authorize(policies.can_grant_role, actor)
    locked = Grant.objects.select_for_update().get(pk=grant.pk)
    if locked.revoked_at is None:
        locked.revoked_at = now
        locked.save(update_fields=["revoked_at"])
    return locked


@transaction.atomic
def bootstrap_administrators(*, actor: Actor, emails: tuple[str, str], now: dt.datetime) -> list[Account]:
    """This will make the first two administrators, each confirming the other, once for the life of a database.

    Raises NotTheFirst when there is any administrator, BadInput for two equal addresses.
    """
    authorize(policies.can_grant_role, actor)
    if emails[0].strip().casefold() == emails[1].strip().casefold():
        raise BadInput(_("两位管理员要用两个不同的邮箱。"), field="email")
    if Grant.objects.filter(role="administrator").exists():
        raise NotTheFirst()
    made = [invite_staff(actor=actor, email=email, display_name=email.partition("@")[0], now=now) for email in emails]
    for one, other in ((made[0], made[1]), (made[1], made[0])):
        Grant.objects.create(
            person=one.person, role="administrator", scope_kind="city", scope_id=CITY, granted_by=None,
            confirmed_by=other.person, granted_at=now,
        )  # fmt: skip
    return made


def _open_tools(grant: Grant) -> None:
    """Editors enter the CMS through its group; no role enters by being a superuser."""
    from django.contrib.auth.models import Group

    if grant.role == "editor":
        group = Group.objects.filter(name="Editors").first()
        for account in Account.objects.filter(person=grant.person_id):
            if group:
                account.groups.add(group)
