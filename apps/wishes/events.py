from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class WishOpened(Event):
    """A wish passed both reviews and stands in the shop."""

    name: ClassVar[str] = "wishes.opened"
    wish_id: int


@dataclass(frozen=True, slots=True)
class ClaimEnded(Event):
    """A claim ended before its wish was met; its donor is told, and offered another wish where money is there."""

    name: ClassVar[str] = "wishes.claim_ended"
    claim_id: int
    status: str


@dataclass(frozen=True, slots=True)
class ClaimConfirmed(Event):
    """The family itself confirmed what it was handed."""

    name: ClassVar[str] = "wishes.claim_confirmed"
    claim_id: int


@dataclass(frozen=True, slots=True)
class WishCodeAsked(Event):
    """A family is to get a one-time code; the event names no number."""

    name: ClassVar[str] = "wishes.code_asked"
    code_id: int


@dataclass(frozen=True, slots=True)
class ThanksPublished(Event):
    """A family's thanks passed the second look; those who met the wish are told."""

    name: ClassVar[str] = "wishes.thanks_published"
    wish_id: int
