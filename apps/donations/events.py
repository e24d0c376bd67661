from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class GiftReceived(Event):
    """A gift's money arrived and is in the ledger."""

    name: ClassVar[str] = "donations.gift_received"
    gift_id: int


@dataclass(frozen=True, slots=True)
class LinkAsked(Event):
    """Somebody who holds a receipt asked for the lost link of its gift; only the donor's own address gets it."""

    name: ClassVar[str] = "donations.link_asked"
    gift_id: int
    day: str


@dataclass(frozen=True, slots=True)
class RefundRequested(Event):
    """Somebody asked for a gift back; the donor is told that it was heard."""

    name: ClassVar[str] = "donations.refund_requested"
    refund_id: int


@dataclass(frozen=True, slots=True)
class RefundDecided(Event):
    """A second person approved or refused a refund; `status` says which."""

    name: ClassVar[str] = "donations.refund_decided"
    refund_id: int
    status: str


@dataclass(frozen=True, slots=True)
class RefundPaid(Event):
    """A refund's money went out and is in the ledger."""

    name: ClassVar[str] = "donations.refund_paid"
    refund_id: int


@dataclass(frozen=True, slots=True)
class RefundFailed(Event):
    """A refund could not be made, or came back after it was; the money is with the gift again."""

    name: ClassVar[str] = "donations.refund_failed"
    refund_id: int


@dataclass(frozen=True, slots=True)
class TeamOpened(Event):
    """A team's page was opened; its organizer gets the link to run it."""

    name: ClassVar[str] = "donations.team_opened"
    team_id: int


@dataclass(frozen=True, slots=True)
class GiftListRecorded(Event):
    """A list of offline gifts is in the ledger, all of it. `project_id` is None for a micro-fund's general money."""

    name: ClassVar[str] = "donations.gift_list_recorded"
    list_id: int
    project_id: int | None


@dataclass(frozen=True, slots=True)
class MonthlyGiftChanged(Event):
    """A monthly gift moved on from `was` to `status`, or to another amount (minor units)."""

    name: ClassVar[str] = "donations.monthly_gift_changed"
    monthly_id: int
    status: str
    amount: int
    was: str
    change_id: str
