"""What casework asks before it erases a file: whether money is on its way, and when the last aid was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from apps.core.clock import civil_day
from apps.core.errors import Text
from apps.disbursements.models import Disbursement
from apps.disbursements.states import Status

UNDER_WAY = (Status.APPLIED, Status.VERIFIED, Status.APPROVED, Status.PAYING, Status.RETURNED)


def payment_under_way(household_id: int) -> Text | None:
    """This will say why a file is still needed: an application or payment that is not at its end."""
    if Disbursement.objects.filter(household=household_id, status__in=UNDER_WAY).exists():
        return _("有救助申请或付款还没有办完。请先办完或退回申请。")
    return None


def last_aid(household_ids: Sequence[int]) -> Mapping[int, dt.date]:
    """This will give the civil date of each household's last paid aid."""
    rows = Disbursement.objects.filter(household__in=list(household_ids), paid_at__isnull=False)
    found = rows.values_list("household").annotate(last=Max("paid_at"))
    return {household: civil_day(last) for household, last in found.order_by() if household is not None}
