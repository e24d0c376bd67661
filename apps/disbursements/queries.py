from __future__ import annotations

import itertools

from django.db.models import Q, QuerySet

from apps.core.actors import Actor
from apps.disbursements.models import FOUR, Batch, Disbursement, Transfer
from apps.disbursements.states import Kind, Status


def visible(actor: Actor) -> QuerySet[Disbursement]:
    """This will list the disbursements of an actor's towns and organizations, newest first."""
    organizations = actor.scopes("project_officer") | actor.scopes("manager") | actor.scopes("cashier")
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    rows = Disbursement.objects.select_related("project__fund", "budget_line", "household", "town")
    return rows.filter(
        Q(project__fund__organization__in=organizations)
        | Q(kind=Kind.EXPENSE, project__partner__in=actor.scopes("project_officer"))
        | Q(kind=Kind.EXPENSE, project__town__in=actor.scopes("caseworker"))
        | Q(town__in=towns)
    ).order_by("-id")


def waiting_for(actor: Actor) -> QuerySet[Disbursement]:
    """This will list what waits for a step that this very person may do: never one they did another step of (P2)."""
    person = actor.person_id or 0
    officer = actor.scopes("project_officer")
    verify = Q(kind=Kind.AID, status=Status.APPLIED, town__in=actor.scopes("town_reviewer")) | Q(
        Q(project__fund__organization__in=officer)
        | Q(project__partner__in=officer)
        | Q(project__town__in=actor.scopes("caseworker")),
        kind=Kind.EXPENSE, status=Status.APPLIED,
    )  # fmt: skip
    approve = Q(status=Status.VERIFIED, project__fund__organization__in=actor.scopes("manager"))
    pay = Q(
        status__in=[Status.APPROVED, Status.RETURNED], project__fund__organization__in=actor.scopes("cashier")
    )
    rows = Disbursement.objects.select_related("project__fund", "budget_line", "household", "town")
    rows = rows.filter(verify | approve | pay).exclude(applicant=person)
    rows = rows.exclude(Q(verifier=person) & ~Q(status=Status.APPLIED))
    return rows.exclude(Q(approver=person)).order_by("id")


def payable(organization_ids: set[int]) -> QuerySet[Disbursement]:
    """This will list what a cashier can put into a batch, oldest approval first."""
    return (
        Disbursement.objects.select_related("project", "budget_line", "household", "town")
        .filter(
            status__in=[Status.APPROVED, Status.RETURNED], project__fund__organization__in=organization_ids
        )
        .order_by("approved_at", "id")
    )


def batches(organization_ids: set[int]) -> QuerySet[Batch]:
    """This will list batches, newest first."""
    return Batch.objects.filter(organization__in=organization_ids).order_by("-id")


def transfers_of(fund_id: int) -> QuerySet[Transfer]:
    """This will list a micro-fund's booked transfers, newest first (public, P9)."""
    return Transfer.objects.filter(fund=fund_id, approved_at__isnull=False).order_by("-approved_at", "-id")


def may_be_one_person(keep: int, other: int) -> bool:
    """This will tell whether two people never did two steps of one payment or transfer, so that they may be joined."""
    pair = [keep, other]
    for one, another in itertools.permutations(FOUR, 2):
        if Disbursement.objects.filter(**{one: keep, another: other}).exists():
            return False
    return not Transfer.objects.filter(asked_by__in=pair, approved_by__in=pair).exists()
