"""Writes (and logged reads) of case files."""

from apps.casework.identity import BadAccount, BadIdNumber, BadPhone
from apps.casework.operations.attaching import Opened, TooManyAttachments, add_attachment, open_attachment
from apps.casework.operations.members import (
    AlreadyMember,
    BadBirthDate,
    BirthDateDiffers,
    HeadStays,
    SexDiffers,
    UnlikelyAge,
    add_member,
    change_member,
    remove_member,
)
from apps.casework.operations.reading import open_bank_details, open_file, open_member, open_phone, reckon_age
from apps.casework.operations.registering import (
    AlreadyRegistered,
    change_bank_account,
    hold_bank_details,
    register_household,
)
from apps.casework.operations.sealing import Erased, FieldMissing, ReasonMissing

__all__ = [
    "AlreadyMember",
    "AlreadyRegistered",
    "BadAccount",
    "BadBirthDate",
    "BadIdNumber",
    "BadPhone",
    "BirthDateDiffers",
    "Erased",
    "FieldMissing",
    "HeadStays",
    "Opened",
    "ReasonMissing",
    "SexDiffers",
    "TooManyAttachments",
    "UnlikelyAge",
    "add_attachment",
    "add_member",
    "change_bank_account",
    "change_member",
    "hold_bank_details",
    "open_attachment",
    "open_bank_details",
    "open_file",
    "open_member",
    "open_phone",
    "reckon_age",
    "register_household",
    "remove_member",
]
