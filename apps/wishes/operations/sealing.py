"""Sealing anew, under the current field key, what wishes keep of people: contacts of promises, names and phones of
volunteers (rotation)."""

from __future__ import annotations

from django.db import transaction

from apps.core import crypto
from apps.wishes.models import Pledge, Volunteer
from apps.wishes.operations.claiming import contact_place


def people_under_other_keys() -> int:
    """This will count promises and volunteers that are sealed with another key than the current one."""
    return len(_stale_pledges()) + len(_stale_volunteers())


def seal_people_anew(limit: int) -> int:
    """This will seal up to `limit` of them with the current key, and return how many."""
    pledges = _stale_pledges()[:limit]
    volunteers = _stale_volunteers()[: limit - len(pledges)]
    with transaction.atomic():
        for pledge in Pledge.objects.select_for_update().filter(pk__in=pledges).order_by("pk"):
            pledge.contact = _anew(pledge.contact, contact_place(pledge))
            pledge.save(update_fields=["contact"])
        for one in Volunteer.objects.select_for_update().filter(pk__in=volunteers).order_by("pk"):
            one.name, one.phone = _anew(one.name, one.place("name")), _anew(one.phone, one.place("phone"))
            one.save(update_fields=["name", "phone"])
    return len(pledges) + len(volunteers)


def _stale_pledges() -> list[int]:
    rows = Pledge.objects.exclude(contact="").exclude(contact__startswith=_prefix())
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _stale_volunteers() -> list[int]:
    rows = Volunteer.objects.exclude(name="", phone="")
    return list(
        rows.exclude(name__startswith=_prefix(), phone__startswith=_prefix())
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _prefix() -> str:
    return f"{crypto.current_version()}:"


def _anew(sealed: str, place: str) -> str:
    return crypto.seal(crypto.unseal(sealed, place), place) if sealed else ""
