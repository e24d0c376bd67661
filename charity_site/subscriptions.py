"""Every event and its handlers, on one screen. Events go upwards; whoever publishes knows nobody here."""

from __future__ import annotations

from apps.core.events import on_publish, register
from apps.core.tasks import ring
from apps.disbursements.events import DisbursementPaid
from apps.disclosures import handlers as disclosures
from apps.disclosures.events import ReportSubmitted
from apps.donations import handlers as donations
from apps.donations.events import (
    GiftListRecorded,
    GiftReceived,
    LinkAsked,
    MonthlyGiftChanged,
    RefundDecided,
    RefundFailed,
    RefundPaid,
    RefundRequested,
    TeamOpened,
)
from apps.funds.events import ProjectStatusChanged
from apps.inventory.events import GoodsAccepted, GoodsHandedOver, GoodsSent
from apps.notifications import handlers as notifications
from apps.notifications import wishes as wish_mails
from apps.payments.events import (
    ChargeFailed,
    DisputeChanged,
    FeeCharged,
    MoneyReturned,
    PaymentEnded,
    PaymentRefundFailed,
    PaymentSettled,
    SubscriptionCharged,
    SubscriptionFollowed,
)
from apps.wishes import handlers as wishes
from apps.wishes.events import ClaimConfirmed, ClaimEnded, ThanksPublished
from charity_site.in_kind import issue_receipts_of_goods


def subscribe() -> None:
    """This will connect events with handlers; called once when the site is ready."""
    on_publish(ring)
    register(PaymentSettled, donations.settle_gifts)
    register(FeeCharged, donations.settle_fee)
    register(SubscriptionCharged, donations.settle_month)
    register(SubscriptionFollowed, donations.follow_subscription)
    register(ChargeFailed, notifications.mail_charge_failed)
    register(MonthlyGiftChanged, notifications.mail_monthly_changed)
    register(MoneyReturned, donations.settle_returned)
    register(PaymentRefundFailed, donations.free_failed_refund)
    register(DisputeChanged, donations.answer_dispute_in_red)
    register(RefundRequested, notifications.mail_refund_requested)
    register(RefundDecided, notifications.mail_refund_decided)
    register(RefundPaid, donations.answer_refund_in_red, wishes.free_refunded, notifications.mail_refund_paid)
    register(RefundFailed, donations.answer_refund_in_red, notifications.mail_refund_failed)
    register(PaymentEnded, donations.free_unpaid, wishes.free_unpaid)
    register(
        GiftReceived,
        donations.write_receipts,
        donations.close_full_campaign,
        wishes.secure_claims,
        notifications.mail_gift_received,
    )
    register(LinkAsked, notifications.mail_lost_link)
    register(TeamOpened, notifications.mail_team_opened)
    register(GiftListRecorded, donations.close_full_campaign_of_list)
    register(DisbursementPaid, disclosures.begin_on_payment)
    register(ProjectStatusChanged, disclosures.begin_on_executing)
    register(ReportSubmitted, disclosures.draw_on_submission)
    register(GoodsAccepted, issue_receipts_of_goods)
    register(GoodsSent)
    register(GoodsHandedOver)
    register(ClaimEnded, wish_mails.mail_claim_ended)
    register(ClaimConfirmed, wish_mails.mail_claim_confirmed)
    register(ThanksPublished, wish_mails.mail_thanks)
