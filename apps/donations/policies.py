from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy
from apps.donations.models import Gift, Refund
from apps.funds.models import MicroFund


@policy("donations.open_gift")
def can_open_gift(actor: Actor) -> bool:
    """Anybody may give (G2)."""
    return True


@policy("donations.redirect_gift")
def can_redirect_gift(actor: Actor) -> bool:
    """Whoever holds the gift's token is its donor (G2); the operation looks at the gift itself."""
    return True


@policy("donations.change_monthly_gift")
def can_change_monthly_gift(actor: Actor) -> bool:
    """Whoever holds the monthly gift's token is its donor (G2)."""
    return True


@policy("donations.open_team")
def can_open_team(actor: Actor) -> bool:
    """Anybody may give together (G1); to change or close a team one holds its token."""
    return True


@policy("donations.hide_team")
def can_hide_team(actor: Actor, fund: MicroFund) -> bool:
    """A project officer or manager of the organization whose fund it is, or the supervisor."""
    organization = fund.organization_id
    return (
        actor.has("project_officer", "organization", organization)
        or actor.has("manager", "organization", organization)
        or actor.has("supervisor")
    )


@policy("donations.record_donation")
def can_record_donation(actor: Actor) -> bool:
    """Only the provider's event or an authenticated fetch makes a gift received (G5): the system, never a person."""
    return actor.is_system


@policy("donations.import_gifts")
def can_import_gifts(actor: Actor, fund: MicroFund) -> bool:
    """A project officer or cashier of the organization whose book it is; the command runs as the system."""
    organization = fund.organization_id
    return (
        actor.is_system
        or actor.has("project_officer", "organization", organization)
        or actor.has("cashier", "organization", organization)
    )


@policy("donations.assign_receipt_range")
def can_assign_receipt_range(actor: Actor, federation_id: int) -> bool:
    """A cashier of the federation, in whose name all receipts are issued."""
    return actor.is_system or actor.has("cashier", "organization", federation_id)


@policy("donations.issue_receipt")
def can_issue_receipt(actor: Actor, federation_id: int) -> bool:
    """A cashier of the federation, in whose name all receipts are issued: for offline gifts and goods (G10); and the
    handler of accepted goods."""
    return actor.is_system or actor.has("cashier", "organization", federation_id)


@policy("donations.read_receipts")
def can_read_receipts(actor: Actor, federation_id: int) -> bool:
    """The federation's cashiers and project officers, and the supervisor: also who may take receipts away."""
    return (
        actor.has("cashier", "organization", federation_id)
        or actor.has("project_officer", "organization", federation_id)
        or actor.has("supervisor")
    )


@policy("donations.ask_own_refund")
def can_ask_own_refund(actor: Actor) -> bool:
    """Whoever holds the gift's address, which is the permission (G2, G8): the public, whoever they may be signed in as.
    Staff ask in their own name, as the first of two people."""
    return actor.kind == "public"


@policy("donations.ask_refund")
def can_ask_refund(actor: Actor, gift: Gift) -> bool:
    """A project officer or cashier of the organization whose book it is (P9)."""
    organization = gift.fund.organization_id
    return actor.has("project_officer", "organization", organization) or actor.has(
        "cashier", "organization", organization
    )


@policy("donations.decide_refund")
def can_decide_refund(actor: Actor, refund: Refund) -> bool:
    """A manager of the organization who did not ask for it (G8, P9)."""
    return (
        actor.has("manager", "organization", refund.gift.fund.organization_id)
        and actor.person_id != refund.asked_by_id
    )


@policy("donations.withdraw_refund")
def can_withdraw_refund(actor: Actor, refund: Refund) -> bool:
    """The very person of the staff who asked. The donor's own request is withdrawn as it was made."""
    return can_ask_refund(actor, refund.gift) and actor.person_id == refund.asked_by_id


@policy("donations.pay_refund")
def can_pay_refund(actor: Actor, refund: Refund) -> bool:
    """A cashier of the organization who did not approve it; also who may read its bank details."""
    return (
        actor.has("cashier", "organization", refund.gift.fund.organization_id)
        and actor.person_id != refund.decided_by_id
    )


@policy("donations.ask_reserve_feed")
def can_ask_reserve_feed(actor: Actor, federation_id: int) -> bool:
    """A cashier or officer of the federation, whose own money it is (G9)."""
    return actor.has("cashier", "organization", federation_id) or actor.has(
        "project_officer", "organization", federation_id
    )


@policy("donations.approve_reserve_feed")
def can_approve_reserve_feed(actor: Actor, federation_id: int) -> bool:
    return actor.has("manager", "organization", federation_id)


@policy("donations.see_stopped_attempts")
def can_see_stopped_attempts(actor: Actor, organization_id: int) -> bool:
    """A cashier or manager of the organization whose funds were tried, or the supervisor."""
    return (
        actor.has("cashier", "organization", organization_id)
        or actor.has("manager", "organization", organization_id)
        or actor.has("supervisor")
    )
