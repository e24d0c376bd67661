from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict
from apps.core.money import Money
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.disbursements import policies
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import Transfer
from apps.funds.models import MicroFund
from apps.funds.queries import fund_earmarks
from apps.ledger.operations import transfer
from apps.publication.privacy import check_publishable


class TransferDone(Conflict):
    code = "transfer_done"
    message = _("这笔调拨已经批准过。")


@transaction.atomic
def ask_transfer(
    *, actor: Actor, fund: MicroFund, source: int, target: int, money: Money, reason: str, now: dt.datetime
) -> Transfer:
    """This will ask to move money between two earmarks of a micro-fund, with a public reason (P9)."""
    authorize(policies.can_ask_transfer, actor, fund)
    known = fund_earmarks(fund.pk)
    if source not in known or target not in known or source == target or money.minor <= 0:
        raise BadInput(_("请选择同一个微基金下的两笔不同资金，并填写大于零的金额。"), field="target")
    if not reason.strip():
        raise BadInput(_("请写明调拨理由，会公开。"), field="reason")
    check_publishable(reason, field="reason")
    assert actor.person_id is not None
    return Transfer.objects.create(
        fund=fund, source_id=source, target_id=target, amount=money.minor, reason=reason.strip()[:200],
        asked_by_id=actor.person_id, asked_at=now,
    )  # fmt: skip


@transaction.atomic
def approve_transfer(*, actor: Actor, asked: Transfer, now: dt.datetime) -> Transfer:
    """This will approve and book a transfer by a second person. Raises FourEyes, TransferDone, NotEnoughMoney."""
    asked = Transfer.objects.select_for_update(of=("self",)).select_related("fund").get(pk=asked.pk)
    authorize(policies.can_approve_transfer, actor, asked.fund)
    if asked.approved_at:
        raise TransferDone()
    if actor.person_id == asked.asked_by_id:
        raise FourEyes(_("调拨的申请人和批准人必须是两个人。请让另一位负责人批准。"))
    transfer(actor=actor, source=asked.source_id, target=asked.target_id, amount=asked.amount,
             key=f"transfer:{asked.pk}", effective_at=now)  # fmt: skip
    asked.approved_by_id, asked.approved_at = actor.person_id, now
    asked.save(update_fields=["approved_by", "approved_at"])
    bump_epoch()
    return asked
