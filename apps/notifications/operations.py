from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import translation

from apps.core.actors import Actor
from apps.core.errors import PermissionRefused
from apps.notifications.models import Notice, SentMail


@transaction.atomic
def send_mail_once(*, key: str, to: str, template: str, context: Mapping[str, Any], language: str) -> bool:
    """This will send a plain mail from a template (first line: the subject) unless one was sent for this key.

    The row is written first and committed only when the mail was handed over: a failing server is tried again.
    """
    try:
        with transaction.atomic():
            SentMail.objects.create(key=key)
    except IntegrityError:
        return False
    with translation.override(language):
        text = render_to_string(template, dict(context))
    subject, _, body = text.strip().partition("\n")
    EmailMessage(subject=subject.strip(), body=body.strip() + "\n", to=[to]).send()
    return True


def write_notice(
    *, person_id: int, key: str, what: str, about: str, path: str, due_on: dt.date | None, now: dt.datetime
) -> bool:
    """This will put a line on a person's workbench, once for its key; returns whether it was new."""
    _notice, created = Notice.objects.get_or_create(
        person_id=person_id, key=key,
        defaults={"what": what, "about": about[:200], "path": path, "due_on": due_on, "at": now},
    )  # fmt: skip
    return created


def read_notices(*, actor: Actor, now: dt.datetime) -> int:
    """This will mark an actor's own notices as read; returns how many."""
    if actor.person_id is None:
        raise PermissionRefused()
    return Notice.objects.filter(person=actor.person_id, read_at=None).update(read_at=now)
