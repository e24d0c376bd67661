"""Safe to repeat: the key is claimed by INSERT before anything else is written."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.core.errors import Conflict
from apps.core.models import IdempotencyKey


class KeyReused(Conflict):
    code = "key_reused"


def claim(scope: str, key: str, fingerprint: str = "") -> bool:
    """This will claim a key in the present transaction: True for the first caller, False for a repetition.

    A second caller waits for the first one's commit. Raises KeyReused when the same key comes with another
    fingerprint (other content under an old key).
    """
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(scope=scope, key=key, fingerprint=fingerprint)
    except IntegrityError:
        known = IdempotencyKey.objects.get(scope=scope, key=key)
        if known.fingerprint != fingerprint:
            raise KeyReused() from None
        return False
    return True
