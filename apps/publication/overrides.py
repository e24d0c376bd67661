"""Letting a stopped text through: one asks with a reason, another decides with a reason (C5)."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.crypto import seal, unseal
from apps.core.errors import BadInput, Conflict, WrongState
from apps.core.policies import authorize
from apps.publication import policies
from apps.publication.models import PrivacyOverride
from apps.publication.privacy import FOR_EVER, NotPublishable, find_all, text_digest

PLACE = "publication.privacy_override"
LONGEST = 20_000


class NothingFound(BadInput):
    code = "nothing_found"
    message = _("这段文字没有被拦，可以直接公布。")
    field = "text"


class OverrideAsked(Conflict):
    code = "override_asked"
    message = _("这段文字已经有人申请，等第二个人决定。")


class SameReader(Conflict):
    code = "same_reader"
    message = _("放行要两个人：申请的人不能自己决定。")


def ask_override(*, actor: Actor, text: str, reason: str, now: dt.datetime) -> PrivacyOverride:
    """This will ask that a stopped text (or one line of it) may be published as it is. ID numbers, phones, bank
    cards and numbers of a family can't be let through: NotPublishable. Raises NothingFound, OverrideAsked."""
    authorize(policies.can_ask_override, actor)
    if not text.strip() or len(text) > LONGEST:
        raise BadInput(_("请粘贴要公布的文字，最多2万字。"), field="text")
    if not reason.strip():
        raise BadInput(_("请写明为什么可以公布。"), field="reason")
    hits = find_all(text)
    if not hits:
        raise NothingFound()
    if any(hit.kind in FOR_EVER for hit in hits):
        raise NotPublishable(hits, "text")
    assert actor.person_id is not None
    try:
        with transaction.atomic():
            return PrivacyOverride.objects.create(
                digest=text_digest(text), text=seal(text, PLACE), kinds=sorted({hit.kind for hit in hits}),
                reason=reason.strip()[:300], asked_by_id=actor.person_id, asked_at=now,
            )  # fmt: skip
    except IntegrityError as error:
        raise OverrideAsked() from error


@transaction.atomic
def decide_override(
    *, actor: Actor, override: PrivacyOverride, allow: bool, why: str, now: dt.datetime
) -> PrivacyOverride:
    """This will let a text through or not; its words are deleted, the decision stays. Raises SameReader, WrongState."""
    authorize(policies.can_decide_override, actor)
    if not why.strip():
        raise BadInput(_("请写明决定的理由。"), field="why")
    override = PrivacyOverride.objects.select_for_update().get(pk=override.pk)
    if override.allowed is not None:
        raise WrongState()
    if override.asked_by_id == actor.person_id:
        raise SameReader()
    override.allowed, override.decided_by_id, override.decided_at = allow, actor.person_id, now
    override.decided_why, override.text = why.strip()[:300], ""
    override.save(update_fields=["allowed", "decided_by", "decided_at", "decided_why", "text"])
    return override


def words_of(override: PrivacyOverride) -> str:
    """This will give the words that wait for a decision; nothing once it was made."""
    return unseal(override.text, PLACE) if override.text else ""
