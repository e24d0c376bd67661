"""Writing the centres' rule tables: drafted by one person, published by another once every example comes out (C6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict, DomainError, WrongState
from apps.core.policies import authorize
from apps.disbursements import policies
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import RuleEvidence, RuleExample, RuleRow, RuleVersion
from apps.disbursements.rules import check_table, explain
from apps.disbursements.states import AidKind, RuleStatus
from apps.organizations.models import Organization


class ExamplesFail(BadInput):
    """At least one example doesn't come to what it says; nothing was published."""

    code = "examples_fail"


class RuleOverlaps(Conflict):
    code = "rule_overlaps"
    message = _("这一天已经有已发布的标准开始生效。请换一个生效日期。")
    field = "effective_from"


@dataclass(frozen=True, slots=True)
class RowDraft:
    """A row to be of a rule table; amounts in fen, shares in hundredths of a percent."""

    what: str
    key: str
    label_zh: str
    label_en: str
    floor: int | None = None
    ceiling: int | None = None
    share_bp: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class ExampleDraft:
    """An example to be: facts as `rules.explain` takes them, and the amount it must come to, fen."""

    title_zh: str
    title_en: str
    facts: Mapping[str, Any]
    expected: int
    given_before: int = 0


@dataclass(frozen=True, slots=True)
class TableDraft:
    """A whole table: rows, examples, and the evidence each stage needs ((stage, attachment kind))."""

    rows: Sequence[RowDraft]
    examples: Sequence[ExampleDraft]
    evidence: Sequence[tuple[int, str]] = field(default=())


@transaction.atomic
def draft_rule(
    *, actor: Actor, organization: Organization, kind: str, table: TableDraft, effective_from: dt.date, note: str,
    now: dt.datetime,
) -> RuleVersion:  # fmt: skip
    """This will draft the next version of a centre's table, in force from a day once a second person publishes it.

    Raises BadTable for one that leaves cases open, BadInput without examples or a note.
    """
    authorize(policies.can_draft_rule, actor, organization.pk)
    if kind not in AidKind.values or not note.strip():
        raise BadInput(_("请选择救助中心，并写明这一版改了什么。"), field="note")
    if not table.examples:
        raise BadInput(_("至少写一个算例，发布前会重新计算。"), field="examples")
    check_table(kind, table.rows)
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    number = RuleVersion.objects.filter(organization=organization, kind=kind).count() + 1
    assert actor.person_id is not None
    version = RuleVersion.objects.create(
        organization=organization, kind=kind, number=number, effective_from=effective_from, note=note.strip()[:300],
        drafted_by_id=actor.person_id, drafted_at=now,
    )  # fmt: skip
    RuleRow.objects.bulk_create(
        RuleRow(version=version, n=n, what=row.what, key=row.key, label_zh=row.label_zh, label_en=row.label_en,
                floor=row.floor, ceiling=row.ceiling, share_bp=row.share_bp, amount=row.amount)
        for n, row in enumerate(table.rows, start=1)
    )  # fmt: skip
    RuleExample.objects.bulk_create(
        RuleExample(version=version, n=n, title_zh=one.title_zh, title_en=one.title_en, facts=dict(one.facts),
                    given_before=one.given_before, expected=one.expected)
        for n, one in enumerate(table.examples, start=1)
    )  # fmt: skip
    RuleEvidence.objects.bulk_create(
        RuleEvidence(version=version, stage=stage, kind=each) for stage, each in table.evidence
    )
    return version


@transaction.atomic
def publish_rule(*, actor: Actor, version: RuleVersion, now: dt.datetime) -> RuleVersion:
    """This will publish a drafted version: a second person, every example computed again; the version in force before
    ends the day this one begins.

    Raises FourEyes, ExamplesFail (naming the examples), RuleOverlaps, WrongState.
    """
    locked = RuleVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    authorize(policies.can_publish_rule, actor, locked.organization_id)
    if locked.status != RuleStatus.DRAFT:
        raise WrongState()
    if actor.person_id == locked.drafted_by_id:
        raise FourEyes(_("起草和发布标准必须是两个人。请让另一位负责人发布。"))
    # A new version never reaches back before one that is published: what was decided stays explained.
    Organization.objects.select_for_update(no_key=True).get(pk=locked.organization_id)
    rows = list(locked.rows.order_by("n"))
    check_table(locked.kind, rows)
    failing = [
        f"{one.n}" for one in locked.examples.order_by("n") if computed(locked, rows, one) != one.expected
    ]
    if failing:
        raise ExamplesFail(
            str(_("算例%(numbers)s的结果和写明的金额不一样，没有发布。请核对标准或算例。"))
            % {"numbers": "、".join(failing)}
        )
    published = RuleVersion.objects.filter(
        organization=locked.organization_id, kind=locked.kind, status=RuleStatus.PUBLISHED
    )
    if published.filter(effective_from__gte=locked.effective_from).exists():
        raise RuleOverlaps()
    published.filter(effective_to=None).update(effective_to=locked.effective_from)
    locked.status, locked.published_by_id, locked.published_at = RuleStatus.PUBLISHED, actor.person_id, now
    try:
        with transaction.atomic():
            locked.save(update_fields=["status", "published_by", "published_at"])
    except IntegrityError as error:
        raise RuleOverlaps() from error
    return locked


def computed(version: RuleVersion, rows: Sequence[RuleRow], example: RuleExample) -> int | None:
    """This will compute an example by the table it stands beside; None where the table refuses it."""
    try:
        return explain(version.kind, rows, example.facts, given_before=example.given_before).amount
    except DomainError:
        return None
