from __future__ import annotations

import datetime as dt

from apps.casework.models import Household
from apps.disbursements.models import AidAlert, Disbursement
from apps.disbursements.risks import aided_elsewhere


def raise_alerts(item: Disbursement, now: dt.datetime) -> list[AidAlert]:
    """This will tell the applicant, the caseworker of each other file and the reviewers of this town that somebody of
    the family had aid within 12 months under another file (C3): towns only, never the other's file."""
    assert item.household is not None and item.town_id is not None
    others = Household.objects.filter(pk__in=aided_elsewhere(item.household, now)).order_by("id")
    alerts = []
    for other in others:
        common = {"disbursement": item, "raised_at": now}
        alerts += [
            AidAlert(person_id=item.applicant_id, other_town_id=other.town_id, **common),
            AidAlert(town_id=item.town_id, other_town_id=other.town_id, **common),
            AidAlert(
                person_id=other.registered_by_id, other_town_id=item.town_id, shows_number=False, **common
            ),
        ]
    AidAlert.objects.bulk_create(alerts)
    return alerts
