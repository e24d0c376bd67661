from __future__ import annotations

from apps.organizations.models import AuditFirm, Organization


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
