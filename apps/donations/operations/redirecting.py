"""A donor whose money came late gives it another project (F5): the gift's own lots move, nobody else's."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.money import Money
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.donations import policies
from apps.donations.models import Gift, GiftRedirect
from apps.donations.operations.opening import NotRaising, PastTarget
from apps.donations.queries import refunds_of_gift, target_room
from apps.donations.states import GiftStatus
from apps.donations.unspent import publicly_unspent
from apps.funds.models import Project
from apps.funds.operations import lock_project
from apps.funds.queries import accepts_gifts, project_earmarks
from apps.ledger.operations import transfer
from apps.ledger.queries import refundable


class NotLate(Conflict):
    code = "not_late"
    message = _("只有到得晚、记入微基金的捐赠可以改给别的项目。")


class NothingLeft(Conflict):
    code = "nothing_left"
    message = _("这笔捐赠已经用完、退回或改捐过，没有可以改捐的部分了。")


class UsesUnderWay(Conflict):
    code = "uses_under_way"
    message = _(
        "这笔捐赠有一部分正用在还没有公示的事情上，现在还算不清能改捐多少。等它公示以后再来；也可以申请退款，由工作人员答复。"
    )


@transaction.atomic
def redirect_gift(*, actor: Actor, gift: Gift, project: Project, now: dt.datetime) -> GiftRedirect:
    """This will move the unspent part of a late gift from the micro-fund's general money to a project that raises (F5).

    Once a gift; safe to repeat for the same project. Only when the rest is the one its page shows: what moves is
    public, and would tell a payment before its release (C4).

    Raises NotLate, NothingLeft, UsesUnderWay, NotRaising, PastTarget.
    """
    authorize(policies.can_redirect_gift, actor)
    project = lock_project(project.pk)
    gift = Gift.objects.select_for_update(of=("self",)).get(pk=gift.pk)
    known = GiftRedirect.objects.filter(gift=gift).first()
    if known is not None:
        if known.project_id == project.pk:
            return known
        raise NothingLeft()
    if gift.status != GiftStatus.RECEIVED or not gift.late or gift.earmark_id is None:
        raise NotLate()
    if not accepts_gifts(project, now) or project.currency != gift.currency:
        raise NotRaising()
    amount = publicly_unspent(gift, refunds_of_gift(gift))
    if amount <= 0:
        raise NothingLeft()
    if refundable(gift.earmark_id, gift.pk) != amount:
        raise UsesUnderWay()
    room = target_room(project)
    if amount > room:
        raise PastTarget(Money(max(room, 0), project.currency))
    entry = transfer(
        actor=actor, source=gift.earmark_id, target=project_earmarks([project.pk])[project.pk], amount=amount,
        key=f"redirect:{gift.pk}", effective_at=now, origin=gift.pk,
    )  # fmt: skip
    made = GiftRedirect.objects.create(
        gift=gift, project=project, amount=amount, entry=entry, redirected_at=now
    )
    bump_epoch()
    return made
