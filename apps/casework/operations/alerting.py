"""One person in two files (C3): both towns learn that it is so, neither sees the other's file."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import policies
from apps.casework.models import BlindIndex, DuplicateAlert, DuplicateAnswer, Household
from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict
from apps.core.policies import authorize


class AlertAnswered(Conflict):
    code = "alert_answered"
    message = _("本镇街已经写过结论。")


def note_duplicates(household: Household, digest: str, now: dt.datetime) -> int:
    """This will write an alert for each other file in which an ID number (by its hash) stands, once a pair; returns how
    many are new. The caller holds the lock of the number."""
    others = sorted(
        set(
            BlindIndex.objects.filter(name="id_number", digest=digest, household__erased_at__isnull=True)
            .exclude(household=household)
            .values_list("household", flat=True)
        )
    )
    known = set(
        DuplicateAlert.objects.filter(household__in=others, other=household).values_list(
            "household", flat=True
        )
    )
    made = DuplicateAlert.objects.bulk_create(
        [
            DuplicateAlert(household=household, other_id=other, found_at=now)
            for other in others
            if other not in known
        ],
        ignore_conflicts=True,
    )
    return len(made)


@transaction.atomic
def answer_alert(
    *, actor: Actor, alert: DuplicateAlert, town_id: int, note: str, now: dt.datetime
) -> DuplicateAnswer:
    """This will write down what one of the two towns found out; the other town sees that there is an answer, not the
    file. Raises AlertAnswered."""
    authorize(policies.can_answer_alert, actor, town_id)
    if town_id not in {alert.household.town_id, alert.other.town_id}:
        raise BadInput(_("这条提醒和您的镇街无关。"))
    if not note.strip():
        raise BadInput(_("请写明核实的结论。"), field="note")
    assert actor.person_id is not None
    answer, made = DuplicateAnswer.objects.get_or_create(
        alert=alert, town=town_id,
        defaults={"person_id": actor.person_id, "note": note.strip()[:300], "at": now},
    )  # fmt: skip
    if not made:
        raise AlertAnswered()
    return answer
