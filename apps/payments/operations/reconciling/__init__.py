"""Writes of reconciliation (G12): statements in, the provider's balance read, lines matched, differences explained,
days closed. Theirs and ours are never edited: matches and reasons are added."""

from apps.payments.operations.reconciling.closing import close_day
from apps.payments.operations.reconciling.explaining import explain_differences, pair_differences
from apps.payments.operations.reconciling.matching import match_all
from apps.payments.operations.reconciling.providers import read_balances
from apps.payments.operations.reconciling.statements import (
    bring_statement,
    change_statement,
    drop_statement,
    open_bank_account,
    record_statement,
)

__all__ = [
    "bring_statement",
    "change_statement",
    "close_day",
    "drop_statement",
    "explain_differences",
    "match_all",
    "open_bank_account",
    "pair_differences",
    "read_balances",
    "record_statement",
]
