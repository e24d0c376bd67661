"""Errands and volunteers: lists for those who run them, hours in sum, certificates by number and code."""

from __future__ import annotations

import unicodedata
from hmac import compare_digest

from django.db.models import Count, Q, QuerySet, Sum

from apps.core import crypto
from apps.core.actors import Actor
from apps.wishes.models import Errand, HoursCertificate, Volunteer, Wish
from apps.wishes.queries.shop import with_words
from apps.wishes.states import ErrandStatus


def errands_for(actor: Actor, *, status: str = "", words: str = "") -> QuerySet[Errand]:
    """This will list the errands of the actor's towns and warehouses, newest first."""
    rows = Errand.objects.select_related("volunteer", "wish__town", "dispatch", "warehouse", "town").order_by(
        "-id"
    )
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    rows = rows.filter(Q(town__in=towns) | Q(warehouse__in=actor.scopes("storekeeper")))
    if status in ErrandStatus.values:
        rows = rows.filter(status=status)
    if words:
        named = with_words(Wish.objects.order_by(), words).values("pk")
        number = words[:1].upper() + words[1:].lower()
        rows = rows.filter(
            Q(number__startswith=number) | Q(dispatch__number__startswith=number) | Q(wish__in=named)
        )
    return rows


def volunteers_with_hours() -> QuerySet[Volunteer]:
    """This will list volunteers with their confirmed minutes and errands in sum, newest first: a page by key sums up
    its own rows only."""
    done = Q(errands__status=ErrandStatus.CONFIRMED)
    rows = Volunteer.objects.annotate(
        minutes=Sum("errands__minutes", filter=done), done=Count("errands", filter=done)
    )
    return rows.order_by("-id")


def volunteer_name(volunteer: Volunteer) -> str:
    """This will open a volunteer's name for those who work with them, and for their own certificate."""
    return crypto.unseal(volunteer.name, volunteer.place("name")) if volunteer.name else ""


def volunteer_phone(volunteer: Volunteer) -> str:
    """This will open a volunteer's phone for those who work with them."""
    return crypto.unseal(volunteer.phone, volunteer.place("phone")) if volunteer.phone else ""


def certificate_by_number(number: str, check_code: str) -> HoursCertificate | None:
    """This will find a certificate of hours by its number and check code; a wrong code finds nothing."""
    found = HoursCertificate.objects.select_related("volunteer").filter(number=number).first()
    if found is None or not compare_digest(found.check_code.encode(), check_code.encode()):
        return None
    return found


def found_by(rows: QuerySet[Volunteer], words: str) -> QuerySet[Volunteer]:
    """This will narrow volunteers to a number of theirs, or to a whole phone number by its keyed hash; nothing is
    opened. Names are sealed, so that none is found by a part of it."""
    typed = unicodedata.normalize("NFKC", words).strip()
    digits = "".join(c for c in typed if c.isascii() and c.isdigit())
    phone = Q(phone_index=crypto.blind_index("volunteer_phone", digits)) if digits else Q(pk=None)
    return rows.filter(phone | Q(public_id=typed.lower()))
