"""Reads of files and of what stands in them in the clear; private fields are opened by operations only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.casework import erasure, identity
from apps.casework.models import (
    Assessment,
    Attachment,
    BlindIndex,
    Consent,
    ErasureRequest,
    Household,
    IncomeTier,
    PrivateField,
    Purpose,
    RetentionRule,
)
from apps.casework.operations.tiers import tiers_on
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.clock import add_months
from apps.core.errors import BadInput

SEARCHED = (PrivateField.ID_NUMBER, PrivateField.PHONE, PrivateField.BANK_ACCOUNT)


def files_of(actor: Actor) -> QuerySet[Household]:
    """This will list the files of the towns an actor works in, newest first; no private field is read."""
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    return Household.objects.filter(town__in=towns).select_related("town").order_by("-id")


def filtered(rows: QuerySet[Household], *, number: str = "", town: str = "", tier: str = "", state: str = "",
             waiting: str = "") -> QuerySet[Household]:  # fmt: skip
    """This will narrow a list of files by file number, town code, income tier, state (live or erased) and what they
    wait for (visit: no signed assessment; signature: one visitor has signed; erasure: somebody asked for it)."""
    if number:
        rows = rows.filter(file_number__icontains=number)
    if town:
        rows = rows.filter(town__code=town)
    if tier in IncomeTier.values:
        rows = rows.filter(income_tier=tier)
    if state in ("live", "erased"):
        rows = rows.filter(erased_at__isnull=state == "live")
    visits = Assessment.objects.filter(household=OuterRef("pk"))
    if waiting == "visit":
        rows = rows.filter(~Exists(visits.filter(confirmed_at__isnull=False)), erased_at__isnull=True)
    elif waiting == "signature":
        rows = rows.filter(Exists(visits.filter(confirmed_at__isnull=True)), erased_at__isnull=True)
    elif waiting == "erasure":
        rows = rows.filter(
            Exists(
                ErasureRequest.objects.filter(household=OuterRef("pk"), status=ErasureRequest.Status.ASKED)
            )
        )
    return rows


def find_files(actor: Actor, kind: str, value: str) -> QuerySet[Household]:
    """This will find files of the actor's towns by a whole ID number, phone or bank account, through the blind index:
    one indexed look-up, nothing is decrypted, and files of other towns stay out. Raises BadIdNumber, BadPhone,
    BadAccount, BadInput for another kind."""
    digest = crypto.blind_index(kind, normalized(kind, value))
    hits = BlindIndex.objects.filter(name=kind, digest=digest).values("household")
    return files_of(actor).filter(pk__in=hits)


def normalized(kind: str, value: str) -> str:
    """This will bring a searched value into the form it was indexed in. Raises what `find_files` raises."""
    if kind == PrivateField.ID_NUMBER:
        return identity.checked_id(value, field="value")
    if kind == PrivateField.PHONE:
        return identity.checked_phone(value)
    if kind == PrivateField.BANK_ACCOUNT:
        return identity.checked_account(value)
    raise BadInput(field="kind")


def same_value(household: Household, name: str) -> list[int]:
    """This will list the ids of other households with the same ID number, phone or account, by the blind index."""
    digests = BlindIndex.objects.filter(household=household, name=name).values_list("digest", flat=True)
    rows = BlindIndex.objects.filter(name=name, digest__in=list(digests)).exclude(household=household)
    return sorted(set(rows.values_list("household", flat=True)))


def files_of_same_people(household: Household) -> list[int]:
    """This will list the ids of other households, in any town, in which the ID number of any of this household's people
    stands (C3). Nothing is opened."""
    return same_value(household, PrivateField.ID_NUMBER)


_ID_NUMBERS = """
SELECT household_id, digest FROM casework_blindindex WHERE household_id = ANY(%s) AND name = %s
ORDER BY household_id, id
"""


def distinct_families(household_ids: Iterable[int]) -> dict[int, str]:
    """This will give each household a family key: files that share a person, in whatever towns, get the same one, so
    that a release counts them once (C4). Computed from the blind index of ID numbers; an erased file stands for itself.

    The keys mean something only within one answer and are never stored.
    """
    ids = sorted(set(household_ids))
    parent = {pk: pk for pk in ids}

    def root(pk: int) -> int:
        while parent[pk] != pk:
            parent[pk] = parent[parent[pk]]
            pk = parent[pk]
        return pk

    first: dict[str, int] = {}
    # One array, not a list of parameters: the gate asks for as many files as wait.
    with connection.cursor() as cursor:
        cursor.execute(_ID_NUMBERS, [ids, PrivateField.ID_NUMBER])
        rows = cursor.fetchall()
    for pk, digest in rows:
        if digest in first:
            one, other = sorted((root(first[digest]), root(pk)))
            parent[other] = one
        else:
            first[digest] = pk
    return {pk: f"family:{root(pk)}" for pk in ids}


def find_by_id_number(number: str) -> list[int]:
    """This will find households by an ID number without decrypting anything."""
    digest = crypto.blind_index(PrivateField.ID_NUMBER, identity.folded(number).upper())
    rows = BlindIndex.objects.filter(name=PrivateField.ID_NUMBER, digest=digest)
    return sorted(set(rows.values_list("household", flat=True)))


def bank_changed_since(household_id: int, moment: dt.datetime) -> bool:
    """This will tell whether a family's bank account changed after a moment (P3)."""
    return Household.objects.filter(pk=household_id, bank_changed_at__gt=moment).exists()


