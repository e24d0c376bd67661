"""What paying out does when a family's file changes."""

from __future__ import annotations

import datetime as dt

from apps.casework.events import BankDetailsChanged
from apps.core.actors import system
from apps.disbursements.events import DisbursementReturned
from apps.disbursements.models import Disbursement
from apps.disbursements.operations import reopen_changed_accounts

ACTOR = system("disbursements")


def reopen_for_new_account(event: BankDetailsChanged, *, now: dt.datetime) -> None:
    """This will have payments that were approved for the old account approved again (P3)."""
    reopen_changed_accounts(actor=ACTOR, household_id=event.household_id, now=now)


def reopen_returned(event: DisbursementReturned, *, now: dt.datetime) -> None:
    """This will do the same for a payment that came back, when its family's account changed while the bank had it."""
    household = Disbursement.objects.values_list("household", flat=True).get(pk=event.disbursement_id)
    if household is not None:
        reopen_changed_accounts(actor=ACTOR, household_id=household, now=now)
