from __future__ import annotations

import datetime as dt

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import policies
from apps.accounts.models import Account, SecondFactorReset
from apps.accounts.operations.granting import SamePerson
from apps.accounts.operations.noting import note_access
from apps.core.actors import Actor
from apps.core.errors import BadInput, WrongState
from apps.core.policies import authorize


@transaction.atomic
def ask_reset(*, actor: Actor, account: Account, reason: str, now: dt.datetime) -> SecondFactorReset:
    """This will ask for a lost second factor to be taken off; nothing happens until another administrator confirms.

    `reason` says how the person was recognised. Safe to repeat while open. Raises SamePerson for one's own account.
    """
    authorize(policies.can_reset_second_factor, actor)
    if actor.person_id == account.person_id:
        raise SamePerson()
    if not reason.strip():
        raise BadInput(_("请写明怎样核实了是本人。"), field="reason")
    assert actor.person_id is not None
    asked, created = SecondFactorReset.objects.get_or_create(
        account=account, confirmed_at=None,
        defaults={"asked_by_id": actor.person_id, "asked_at": now, "reason": reason.strip()[:200]},
    )  # fmt: skip
    if created:
        note_access(
            actor=actor, what="reset_asked", person_id=account.person_id, reason=reason.strip(), now=now
        )
    return asked


@transaction.atomic
def confirm_reset(*, actor: Actor, reset: SecondFactorReset, now: dt.datetime) -> SecondFactorReset:
    """This will take off an account's second factor as a second administrator; its open sessions lose their roles at
    once, and it sets up a new one at its next visit. Raises SamePerson, WrongState when it was done already."""
    authorize(policies.can_reset_second_factor, actor)
    locked = (
        SecondFactorReset.objects.select_for_update(of=("self",)).select_related("account").get(pk=reset.pk)
    )
    if locked.confirmed_at is not None:
        raise WrongState()
    if actor.person_id in (locked.asked_by_id, locked.account.person_id):
        raise SamePerson()
    locked.confirmed_by_id = actor.person_id
    locked.confirmed_at = now
    locked.save(update_fields=["confirmed_by", "confirmed_at"])
    Authenticator.objects.filter(user=locked.account).delete()
    note_access(actor=actor, what="reset", person_id=locked.account.person_id, reason=locked.reason, now=now)
    return locked
