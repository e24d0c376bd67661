"""Writes of accounts: inviting, roles by two administrators, a lost second factor, two accounts of one person."""

from apps.accounts.operations.granting import (
    SCOPE_OF,
    BadScope,
    LastAdministrators,
    SamePerson,
    ask_grant,
    confirm_grant,
    register_scope,
    revoke_grant,
    scope_choices,
    scope_label,
)
from apps.accounts.operations.inviting import NotTheFirst, bootstrap_administrators, invite_staff
from apps.accounts.operations.joining import JoinRefused, join_accounts, register_join_check
from apps.accounts.operations.resetting import ask_reset, confirm_reset

__all__ = [
    "SCOPE_OF",
    "BadScope",
    "JoinRefused",
    "LastAdministrators",
    "NotTheFirst",
    "SamePerson",
    "ask_grant",
    "ask_reset",
    "bootstrap_administrators",
    "confirm_grant",
    "confirm_reset",
    "invite_staff",
    "join_accounts",
    "register_join_check",
    "register_scope",
    "revoke_grant",
    "scope_choices",
    "scope_label",
]
