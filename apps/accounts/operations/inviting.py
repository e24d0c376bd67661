from __future__ import annotations

import datetime as dt

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import policies
from apps.accounts.models import Account, Grant, Person
from apps.accounts.operations.granting import open_tools
from apps.accounts.operations.noting import note_access
from apps.core.actors import CITY, Actor
from apps.core.errors import BadInput, Conflict
from apps.core.policies import authorize


class NotTheFirst(Conflict):
    code = "administrators_exist"
    message = _("管理员已经存在，这个命令只能用一次。请由现有管理员邀请。")


@transaction.atomic
def invite_staff(*, actor: Actor, email: str, display_name: str, now: dt.datetime) -> Account:
    """This will make an account for a member of staff, without a password: they set one by the reset link.

    Safe to repeat by e-mail. An account somebody opened under this e-mail without ever proving that it is theirs loses
    its password, so that nobody waits in it for a role.
    """
    authorize(policies.can_invite_staff, actor)
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BadInput(_("请填写正确的邮箱。"), field="email") from error
    if len(email) > 254:
        raise BadInput(_("请填写正确的邮箱。"), field="email")
    if not display_name.strip():
        raise BadInput(_("请填写姓名。"), field="display_name")
    known = Account.objects.select_for_update(of=("self",)).filter(email__iexact=email).first()
    if known:
        proven = EmailAddress.objects.filter(user=known, email__iexact=known.email, verified=True).exists()
        if not proven and known.has_usable_password() and not known.person.grants.exists():
            known.set_unusable_password()
            known.save(update_fields=["password"])
            EmailAddress.objects.filter(user=known, verified=False).delete()
        return known
    person = Person.objects.create(display_name=display_name.strip()[:80], created_at=now)
    account = Account.objects.create_user(email, None, person=person)
    note_access(actor=actor, what="invited", person_id=person.pk, now=now)
    return account


@transaction.atomic
def bootstrap_administrators(*, actor: Actor, emails: tuple[str, str], now: dt.datetime) -> list[Account]:
    """This will make the first two administrators, each confirming the other, once for the life of a database.

    Raises NotTheFirst when there is any administrator, BadInput for two equal addresses.
    """
    authorize(policies.can_bootstrap_administrators, actor)
    if emails[0].strip().casefold() == emails[1].strip().casefold():
        raise BadInput(_("两位管理员要用两个不同的邮箱。"), field="email")
    if Grant.objects.filter(role="administrator").exists():
        raise NotTheFirst()
    made = [
        invite_staff(actor=actor, email=email, display_name=email.partition("@")[0], now=now)
        for email in emails
    ]
    if made[0].person_id == made[1].person_id:
        raise BadInput(_("两位管理员要是两个人。"), field="email")
    for one, other in ((made[0], made[1]), (made[1], made[0])):
        grant = Grant.objects.create(
            person=one.person, role="administrator", scope_kind="city", scope_id=CITY, granted_by=None,
            confirmed_by=other.person, granted_at=now,
        )  # fmt: skip
        note_access(actor=actor, what="confirmed", person_id=one.person_id, grant=grant, now=now)
        open_tools(one.person_id)
    return made
