from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet

from apps.casework.models import Attachment, BlindIndex, Household, PrivateField
from apps.core import crypto
from apps.core.actors import Actor


def files_of(actor: Actor) -> QuerySet[Household]:
    """This will list the files of the towns an actor works in, newest first; no private field is read."""
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    return Household.objects.filter(town__in=towns).select_related("town").order_by("-id")


def same_value(household: Household, name: str) -> list[int]:
    """This will list the ids of other households with the same ID number, phone or account, by the blind index."""
    digests = BlindIndex.objects.filter(household=household, name=name).values_list("digest", flat=True)
    rows = BlindIndex.objects.filter(name=name, digest__in=list(digests)).exclude(household=household)
    return list(rows.values_list("household", flat=True))


def find_by_id_number(number: str) -> list[int]:
    """This will find households by an ID number without decrypting anything."""
    digest = crypto.blind_index(PrivateField.ID_NUMBER, number.strip().upper())
    return list(
        BlindIndex.objects.filter(name=PrivateField.ID_NUMBER, digest=digest).values_list(
            "household", flat=True
        )
    )


def bank_changed_since(household_id: int, moment: dt.datetime) -> bool:
    """This will tell whether a family's bank account changed after a moment (P3)."""
    return Household.objects.filter(pk=household_id, bank_changed_at__gt=moment).exists()


def same_attachments(attachment: Attachment) -> list[int]:
    """This will list the ids of attachments in other files whose bytes are the same (P6)."""
    if not attachment.digest:
        return []
    rows = Attachment.objects.filter(digest=attachment.digest).exclude(household=attachment.household_id)
    return list(rows.order_by("id").values_list("pk", flat=True))


def files_of_same_people(household: Household) -> list[int]:
    """This will list the ids of other files in which a person of this one stands too, by any member's ID number (C3)."""
    return same_value(household, PrivateField.ID_NUMBER)


def distinct_families(household_ids: Iterable[int]) -> dict[int, str]:
    """This will give each household a key that is the same for files of one head, whatever town they are in (C4)."""
    ids = set(household_ids)
    rows = BlindIndex.objects.filter(household__in=ids, member=None, name=PrivateField.ID_NUMBER)
    return {each: f"file:{each}" for each in ids} | dict(rows.values_list("household", "digest"))
