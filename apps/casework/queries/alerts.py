"""Alerts of one person in two files, as one town may see them: never the other's file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.accounts.models import Grant
from apps.casework.models import DuplicateAlert, Household
from apps.core.actors import Actor


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """An alert as seen from one town: its own file, and of the other file only the town and whom to ask."""

    pk: int
    own: Household
    other_town: str
    contacts: tuple[str, ...]
    same_town: bool
    found_at: dt.datetime
    answered: str
    other_answered: bool


def alerts_of(actor: Actor) -> QuerySet[DuplicateAlert]:
    """This will list the alerts that touch an actor's towns, newest first."""
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    rows = DuplicateAlert.objects.filter(Q(household__town__in=towns) | Q(other__town__in=towns))
    return rows.select_related("household__town", "other__town").prefetch_related("answers").order_by("-id")


def alert_ids(household: Household) -> list[int]:
    """This will list the ids of the alerts that name a household."""
    rows = DuplicateAlert.objects.filter(Q(household=household) | Q(other=household))
    return list(rows.values_list("pk", flat=True))


def seen_by(actor: Actor, alerts: list[DuplicateAlert]) -> Iterator[AlertSeen]:
    """This will turn alerts to the actor's side, once for each of their own files."""
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    contacts = _contacts({file.town_id for alert in alerts for file in (alert.household, alert.other)})
    for alert in alerts:
        for own, other in ((alert.household, alert.other), (alert.other, alert.household)):
            if own.town_id not in towns:
                continue
            answers = {answer.town: answer.note for answer in alert.answers.all()}
            yield AlertSeen(
                alert.pk, own, str(other.town), contacts.get(other.town_id, ()), own.town_id == other.town_id,
                alert.found_at, answers.get(own.town_id, ""), other.town_id in answers,
            )  # fmt: skip


def open_alerts(actor: Actor) -> int:
    """This will count the alerts that an actor's towns have not answered."""
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    rows = alerts_of(actor).exclude(answers__town__in=towns)
    return rows.count()


def _contacts(towns: set[int]) -> dict[int, tuple[str, ...]]:
    """Who works in a town: name and the address they sign in with, caseworkers first."""
    grants = (
        Grant.objects.filter(
            role__in=("caseworker", "town_reviewer"),
            scope_id__in=towns,
            revoked_at__isnull=True,
            confirmed_by__isnull=False,
        )
        .select_related("person")
        .order_by("role", "id")
    )
    found: dict[int, list[str]] = {}
    for grant in grants:
        found.setdefault(grant.scope_id, []).append(str(grant.person))
    return {town: tuple(dict.fromkeys(names))[:3] for town, names in found.items()}
