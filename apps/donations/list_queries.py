"""Reads of imports: what a person may see, a preview's samples, how far a worker is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Q, QuerySet

from apps.core.actors import Actor
from apps.donations.models import GiftImport, ListFault, StagedGift
from apps.donations.operations.lists.recording import progress_key
from apps.donations.states import ImportStatus
from apps.funds.models import MicroFund

ROLES = ("project_officer", "cashier")
SHOWN = 50
SAMPLES = 8


def fundable(actor: Actor) -> QuerySet[MicroFund]:
    """This will list the micro-funds whose lists a person may bring."""
    own = set().union(*(actor.scopes(role) for role in ROLES))
    return MicroFund.objects.filter(organization__in=own).order_by("name", "id")


def imports_of(actor: Actor, *, words: str = "", status: str = "") -> QuerySet[GiftImport]:
    """This will list the imports a person may see, newest first, by words of source or file and by state."""
    rows = GiftImport.objects.filter(fund__in=fundable(actor)).select_related("fund", "project", "gift_list")
    if words:
        rows = rows.filter(Q(source__icontains=words) | Q(file_name__icontains=words))
    if status in ImportStatus.values:
        rows = rows.filter(status=status)
    return rows.order_by("-id")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person looks at before recording."""

    samples: list[StagedGift]
    faults: list[ListFault]
    known: list[StagedGift]
    done: int
    partly: bool


def preview(listing: GiftImport) -> Preview:
    """This will give samples, faults and known rows of an import, and how many gifts a worker has done."""
    staged = StagedGift.objects.filter(listing=listing)
    done = listing.rows_read
    if listing.status == ImportStatus.RECORDING:
        try:
            done = int(cache.get(progress_key(listing)) or 0)
        except Exception:  # a cache that is away only hides the count
            done = 0
    waiting: Any = listing.status == ImportStatus.PREVIEW
    return Preview(
        list(staged.order_by("row")[:SAMPLES]) if waiting else [],
        list(ListFault.objects.filter(listing=listing).order_by("row", "id")[:SHOWN])
        if waiting and listing.faults
        else [],
        list(staged.filter(known=True).order_by("row")[:SHOWN])
        if waiting and 0 < listing.known < listing.gifts
        else [],
        done,
        0 < listing.known < listing.gifts,
    )
