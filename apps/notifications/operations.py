from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import translation

from apps.notifications.models import SentMail


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
