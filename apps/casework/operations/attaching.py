"""Evidence files: looked at by their content, pictures made anew, encrypted, and read only with a row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import files, policies
from apps.casework.models import Attachment, Household, Member
from apps.casework.operations.sealing import key_of, lock_household, note_access, owner_of
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.errors import BadInput, NotFound
from apps.core.policies import authorize

MOST_PER_FILE = 200


class TooManyAttachments(BadInput):
    code = "too_many_attachments"
    message = _("一份档案最多200个附件。")
    field = "file"


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted attachment, for one download."""

    content: bytes
    content_type: str
    file_name: str


def add_attachment(
    *,
    actor: Actor,
    household: Household,
    kind: str,
    content: bytes,
    now: dt.datetime,
    member: Member | None = None,
) -> Attachment:
    """This will keep a file as evidence (C6): its type is told by its content, a picture is made anew without EXIF, and
    the bytes are encrypted with the household's key before they touch the disk.

    Raises files.BadFile (not PDF, JPEG, PNG or WebP, too large, a bomb), TooManyAttachments, Erased.
    """
    authorize(policies.can_change_household, actor, household)
    if kind not in Attachment.Kind.values:
        raise BadInput(_("请选择附件的种类。"), field="kind")
    if member is not None and member.household_id != household.pk:
        raise BadInput(_("这位成员不在这份档案里。"), field="member")
    clean = files.cleaned(content)
    name = files.new_name()
    assert actor.person_id is not None
    # The file comes first: a row without its file would be a hole, a file without its row is swept away.
    sealed = crypto.encrypt_bytes(key_of(household), clean.content, f"{owner_of(household)}:file:{name}")
    files.write(name, sealed)
    try:
        with transaction.atomic():
            household = lock_household(household.pk)
            authorize(policies.can_change_household, actor, household)
            if household.attachments.filter(erased_at__isnull=True).count() >= MOST_PER_FILE:
                raise TooManyAttachments()
            return Attachment.objects.create(
                household=household, member=member, kind=kind, content_type=clean.content_type,
                size=len(clean.content), digest=crypto.blind_index_bytes("attachment", content), stored_name=name,
                uploaded_by_id=actor.person_id, uploaded_at=now,
            )  # fmt: skip
    except BaseException:
        files.remove(name)
        raise


def open_attachment(*, actor: Actor, attachment: Attachment, reason: str, now: dt.datetime) -> Opened:
    """This will decrypt an attachment for one download and, in the same transaction, append who, which, and why (C2).

    Raises ReasonMissing, Erased, NotFound (the file is gone from the disk).
    """
    with transaction.atomic():
        attachment = Attachment.objects.select_related("household").get(pk=attachment.pk)
        household = attachment.household
        note_access(
            policies.can_read_household,
            actor,
            household,
            household,
            [f"attachment.{attachment.public_id}"],
            reason,
            now,
        )
        sealed = files.read(attachment.stored_name)
        if sealed is None:
            raise NotFound(_("附件的文件不在了。请告诉管理员，从备份恢复。"))
        content = crypto.decrypt_bytes(
            key_of(household), sealed, f"{owner_of(household)}:file:{attachment.stored_name}"
        )
        suffix = files.SUFFIX[attachment.content_type]
        return Opened(
            content, attachment.content_type, f"{household.file_number}-{attachment.public_id}{suffix}"
        )
