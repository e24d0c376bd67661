"""What can be done to wishes, claims and purchases; everything else only reads."""

from apps.wishes.operations.buying import (
    OrderDraft,
    QuoteDraft,
    apply_for_purchase,
    cancel_purchase,
    order_purchase,
    swap_claim,
)
from apps.wishes.operations.claiming import (
    Promise,
    basket_total,
    claim_by_money,
    claim_with_gift,
    promise_goods,
)
from apps.wishes.operations.confirming import (
    CodeMessage,
    ask_wish_code,
    confirm_at_desk,
    confirm_by_code,
    confirm_by_slip,
    issue_wish_code,
    publish_thanks,
    write_thanks,
)
from apps.wishes.operations.delivering import accept_pledge, accept_purchase, hand_over, note_sent
from apps.wishes.operations.drafting import (
    WishDraft,
    add_photo,
    draft_wish,
    remove_photo,
    rewrite_wish,
    submit_wish,
)
from apps.wishes.operations.freeing import (
    cancel_claims,
    free_overdue,
    free_refunded,
    free_unpaid,
    secure_claims,
)
from apps.wishes.operations.reviewing import (
    approve_in_city,
    approve_in_town,
    expire_wishes,
    reject_wish,
    reopen_draft,
    withdraw_wish,
)
from apps.wishes.operations.running import add_template, choose_shop_project, retire_template

__all__ = [
    "CodeMessage",
    "OrderDraft",
    "Promise",
    "QuoteDraft",
    "WishDraft",
    "accept_pledge",
    "accept_purchase",
    "add_photo",
    "add_template",
    "apply_for_purchase",
    "approve_in_city",
    "approve_in_town",
    "ask_wish_code",
    "basket_total",
    "cancel_claims",
    "cancel_purchase",
    "choose_shop_project",
    "claim_by_money",
    "claim_with_gift",
    "confirm_at_desk",
    "confirm_by_code",
    "confirm_by_slip",
    "draft_wish",
    "expire_wishes",
    "free_overdue",
    "free_refunded",
    "free_unpaid",
    "hand_over",
    "issue_wish_code",
    "note_sent",
    "order_purchase",
    "promise_goods",
    "publish_thanks",
    "reject_wish",
    "remove_photo",
    "reopen_draft",
    "retire_template",
    "rewrite_wish",
    "secure_claims",
    "submit_wish",
    "swap_claim",
    "withdraw_wish",
    "write_thanks",
]
