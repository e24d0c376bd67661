"""What paying out does when a family's file changes."""

from __future__ import annotations

import datetime as dt

from apps.casework.events import BankDetailsChanged
from apps.core.actors import system
from apps.disbursements.operations import reopen_changed_accounts


def reopen_for_new_account(event: BankDetailsChanged, *, now: dt.datetime) -> None:
    """This will have payments that were approved for the old account approved again (P3)."""
    reopen_changed_accounts(actor=system("disbursements"), household_id=event.household_id, now=now)
