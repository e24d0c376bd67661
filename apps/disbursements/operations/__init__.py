"""Writes of disbursements, by verb."""

from apps.disbursements.operations.applying import apply_for_aid, apply_for_expense
from apps.disbursements.operations.deciding import (
    approve_disbursement,
    reject_disbursement,
    reopen_approval,
    verify_disbursement,
)
from apps.disbursements.operations.paying import LineOutcome, record_results, release_batch
from apps.disbursements.operations.returning import confirm_disbursement, return_disbursement
from apps.disbursements.operations.transferring import approve_transfer, ask_transfer

__all__ = [
    "LineOutcome",
    "apply_for_aid",
    "apply_for_expense",
    "approve_disbursement",
    "approve_transfer",
    "ask_transfer",
    "confirm_disbursement",
    "record_results",
    "reject_disbursement",
    "release_batch",
    "reopen_approval",
    "return_disbursement",
    "verify_disbursement",
]
