"""Reads for an application under a rule table: the version in force, the amount explained, the evidence needed (C6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Attachment, Household, Member
from apps.casework.queries import files_of_same_people
from apps.core.errors import BadInput, Conflict
from apps.disbursements.models import Application, RuleVersion
from apps.disbursements.rules import Explanation, explain
from apps.disbursements.states import KIND_OF_CATEGORY, RuleStatus, Status
from apps.funds.models import Project


class NoRule(Conflict):
    code = "no_rule"
    message = _("这类救助今天没有生效的标准。请让机构负责人先发布标准。")


class EvidenceMissing(BadInput):
    code = "evidence_missing"
    field = "attachments"


def rule_for(project: Project, day: dt.date) -> RuleVersion | None:
    """This will find the version in force on a day for a project's category; None where no centre's table decides."""
    kind = KIND_OF_CATEGORY.get(project.category)
    if kind is None:
        return None
    return (
        RuleVersion.objects.filter(
            Q(effective_to__isnull=True) | Q(effective_to__gt=day), organization=project.fund.organization_id,
            kind=kind, status=RuleStatus.PUBLISHED, effective_from__lte=day,
        )
        .order_by("-effective_from")
        .first()
    )  # fmt: skip


def explain_aid(
    rule: RuleVersion, household: Household, facts: Mapping[str, Any], day: dt.date
) -> Explanation:
    """This will compute what a table gives a family, with what its people already had this calendar year counted, in
    whatever file, towards a yearly cap."""
    return explain(
        rule.kind, rule.rows.order_by("n"), facts, given_before=given_in_year(household, rule.kind, day.year)
    )


def given_in_year(household: Household, kind: str, year: int) -> int:
    """This will sum the live applications of a kind that a family's people made in a calendar year, less what of them
    was clawed back, fen."""
    files = [household.pk, *files_of_same_people(household)]
    rows = Application.objects.filter(household__in=files, kind=kind, applied_at__year=year)
    dead = [Status.REJECTED, Status.REVERSED]
    return sum(
        row.amount - sum(each.clawed_back for each in row.disbursements.all())
        for row in rows.prefetch_related("disbursements")
        if any(each.status not in dead for each in row.disbursements.all())
    )


def evidence_needed(rule: RuleVersion, stage: int) -> list[str]:
    """This will list the kinds of attachment that a stage needs."""
    return list(rule.evidence.filter(stage=stage).order_by("id").values_list("kind", flat=True))


def check_evidence(
    rule: RuleVersion, stage: int, household: Household, member: Member | None, attachments: Sequence[int]
) -> list[int]:
    """This will check that the chosen attachments of the family's own file hold every kind a stage needs, and give
    their ids. Raises EvidenceMissing naming the kinds that are not there."""
    rows = Attachment.objects.filter(pk__in=list(attachments), household=household, erased_at=None)
    if member is not None:
        rows = rows.filter(Q(member=None) | Q(member=member))
    chosen = dict(rows.values_list("pk", "kind"))
    missing = [kind for kind in evidence_needed(rule, stage) if kind not in chosen.values()]
    if missing:
        names = "、".join(str(Attachment.Kind(kind).label) for kind in missing)
        raise EvidenceMissing(
            str(_("缺少材料：%(names)s。请先传到家庭档案里，再在这里勾选。")) % {"names": names}
        )
    return sorted(chosen)
