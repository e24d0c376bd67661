"""One-time codes by which a family says something itself: three a day, 72 hours, five tries; only a keyed hash is kept.

Written once for payments (P5) and wishes (W5): the callers own the rows, the locks and what a right code means.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Household
from apps.casework.operations import open_phone
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict
from apps.disbursements.models import TRIES

LASTS = dt.timedelta(hours=72)
CODES_A_DAY = 3


class WrongCode(BadInput):
    code = "wrong_code"
    field = "code"

    def __init__(self, left: int) -> None:
        super().__init__(str(_("验证码不对。还可以试%(n)s次。")) % {"n": left})


class CodeOver(Conflict):
    code = "code_over"
    message = _("这个验证码已失效：用过、过期或试错太多次。请让社工重新发一个，或用签收单。")
    field = "code"


class TooManyCodes(Conflict):
    code = "too_many_codes"
    message = _("一天最多发三次验证码。请明天再发，或用签收单。")


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """What goes to the family's phone; it is nowhere kept."""

    phone: str
    digits: str
    token: str


class OneTimeCode(Protocol):
    """A row of a code, as payments and wishes keep it."""

    token: Any
    code_hash: Any
    sent_at: Any
    expires_at: Any
    tries: Any
    used_at: Any

    def save(self, *, update_fields: list[str]) -> None: ...


def end_codes(codes: QuerySet[Any], now: dt.datetime) -> dt.datetime:
    """This will end the earlier codes of one thing and tell until when the next one holds. Raises TooManyCodes."""
    if codes.filter(asked_at__gt=now - dt.timedelta(days=1)).count() >= CODES_A_DAY:
        raise TooManyCodes()
    codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
    return now + LASTS


def write_code(
    *, actor: Actor, code: OneTimeCode, kind: str, household: Household, reason: str, now: dt.datetime
) -> CodeMessage:
    """This will make the six digits of a locked code, keep their keyed hash, and give what is to be sent. Reading the
    phone leaves its row in the family's file (C2)."""
    phone = open_phone(actor=actor, household=household, reason=reason, now=now)
    digits = f"{secrets.randbelow(1_000_000):06d}"
    code.code_hash, code.sent_at, code.tries = _hash(kind, code.token, digits), now, 0
    code.save(update_fields=["code_hash", "sent_at", "tries"])
    return CodeMessage(phone, digits, code.token)


def try_code(code: OneTimeCode, kind: str, digits: str, now: dt.datetime) -> bool:
    """This will count one try on a locked code and tell whether it was right. The caller commits before it answers, so
    that a wrong try stays counted. Raises CodeOver when it was used, is over, or was tried too often."""
    if not (code.sent_at and code.used_at is None and code.expires_at > now and code.tries < TRIES):
        raise CodeOver()
    code.tries += 1
    typed = "".join(digits.split())
    right = len(typed) == 6 and hmac.compare_digest(code.code_hash, _hash(kind, code.token, typed))
    if right:
        code.used_at = now
    code.save(update_fields=["tries", "used_at"])
    return right


def refuse_wrong(code: OneTimeCode) -> BadInput | Conflict:
    """This will give the answer to a wrong try: how many are left, or that the code is over."""
    return WrongCode(TRIES - code.tries) if code.tries < TRIES else CodeOver()


def _hash(kind: str, token: str, digits: str) -> str:
    return crypto.blind_index(kind, f"{token}:{digits}")
