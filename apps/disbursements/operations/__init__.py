"""Writes of disbursements, by verb."""

from apps.disbursements.operations.applying import (
    apply_by_rule,
    apply_for_aid,
    apply_for_expense,
    apply_for_stage,
)
from apps.disbursements.operations.bulk import BulkAnswer, approve_many, verify_many
from apps.disbursements.operations.confirming import (
    ask_code,
    confirm_at_desk,
    confirm_by_code,
    confirm_disbursement,
    issue_code,
)
from apps.disbursements.operations.deciding import (
    approve_disbursement,
    forget_aided_persons,
    reject_disbursement,
    reopen_approval,
    reopen_changed_accounts,
    verify_disbursement,
)
from apps.disbursements.operations.flagging import note_donors
from apps.disbursements.operations.paying import LineOutcome, choose_layout, record_results, release_batch
from apps.disbursements.operations.ruling import ExampleDraft, RowDraft, TableDraft, draft_rule, publish_rule
from apps.disbursements.operations.transferring import approve_transfer, ask_transfer
from apps.disbursements.operations.undoing import agree_undo, ask_undo, refuse_undo

__all__ = [
    "BulkAnswer",
    "ExampleDraft",
    "LineOutcome",
    "RowDraft",
    "TableDraft",
    "agree_undo",
    "apply_by_rule",
    "apply_for_aid",
    "apply_for_expense",
    "apply_for_stage",
    "approve_disbursement",
    "approve_many",
    "approve_transfer",
    "ask_code",
    "ask_transfer",
    "ask_undo",
    "choose_layout",
    "confirm_at_desk",
    "confirm_by_code",
    "confirm_disbursement",
    "draft_rule",
    "forget_aided_persons",
    "issue_code",
    "note_donors",
    "publish_rule",
    "record_results",
    "refuse_undo",
    "reject_disbursement",
    "release_batch",
    "reopen_approval",
    "reopen_changed_accounts",
    "verify_disbursement",
    "verify_many",
]
