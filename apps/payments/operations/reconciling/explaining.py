from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict
from apps.core.policies import authorize
from apps.ledger.models import Book
from apps.payments import policies
from apps.payments.models import Difference, Explanation, Match
from apps.payments.states import DifferenceKind, MatchedBy

MOST = 500


class ReasonWanted(BadInput):
    code = "reason_wanted"
    field = "reason"
    message = _("请写明原因（至少4个字），会记入历史，不能修改。")


class DifferenceGone(Conflict):
    code = "difference_gone"
    message = _("选中的差异里有的已经对上了。请刷新后再选。")


class NotAPair(BadInput):
    code = "not_a_pair"
    message = _(
        "请选一条“对方有”和一条“我们有”，同一边（都是银行或都是支付机构）、同一币种、同是收或同是付。"
    )


@transaction.atomic
def explain_differences(
    *, actor: Actor, book: Book, keys: Sequence[str], reason: str, now: dt.datetime
) -> list[Explanation]:
    """This will add a cashier's reason to differences; they stay what they are. A second reason may be added later.

    Raises ReasonWanted, DifferenceGone.
    """
    authorize(policies.can_reconcile, actor, book.owner or 0)
    if len(reason.strip()) < 4:
        raise ReasonWanted()
    assert actor.person_id is not None
    Book.objects.select_for_update(no_key=True).get(pk=book.pk)
    found = list(Difference.objects.filter(book=book, key__in=keys[:MOST]))
    if not found or len(found) != len(set(keys)):
        raise DifferenceGone()
    return Explanation.objects.bulk_create(
        Explanation(
            match_id=each.match_id,
            bank_line_id=None if each.match_id else each.bank_line_id,
            balance_line_id=None if each.match_id else each.balance_line_id,
            line_id=None if each.match_id else each.line_id,
            reason=reason.strip()[:300], explained_by=actor.person_id, explained_by_label=actor.label[:80],
            explained_at=now,
        )
        for each in found
    )  # fmt: skip


@transaction.atomic
def pair_differences(*, actor: Actor, book: Book, keys: Sequence[str], now: dt.datetime) -> Match:
    """This will pair one line of theirs with one of ours that no rule found: other amount, or a day far away. Another
    amount stays a difference and wants its reason. Raises NotAPair, DifferenceGone."""
    authorize(policies.can_reconcile, actor, book.owner or 0)
    Book.objects.select_for_update(no_key=True).get(pk=book.pk)
    found = {each.kind: each for each in Difference.objects.filter(book=book, key__in=keys)}
    theirs, ours = found.get(DifferenceKind.THEIRS), found.get(DifferenceKind.OURS)
    if len(set(keys)) != 2 or theirs is None or ours is None or theirs.side != ours.side:
        raise NotAPair()
    assert theirs.theirs is not None and ours.ours is not None and ours.line_id is not None
    if theirs.currency != ours.currency or (theirs.theirs > 0) != (ours.ours > 0):
        raise NotAPair()
    return Match.objects.create(
        bank_line_id=theirs.bank_line_id, balance_line_id=theirs.balance_line_id, line_id=ours.line_id,
        theirs=theirs.theirs, ours=ours.ours, how=MatchedBy.HAND, made_by=actor.person_id,
    )  # fmt: skip
