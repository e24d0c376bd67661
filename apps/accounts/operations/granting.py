from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import policies
from apps.accounts.models import Account, Grant, Person
from apps.accounts.operations.noting import note_access
from apps.core.actors import CITY, Actor
from apps.core.errors import BadInput, Conflict, WrongState
from apps.core.policies import authorize

SCOPE_OF = {
    "caseworker": "town", "town_reviewer": "town", "city_reviewer": "city", "project_officer": "organization",
    "manager": "organization", "cashier": "organization", "purchaser": "organization", "storekeeper": "warehouse",
    "auditor": "audit_firm", "supervisor": "city", "administrator": "city", "editor": "city",
}  # fmt: skip
"""The scope kind each role is held in (product.md)."""

EDITORS = "Moderators"
"""Wagtail's group that may write and publish; every publishing passes the privacy gate."""
Choices = Callable[[], Iterable[tuple[int, str]]]


def _nothing(_scope_id: int) -> bool:
    return False


_validators: dict[str, Callable[[int], bool]] = {"city": lambda scope_id: scope_id == CITY}
_choices: dict[str, Choices] = {"city": lambda: [(CITY, str(_("全市")))]}


class SamePerson(Conflict):
    code = "same_person"
    message = _("要由另一位管理员来确认：不能确认自己提出的申请，也不能给自己办。")


class LastAdministrators(Conflict):
    code = "last_administrators"
    message = _("至少要留两位系统管理员，否则再也没有人能授权。请先增加一位，再收回这一位。")


class BadScope(BadInput):
    code = "bad_scope"
    message = _("这个角色的范围不存在，请重新选择。")
    field = "scope"


def register_scope(kind: str, exists: Callable[[int], bool], choices: Choices | None = None) -> None:
    """This will let a room say which scope ids of its kind exist, and list them for people; called when its app is
    ready."""
    _validators[kind] = exists
    if choices is not None:
        _choices[kind] = choices


def scope_choices() -> dict[str, list[tuple[int, str]]]:
    """This will list every scope that a role can be held in, by kind."""
    return {kind: list(listed()) for kind, listed in _choices.items()}


def scope_label(kind: str, scope_id: int, known: dict[str, list[tuple[int, str]]] | None = None) -> str:
    """This will name a scope for people."""
    return dict((known or scope_choices()).get(kind, [])).get(scope_id, f"{kind} {scope_id}")


@transaction.atomic
def ask_grant(*, actor: Actor, person: Person, role: str, scope_id: int, now: dt.datetime) -> Grant:
    """This will ask for a role within its scope; it counts once a second administrator confirms. Safe to repeat.

    Raises BadScope, and SamePerson for a role of one's own.
    """
    authorize(policies.can_grant_role, actor)
    kind = SCOPE_OF.get(role)
    if kind is None or not _validators.get(kind, _nothing)(scope_id):
        raise BadScope()
    if actor.person_id == person.pk:
        raise SamePerson()
    grant, created = Grant.objects.get_or_create(
        person=person, role=role, scope_kind=kind, scope_id=scope_id, revoked_at=None,
        defaults={"granted_by_id": actor.person_id, "granted_at": now},
    )  # fmt: skip
    if created:
        note_access(actor=actor, what="asked", person_id=person.pk, grant=grant, now=now)
    return grant


@transaction.atomic
def confirm_grant(*, actor: Actor, grant: Grant, now: dt.datetime) -> Grant:
    """This will confirm a role as a second administrator. Raises SamePerson, WrongState when it was revoked."""
    authorize(policies.can_grant_role, actor)
    locked = Grant.objects.select_for_update().get(pk=grant.pk)
    if locked.revoked_at is not None:
        raise WrongState()
    if actor.person_id in (locked.granted_by_id, locked.person_id):
        raise SamePerson()
    if locked.confirmed_by_id is None:
        locked.confirmed_by_id = actor.person_id
        locked.save(update_fields=["confirmed_by"])
        note_access(actor=actor, what="confirmed", person_id=locked.person_id, grant=locked, now=now)
        open_tools(locked.person_id)
    return locked


@transaction.atomic
def revoke_grant(*, actor: Actor, grant: Grant, now: dt.datetime, reason: str = "") -> Grant:
    """This will end a role at once; one administrator is enough to take away. Raises LastAdministrators."""
    authorize(policies.can_grant_role, actor)
    if grant.role == "administrator":
        _keep_two_administrators(grant)
    locked = Grant.objects.select_for_update().get(pk=grant.pk)
    if locked.revoked_at is None:
        locked.revoked_at = now
        locked.save(update_fields=["revoked_at"])
        note_access(
            actor=actor, what="revoked", person_id=locked.person_id, grant=locked, reason=reason, now=now
        )
        open_tools(locked.person_id)
    return locked


def open_tools(person_id: int) -> None:
    """This will let exactly editors into the CMS, through its group; no role enters by being a superuser."""
    live = Grant.objects.filter(
        person=person_id, role="editor", revoked_at__isnull=True, confirmed_by__isnull=False
    )
    group = Group.objects.filter(name=EDITORS).first()
    if group is None:
        return
    edits = live.exists()
    for account in Account.objects.filter(person=person_id):
        if edits:
            account.groups.add(group)
        else:
            account.groups.remove(group)


def _keep_two_administrators(grant: Grant) -> None:
    """Locks every administrator's row in id order, so that two revocations can't pass each other."""
    rows = (
        Grant.objects.select_for_update().filter(role="administrator", revoked_at__isnull=True).order_by("pk")
    )
    live = {row.person_id for row in rows if row.confirmed_by_id is not None}
    if grant.person_id in live and grant.confirmed_by_id is not None and len(live) <= 2:
        raise LastAdministrators()
