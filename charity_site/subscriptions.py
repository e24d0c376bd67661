"""Every event and its handlers, on one screen. Events go upwards; whoever publishes knows nobody here."""

from __future__ import annotations

from apps.core.events import on_publish, register
from apps.core.tasks import ring
from apps.disbursements.events import DisbursementPaid
from apps.disclosures import handlers as disclosures
from apps.disclosures.events import ReportSubmitted
from apps.donations import handlers as donations
from apps.donations.events import GiftListRecorded, GiftReceived
from apps.funds.events import ProjectStatusChanged
from apps.notifications import handlers as notifications
from apps.payments.events import FactRecorded, PaymentEnded


def subscribe() -> None:
    """This will connect events with handlers; called once when the site is ready."""
    on_publish(ring)
    register(FactRecorded, donations.settle_gifts, donations.settle_fee)
    register(PaymentEnded, donations.free_unpaid)
    register(
        GiftReceived,
        donations.write_receipts,
        donations.close_full_campaign,
        notifications.mail_gift_received,
    )
    register(GiftListRecorded, donations.close_full_campaign_of_list)
    register(DisbursementPaid, disclosures.begin_on_payment)
    register(ProjectStatusChanged, disclosures.begin_on_executing)
    register(ReportSubmitted, disclosures.draw_on_submission)
