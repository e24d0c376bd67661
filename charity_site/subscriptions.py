"""Every event and its handlers, on one screen. Events go upwards; whoever publishes knows nobody here."""

from __future__ import annotations

from django.conf import settings

from apps.casework.events import BankDetailsChanged, ConsentWithdrawn, HouseholdErased
from apps.core.events import on_publish, register
from apps.core.tasks import ring
from apps.disbursements import handlers as disbursements
from apps.disbursements.events import ConfirmationCodeAsked, DisbursementPaid, DisbursementReturned
from apps.disclosures import handlers as disclosures
from apps.disclosures.events import (
    AuditorDrawn,
    DutyExtended,
    DutyOverdue,
    DutyReminded,
    OpinionGiven,
    ReportReturned,
    ReportSubmitted,
)
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
from apps.notifications import families, reminders
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
from apps.publication import handlers as publication
from apps.publication.events import RowsChanged
from apps.tracing import handlers as tracing
from apps.wishes import handlers as wishes
from apps.wishes.events import ClaimConfirmed, ClaimEnded, ThanksPublished, WishCodeAsked
from charity_site.in_kind import issue_receipts_of_goods
from cms import handlers as cms
from search import handlers as search
from search.events import ExportFinished


def subscribe() -> None:
    """This will connect events with handlers; called once when the site is ready."""
    on_publish(ring)
    register(ConsentWithdrawn, cms.take_down_stories, wishes.take_down_wishes)
    register(BankDetailsChanged, disbursements.reopen_for_new_account)
    register(HouseholdErased)
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
        tracing.mark_donors,
    )
    register(LinkAsked, notifications.mail_lost_link)
    register(TeamOpened, notifications.mail_team_opened)
    register(GiftListRecorded, donations.close_full_campaign_of_list)
    register(DisbursementPaid, disclosures.open_on_payment, families.ask_code_when_paid)
    register(DisbursementReturned, disbursements.reopen_returned)
    register(ConfirmationCodeAsked, families.send_code)
    register(ProjectStatusChanged, disclosures.open_on_status, publication.tell_rest_of_completed)
    register(ReportSubmitted, disclosures.draw_on_submission)
    register(DutyReminded, reminders.tell_of_near_duty)
    register(DutyOverdue, reminders.tell_of_late_duty)
    register(DutyExtended, reminders.tell_of_extension)
    register(ReportReturned, reminders.tell_of_return)
    register(AuditorDrawn, reminders.tell_of_draw)
    register(OpinionGiven, reminders.tell_of_opinion)
    register(GoodsAccepted, issue_receipts_of_goods)
    register(GoodsSent)
    register(GoodsHandedOver)
    if settings.ELASTICSEARCH_URL:
        register(RowsChanged, search.note_rows)
    register(ExportFinished, search.mail_export)
    register(ClaimEnded, wish_mails.mail_claim_ended)
    register(ClaimConfirmed, wish_mails.mail_claim_confirmed)
    register(ThanksPublished, wish_mails.mail_thanks)
    register(WishCodeAsked, families.send_wish_code)
