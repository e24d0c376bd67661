from __future__ import annotations

import datetime as dt

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
    """This will give the limits that count for a charity on a day (D7): of its kind and licence, the class with the
    highest lower bound that its net assets (fen) reach. None before the first table was in force."""
    rows = RatioLimit.objects.filter(
        licensed=licensed, effective_from__lte=day, assets_from__lte=max(net_assets, 0)
    )
    names = [kind] if kind == OrganizationKind.FOUNDATION else [kind, "others"]
    return rows.filter(kind__in=names).order_by("-effective_from", "-assets_from").first()
