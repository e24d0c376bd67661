from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import policy
from apps.funds.models import MicroFund


@policy("donations.open_gift")
def can_open_gift(actor: Actor) -> bool:
    """Anybody may give (G2)."""
    return True


@policy("donations.redirect_gift")
def can_redirect_gift(actor: Actor) -> bool:
    """Whoever holds the gift's token is its donor (G2); the operation looks at the gift itself."""
    return True


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
