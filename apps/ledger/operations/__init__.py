"""Writes of the ledger, by verb. The rooms above authorize; the ledger keeps the sums.

The one rule of concurrency (READ COMMITTED, docs/accounting.md): recording a credit only inserts; everything that
spends, holds, refunds or moves first locks its earmarks' balances in id order, then folds, then spends from folded lots
by `seq`.
"""

from apps.ledger.operations.books import open_book, open_earmark
from apps.ledger.operations.credits import Credit, post_credit, post_credits
from apps.ledger.operations.entries import known_entry
from apps.ledger.operations.folding import fold_quiet_earmarks
from apps.ledger.operations.goods import GoodsPosting, open_goods_earmark, post_goods
from apps.ledger.operations.own_lot import post_dispute, post_fee, post_foreign_refund
from apps.ledger.operations.payouts import post_payout
from apps.ledger.operations.refunds import hold_refund, release_refund, settle_refund
from apps.ledger.operations.reversals import give_back_part, reverse_entry
from apps.ledger.operations.spending import (
    Payment,
    pay_reservation,
    pay_reservations,
    reserve,
    return_payment,
    void_reservation,
)
from apps.ledger.operations.transfers import transfer

__all__ = [
    "Credit",
    "GoodsPosting",
    "Payment",
    "fold_quiet_earmarks",
    "give_back_part",
    "hold_refund",
    "known_entry",
    "open_book",
    "open_earmark",
    "open_goods_earmark",
    "pay_reservation",
    "pay_reservations",
    "post_credit",
    "post_credits",
    "post_dispute",
    "post_fee",
    "post_foreign_refund",
    "post_goods",
    "post_payout",
    "release_refund",
    "reserve",
    "return_payment",
    "reverse_entry",
    "settle_refund",
    "transfer",
    "void_reservation",
]
