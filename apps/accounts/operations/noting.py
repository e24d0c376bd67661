from __future__ import annotations

import datetime as dt

from apps.accounts.models import AccessChange, Grant
from apps.core.actors import Actor


def note_access(
    *, actor: Actor, what: str, person_id: int, now: dt.datetime, grant: Grant | None = None, reason: str = ""
) -> None:
    """This will append a row of access history: who changed whose access, how, when and why."""
    AccessChange.objects.create(
        person=person_id, what=what, role=grant.role if grant else "", scope_kind=grant.scope_kind if grant else "",
        scope_id=grant.scope_id if grant else 0, actor_person=actor.person_id, actor_label=actor.label[:80],
        reason=reason[:200], at=now,
    )  # fmt: skip
