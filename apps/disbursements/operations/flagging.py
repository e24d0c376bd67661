"""Risk flags: kept with their evidence, answered by the verifier and by the approver before their step (P6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from apps.casework.models import PrivateField
from apps.core import crypto
from apps.core.actors import Actor
from apps.disbursements.errors import FlagsUnanswered
from apps.disbursements.models import Disbursement, DonorMark, RiskAnswer, RiskFlag
from apps.disbursements.risks import current_risks


def raise_flags(item: Disbursement, now: dt.datetime) -> list[RiskFlag]:
    """This will keep a flag for each present risk and give those flags, old and new."""
    risks = {risk.fingerprint: risk for risk in current_risks(item)}
    RiskFlag.objects.bulk_create(
        (RiskFlag(disbursement=item, kind=risk.kind, evidence=risk.evidence, fingerprint=mark, raised_at=now)
         for mark, risk in risks.items()),
        ignore_conflicts=True,
    )  # fmt: skip
    return list(RiskFlag.objects.filter(disbursement=item, fingerprint__in=risks).order_by("id"))


def answer_flags(
    item: Disbursement, step: str, answers: Mapping[str, str], actor: Actor, now: dt.datetime
) -> None:
    """This will keep a person's answers, by a flag's fingerprint or its kind, to every present flag; raises
    FlagsUnanswered while one has none from this very person."""
    flags = raise_flags(item, now)
    assert actor.person_id is not None
    said = set(
        RiskAnswer.objects.filter(flag__in=flags, step=step, person=actor.person_id).values_list(
            "flag", flat=True
        )
    )
    new = []
    for flag in flags:
        text = (answers.get(flag.fingerprint) or answers.get(flag.kind) or "").strip()[:300]
        if text:
            new.append(RiskAnswer(flag=flag, step=step, person=actor.person_id, text=text, at=now))
        elif flag.pk not in said:
            raise FlagsUnanswered()
    RiskAnswer.objects.bulk_create(new)


@transaction.atomic
def note_donors(*, codes: Mapping[int, str]) -> int:
    """This will keep the keyed hash of ID numbers that donors gave with their gifts ({gift: number}); other codes, such
    as an organization's, are left out. Safe to repeat; returns how many were kept."""
    rows = [
        DonorMark(gift=gift, digest=crypto.blind_index(PrivateField.ID_NUMBER, number))
        for gift, code in codes.items()
        if (number := _id_number(code))
    ]
    DonorMark.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _id_number(code: str) -> str:
    try:
        return str(ric.validate(code.strip().upper()))
    except ValidationError:
        return ""
