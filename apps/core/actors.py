"""Who acts. Built by edges (a request, a task, a command), handed to every operation as `actor`."""

from __future__ import annotations

from dataclasses import dataclass, field

CITY = 0
"""The scope id of the whole city."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a scope: ("manager", "organization", 7)."""

    role: str
    scope_kind: str
    scope_id: int


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone or something that asks for an operation.

    `kind` is person, public (nobody signed in) or system (a task, named by `label`). `mfa` says whether this very
    session passed the second factor; staff roles count only then.
    """

    kind: str
    label: str
    person_id: int | None = None
    account_id: int | None = None
    mfa: bool = False
    grants: frozenset[Grant] = field(default_factory=frozenset)

    def has(self, role: str, scope_kind: str | None = None, scope_id: int | None = None) -> bool:
        """This will tell whether the actor holds a role (in a scope, where one is given) with MFA passed."""
        if not self.mfa:
            return False
        return any(
            grant.role == role
            and (scope_kind is None or grant.scope_kind == scope_kind)
            and (scope_id is None or grant.scope_id == scope_id)
            for grant in self.grants
        )

    def scopes(self, role: str) -> set[int]:
        """This will give the scope ids in which the actor holds a role."""
        if not self.mfa:
            return set()
        return {grant.scope_id for grant in self.grants if grant.role == role}

    @property
    def is_staff(self) -> bool:
        return bool(self.grants)

    @property
    def is_system(self) -> bool:
        return self.kind == "system"


PUBLIC = Actor(kind="public", label="public")


def system(label: str) -> Actor:
    """This will give the actor of a task or command, named for the history."""
    return Actor(kind="system", label=label)
