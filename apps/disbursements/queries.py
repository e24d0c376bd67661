from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.core.actors import Actor
from apps.disbursements.models import (
    FOUR,
    AidAlert,
    Application,
    Batch,
    Disbursement,
    RiskAnswer,
    RiskFlag,
    RuleVersion,
    StepTaker,
    Transfer,
)
from apps.disbursements.states import Kind, RuleStatus, Status

UNCONFIRMED_AFTER = dt.timedelta(days=30)
STEPS = ("verify", "approve", "pay", "confirm")


def visible(actor: Actor) -> QuerySet[Disbursement]:
    """This will list the disbursements of an actor's towns and organizations, newest first."""
    organizations = actor.scopes("project_officer") | actor.scopes("manager") | actor.scopes("cashier")
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    return _rows().filter(
        Q(project__fund__organization__in=organizations)
        | Q(kind=Kind.EXPENSE, project__partner__in=actor.scopes("project_officer"))
        | Q(kind=Kind.EXPENSE, project__town__in=actor.scopes("caseworker"))
        | Q(town__in=towns)
    ).order_by("-id")  # fmt: skip


def _rows() -> QuerySet[Disbursement]:
    return Disbursement.objects.select_related(
        "project__fund", "budget_line", "household", "town", "application"
    )


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What an officer looks for in a queue; empty means any."""

    kind: str = ""
    town: str = ""
    project: str = ""
    number: str = ""
    flag: str = ""
    after: int = 0


def queue(actor: Actor, step: str, wanted: QueueFilter) -> QuerySet[Disbursement]:
    """This will list what waits for a step that this very person may do, oldest first, paged by key: never one of whose
    other steps they ever did one (P2)."""
    rows = _rows().filter(_step(actor, step), pk__gt=wanted.after)
    if step != "confirm":
        done = StepTaker.objects.filter(disbursement=OuterRef("pk"), person=actor.person_id or 0)
        names = {"verify": "verifier", "approve": "approver", "pay": "payer"}
        rows = rows.exclude(Exists(done.exclude(step=names[step])))
    if wanted.kind in Kind.values:
        rows = rows.filter(kind=wanted.kind)
    if wanted.town:
        rows = rows.filter(town__code=wanted.town)
    if wanted.project:
        rows = rows.filter(project__slug=wanted.project)
    if wanted.number:
        rows = rows.filter(number__icontains=wanted.number)
    if wanted.flag:
        rows = rows.filter(Exists(RiskFlag.objects.filter(disbursement=OuterRef("pk"), kind=wanted.flag)))
    return rows.order_by("id")


def queue_counts(actor: Actor) -> dict[str, int]:
    """This will count what waits for a person, step by step."""
    return {step: queue(actor, step, QueueFilter()).count() for step in STEPS}


def waiting_for(actor: Actor) -> QuerySet[Disbursement]:
    """This will list everything that waits for this person, whatever the step."""
    ids = [queue(actor, step, QueueFilter()).values("pk") for step in ("verify", "approve", "pay")]
    return _rows().filter(Q(pk__in=ids[0]) | Q(pk__in=ids[1]) | Q(pk__in=ids[2])).order_by("id")


def _step(actor: Actor, step: str) -> Q:
    officer = actor.scopes("project_officer")
    if step == "verify":
        return Q(kind=Kind.AID, status=Status.APPLIED, town__in=actor.scopes("town_reviewer")) | Q(
            Q(project__fund__organization__in=officer)
            | Q(project__partner__in=officer)
            | Q(project__town__in=actor.scopes("caseworker")),
            kind=Kind.EXPENSE, status=Status.APPLIED,
        )  # fmt: skip
    if step == "approve":
        return Q(status=Status.VERIFIED, project__fund__organization__in=actor.scopes("manager"))
    if step == "pay":
        return Q(
            status__in=[Status.APPROVED, Status.RETURNED],
            project__fund__organization__in=actor.scopes("cashier"),
        )
    return Q(kind=Kind.AID, status=Status.PAID, town__in=actor.scopes("caseworker"))


def unconfirmed(actor: Actor, *, now: dt.datetime) -> QuerySet[Disbursement]:
    """This will list aid that was paid 30 days ago or longer and that no family has confirmed, oldest first (P5)."""
    old = Q(kind=Kind.AID, status=Status.PAID, paid_at__lte=now - UNCONFIRMED_AFTER)
    return visible(actor).filter(old).order_by("paid_at", "id")


def payable(organization_ids: set[int]) -> QuerySet[Disbursement]:
    """This will list what a cashier can put into a batch, oldest approval first."""
    return (
        _rows()
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


def alerts_of(actor: Actor) -> QuerySet[AidAlert]:
    """This will list the newest alerts of aid given twice that concern this person or their towns (C3)."""
    mine = Q(person=actor.person_id or 0) | Q(town__in=actor.scopes("town_reviewer"))
    return AidAlert.objects.filter(mine).select_related("disbursement", "other_town").order_by("-id")


@dataclass(frozen=True, slots=True)
class FlagView:
    """A kept flag with the answers given to it."""

    flag: RiskFlag
    answers: list[RiskAnswer] = field(default_factory=list)


def flags_with_answers(item: Disbursement) -> list[FlagView]:
    """This will list a disbursement's flags, oldest first, each with its answers."""
    return [
        FlagView(flag, list(flag.answers.all()))
        for flag in item.flags.order_by("id").prefetch_related("answers")
    ]


def flag_counts(ids: list[int]) -> dict[int, int]:
    """This will count the flags of each disbursement, in one statement."""
    rows = RiskFlag.objects.filter(disbursement__in=ids).values_list("disbursement").annotate(n=Count("id"))
    return dict(rows.order_by())


def rule_versions(organization_ids: set[int] | None = None) -> QuerySet[RuleVersion]:
    """This will list versions of rule tables, newest first: the published ones, and drafts of the given
    organizations."""
    shown = Q(status=RuleStatus.PUBLISHED) | Q(organization__in=organization_ids or set())
    rows = RuleVersion.objects.filter(shown).select_related("organization", "drafted_by", "published_by")
    return rows.order_by("kind", "-number")


def row_labels(rule: RuleVersion, english: bool) -> dict[str, str]:
    """This will give the words of a table's rows by their key."""
    return {row.key: row.label_en if english else row.label_zh for row in rule.rows.all()}


def lines_of(application: Application) -> list[Mapping[str, Any]]:
    """This will give the frozen lines of an application's explanation."""
    return list(application.lines)


def may_be_one_person(keep: int, other: int) -> bool:
    """This will tell whether two people never did two steps of one payment or transfer, so that they may be joined."""
    pair = [keep, other]
    for one, another in itertools.permutations(FOUR, 2):
        if Disbursement.objects.filter(**{one: keep, another: other}).exists():
            return False
    taken: dict[int, str] = {}
    for item, step in StepTaker.objects.filter(person__in=pair).values_list("disbursement", "step"):
        if taken.setdefault(item, step) != step:
            return False
    return not Transfer.objects.filter(asked_by__in=pair, approved_by__in=pair).exists()
