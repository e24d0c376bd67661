"""What rooms below are told about rooms above, in one place: what keeps a family's file, and what a key rotation
rewraps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from apps.casework import erasure
from apps.core import rotation
from apps.core.clock import civil_day
from apps.core.errors import Text


def tie() -> None:
    """This will register everything; called once when the site is ready."""
    from apps.accounts.adapters import factors_under_other_keys, seal_factors_anew
    from apps.casework.operations.sharing import lists_under_other_keys, seal_lists_anew
    from apps.wishes.operations.sealing import people_under_other_keys, seal_people_anew

    erasure.register_hold("disbursements", aid_under_way)
    erasure.register_last_aid(last_aid)
    erasure.register_wipe("disbursements", forget_aided)
    rotation.register(rotation.Wrapped("casework_household", "data_key", "'household:' || key_name"))
    rotation.register(rotation.Wrapped("donations_refund", "bank_key", "'refund:' || number"))
    rotation.register(rotation.Sealed("second factors", factors_under_other_keys, seal_factors_anew))
    rotation.register(rotation.Sealed("lists of other departments", lists_under_other_keys, seal_lists_anew))
    rotation.register(rotation.Sealed("promises and volunteers", people_under_other_keys, seal_people_anew))


def aid_under_way(household_id: int) -> Text | None:
    """This will say so when a family's aid is applied for and not yet paid or ended, or came back from the bank."""
    from apps.disbursements.models import Disbursement
    from apps.disbursements.states import Status

    ended = (Status.PAID, Status.CONFIRMED, Status.REJECTED, Status.REVERSED)
    if Disbursement.objects.filter(household=household_id).exclude(status__in=ended).exists():
        return _("这户有救助金还在办理或付款中。办完之后才能销毁档案。")
    return None


def forget_aided(household_id: int) -> None:
    """This will delete the hashes that say a family's people had aid in a year."""
    from apps.disbursements.operations import forget_aided_persons

    forget_aided_persons(household_id=household_id)


def last_aid(household_ids: Sequence[int]) -> Mapping[int, dt.date]:
    """This will give the civil date of the last application for each family that ever made one."""
    from apps.disbursements.models import Disbursement

    rows = Disbursement.objects.filter(household__in=list(household_ids)).values("household")
    found = rows.annotate(last=Max("applied_at")).values_list("household", "last")
    return {pk: civil_day(last) for pk, last in found}