def same_attachments(attachment: Attachment) -> list[int]:
    """This will list the ids of attachments in other files whose bytes are the same (P6)."""
    if not attachment.digest:
        return []
    rows = Attachment.objects.filter(digest=attachment.digest).exclude(household=attachment.household_id)
    return list(rows.order_by("id").values_list("pk", flat=True))


def has_consent(household: Household, purpose: str = Purpose.REGISTRATION) -> bool:
    """This will tell whether a consent of a household to a purpose stands; without the one to registration no new
    application is taken."""
    return Consent.objects.filter(household=household, purpose=purpose, withdrawal__isnull=True).exists()


def standing_consents(household: Household, purpose: str) -> QuerySet[Consent]:
    """This will list a household's consents to a purpose that stand, newest first, with whom they are about."""
    rows = Consent.objects.filter(household=household, purpose=purpose, withdrawal__isnull=True)
    return rows.select_related("member").order_by("-id")


def live_codes(codes: Iterable[str], purposes: Iterable[str]) -> set[str]:
    """This will tell which consent codes stand for one of the purposes today."""
    rows = Consent.objects.filter(code__in=list(codes), purpose__in=list(purposes), withdrawal__isnull=True)
    return set(rows.values_list("code", flat=True))


def tier_on(household: Household, day: dt.date) -> str:
    """This will give a household's income tier on a civil date."""
    return tiers_on([household.pk], day).get(household.pk, household.income_tier)


def counts(actor: Actor) -> dict[str, int]:
    """This will count what waits in an actor's towns: visits to sign, erasures to decide."""
    found = files_of(actor).filter(erased_at__isnull=True).aggregate(
        signature=Count(
            "pk", filter=Q(assessments__confirmed_at__isnull=True, assessments__isnull=False), distinct=True
        ),
        erasure=Count("pk", filter=Q(erasures__status=ErasureRequest.Status.ASKED), distinct=True),
    )  # fmt: skip
    return {name: int(value) for name, value in found.items()}


class Due:
    """A file whose keeping has ended: the day it ended, and the rule."""

    def __init__(self, household: Household, last: dt.date, due: dt.date, rule: RetentionRule) -> None:
        self.household, self.last, self.due, self.rule = household, last, due, rule


def retention_due(actor: Actor, today: dt.date, limit: int = 200) -> list[Due]:
    """This will list the files of an actor's towns that are kept longer than the rules say: so many years after the
    last aid, or after registration where there was none. The longest overdue first."""
    rules: dict[str, RetentionRule] = {}
    for rule in RetentionRule.objects.filter(effective_from__lte=today).order_by("effective_from"):
        rules[rule.kind] = rule
    if not rules:
        return []
    shortest = min(rule.years for rule in rules.values())
    oldest = add_months(today, -12 * shortest)
    rows = list(
        files_of(actor).filter(erased_at__isnull=True, registered_at__date__lte=oldest).order_by("id")[:5000]
    )
    last_aid = erasure.last_aid_of([row.pk for row in rows])
    found = []
    for row in rows:
        rule = rules["aid" if row.pk in last_aid else "no_aid"]
        last = last_aid.get(row.pk) or row.registered_at.date()
        due = add_months(last, 12 * rule.years)
        if due <= today:
            found.append(Due(row, last, due, rule))
    return sorted(found, key=lambda one: one.due)[:limit]
