"""Reads of receipts for the workbench: the list, the ranges of numbers, offline gifts that have none, bundles."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from apps.core.actors import Actor
from apps.core.clock import start_of_day
from apps.donations.models import Gift, GiftList, Receipt, ReceiptBundle, ReceiptRange
from apps.donations.states import GiftStatus, Source

WARN_BELOW = 500
"""Fewer free numbers than this: time to ask the finance bureau."""


def find_receipts(query: dict[str, Any]) -> QuerySet[Receipt]:
    """This will narrow receipts by day of issue (from, to), number (with or without code), payer and kind (gift, red,
    in_kind)."""
    rows = Receipt.objects.all()
    if query.get("from"):
        rows = rows.filter(issued_at__gte=start_of_day(dt.date.fromisoformat(query["from"])))
    if query.get("to"):
        day = dt.date.fromisoformat(query["to"]) + dt.timedelta(days=1)
        rows = rows.filter(issued_at__lt=start_of_day(day))
    if query.get("q"):
        number = query["q"]
        rows = rows.filter(code=number[:8], number=number[8:]) if len(number) == 18 else rows.filter(
            number=number.zfill(10)
        )  # fmt: skip
    if query.get("payer"):
        rows = rows.filter(payer__icontains=query["payer"])
    kinds = {
        "gift": Q(kind="money", amount__gt=0),
        "red": Q(amount__lt=0),
        "in_kind": Q(kind="in_kind", amount__gt=0),
    }
    return rows.filter(kinds[query["kind"]]) if query.get("kind") in kinds else rows


def receipt_by_full_number(number: str) -> Receipt | None:
    """This will find a receipt by its code and number written side by side (18 digits)."""
    return Receipt.objects.filter(code=number[:8], number=number[8:]).first() if len(number) == 18 else None


def ranges() -> QuerySet[ReceiptRange]:
    """This will list the ranges in the order they are used, each with `left`, the numbers it still has."""
    return ReceiptRange.objects.annotate(left=F("last") + 1 - F("next")).order_by("id")


def numbers_left() -> int:
    """This will count the numbers that are left in all ranges."""
    return int(ReceiptRange.objects.aggregate(n=Sum(F("last") + 1 - F("next")))["n"] or 0)


def gifts_without_receipt(gift_list: GiftList) -> QuerySet[Gift]:
    """This will list a list's gifts that have a named payer and no receipt yet."""
    having = Receipt.objects.filter(gift=OuterRef("pk"))
    return (
        Gift.objects.filter(gift_list=gift_list, source=Source.OFFLINE, status=GiftStatus.RECEIVED)
        .exclude(payer="")
        .filter(~Exists(having))
        .select_related("project", "fund")
    )


def gift_lists(words: str = "") -> QuerySet[GiftList]:
    """This will list the lists of offline gifts, newest first, by words of source or file."""
    rows = GiftList.objects.order_by("-id")
    return rows.filter(Q(source__icontains=words) | Q(file_name__icontains=words)) if words else rows


def waiting_by_list(lists: list[GiftList]) -> dict[int, int]:
    """This will count, for some lists, the named gifts that have no receipt."""
    having = Receipt.objects.filter(gift=OuterRef("pk"))
    rows = Gift.objects.filter(gift_list__in=lists).exclude(payer="").filter(~Exists(having))
    return dict(rows.values_list("gift_list").annotate(n=Count("pk")))


def bundles_of(actor: Actor) -> QuerySet[ReceiptBundle]:
    """This will list the bundles a person asked for, newest first."""
    return ReceiptBundle.objects.filter(asked_by=actor.person_id or 0).order_by("-id")


def receipts_of_bundle(bundle: ReceiptBundle) -> QuerySet[Receipt]:
    """This will list a bundle's receipts in the order they are put in; the same ones whenever it is asked."""
    return find_receipts(bundle.query).filter(pk__lte=bundle.up_to).order_by("id")
