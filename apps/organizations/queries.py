from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from apps.organizations.models import AuditFirm, Organization, OrganizationKind, RatioLimit


def federation() -> Organization:
    """This will give the federation; raises Organization.DoesNotExist before set-up."""
    return Organization.objects.get(is_federation=True)


def independent_firms(organization_ids: set[int]) -> list[int]:
    """This will list the ids of audit firms without a tie to any of the organizations (D4), in id order."""
    return list(
        AuditFirm.objects.exclude(ties__organization__in=organization_ids)
        .order_by("id")
        .values_list("id", flat=True)
    )


def ratio_limit(*, kind: str, licensed: bool, net_assets: int, day: dt.date) -> RatioLimit | None:
    """This will give the limits that count for a charity on a day (D7); None before the first table was in force."""
    return limit_among(RatioLimit.objects.filter(licensed=licensed), kind, net_assets, day)


def limit_among(rows: Iterable[RatioLimit], kind: str, net_assets: int, day: dt.date) -> RatioLimit | None:
    """This will choose among the limits of one licence: those of the kind in force on the day, of the class with the
    highest lower bound that the net assets (fen) reach."""
    own = kind if kind == OrganizationKind.FOUNDATION else "others"
    fit = [
        row for row in rows
        if row.kind in (kind, own) and row.effective_from <= day and row.assets_from <= max(net_assets, 0)
    ]  # fmt: skip
    return max(fit, key=lambda row: (row.effective_from, row.assets_from), default=None)
