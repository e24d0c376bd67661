from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.db.models import ForeignObjectRel, Model
from django.utils.translation import gettext_lazy as _

from apps.accounts import policies
from apps.accounts.models import Grant, Person
from apps.accounts.operations.granting import SamePerson, open_tools
from apps.accounts.operations.noting import note_access
from apps.core.actors import Actor
from apps.core.append_only import TABLES
from apps.core.errors import BadInput, Conflict
from apps.core.policies import authorize

Check = Callable[[int, int], bool]

_checks: list[Check] = []


class JoinRefused(Conflict):
    code = "join_breaks_four_eyes"
    message = _("这两个人在同一笔记录里各办过一步，合并会破坏四个人的分工，所以不能合并。")


def register_join_check(check: Check) -> None:
    """This will let a room refuse joining two people: `check(keep, other)` is True where its records allow it.
    Called when its app is ready."""
    if check not in _checks:
        _checks.append(check)


@transaction.atomic
def join_accounts(*, actor: Actor, keep: Person, other: Person, reason: str, now: dt.datetime) -> Person:
    """This will make two people known to be one human one person: accounts, roles and every record follow `keep`.

    History keeps the id it was written with. Raises JoinRefused where one record would be left with one person at two
    of its steps (P2): the rooms' checks say so first, and the database's constraints refuse it whatever they say.
    """
    authorize(policies.can_join_accounts, actor)
    if keep.pk == other.pk:
        raise BadInput(_("请选两个不同的人。"), field="other")
    if actor.person_id in (keep.pk, other.pk):
        raise SamePerson()
    if not reason.strip():
        raise BadInput(_("请写明怎样知道是同一个人。"), field="reason")
    list(Person.objects.select_for_update().filter(pk__in=(keep.pk, other.pk)).order_by("pk"))
    if not all(check(keep.pk, other.pk) for check in _checks):
        raise JoinRefused()
    held = set(
        Grant.objects.filter(person=keep, revoked_at__isnull=True).values_list(
            "role", "scope_kind", "scope_id"
        )
    )
    for grant in (
        Grant.objects.select_for_update().filter(person=other, revoked_at__isnull=True).order_by("pk")
    ):
        if (grant.role, grant.scope_kind, grant.scope_id) in held:
            grant.revoked_at = now
            grant.save(update_fields=["revoked_at"])
    try:
        with transaction.atomic():
            _follow(keep, other)
    except IntegrityError as error:
        raise JoinRefused() from error
    note_access(
        actor=actor, what="joined", person_id=keep.pk, reason=f"#{other.pk}: {reason.strip()}", now=now
    )
    open_tools(keep.pk)
    return keep


def _follow(keep: Person, other: Person) -> None:
    """Every key to the other person, in whatever room, except in tables that only grow."""
    for relation in Person._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel):
            continue
        model = relation.related_model
        if isinstance(model, type) and issubclass(model, Model) and model not in TABLES:
            name = relation.field.name
            model._default_manager.filter(**{name: other}).update(**{name: keep})
