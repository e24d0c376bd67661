"""What is not needed for now, and what is (W6)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import CITY, Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.inventory import policies
from apps.inventory.errors import UnknownUnit
from apps.inventory.models import DontSend, Need, Unit
from apps.inventory.operations.moving import check_quantity
from apps.inventory.states import Category
from apps.places.models import Town
from apps.publication.privacy import check_publishable

LONGEST = 366


@transaction.atomic
def ask_not_to_send(
    *, actor: Actor, town: Town | None, category: str, reason: str, until: dt.date, now: dt.datetime
) -> DontSend:
    """This will ask the public not to send a category for now, for a town or (None) the whole city, until a day.

    A second one for the same town and category takes the first one's place. Raises BadInput.
    """
    authorize(policies.can_state_wants, actor, town.pk if town else CITY)
    _check(category, until, now)
    if not reason.strip():
        raise BadInput(_("请写明原因，会公开。"), field="reason")
    check_publishable(reason, field="reason")
    DontSend.objects.select_for_update().filter(town=town, category=category, ended_at__isnull=True).update(
        ended_at=now
    )
    bump_epoch()
    return DontSend.objects.create(
        town=town, category=category, reason=reason.strip()[:120], until=until, set_by=actor.person_id, set_at=now
    )  # fmt: skip


@transaction.atomic
def state_need(
    *, actor: Actor, town: Town | None, category: str, item: str, quantity: Decimal, unit: str, until: dt.date,
    now: dt.datetime,
) -> Need:  # fmt: skip
    """This will say publicly what a town (or the city) still needs, until a day. Raises BadInput, BadQuantity."""
    authorize(policies.can_state_wants, actor, town.pk if town else CITY)
    _check(category, until, now)
    known = Unit.objects.filter(pk=unit).first()
    if known is None:
        raise UnknownUnit()
    check_quantity(quantity, known.places)
    if not item.strip():
        raise BadInput(_("请写物品名称。"), field="item")
    check_publishable(item, field="item")
    bump_epoch()
    return Need.objects.create(
        town=town, category=category, item=item.strip()[:80], quantity=quantity, unit=known, until=until,
        set_by=actor.person_id, set_at=now,
    )  # fmt: skip


@transaction.atomic
def end_want(*, actor: Actor, want: DontSend | Need, now: dt.datetime) -> None:
    """This will end a need or a request not to send before its day. Safe to repeat."""
    authorize(policies.can_state_wants, actor, want.town_id or CITY)
    type(want)._default_manager.filter(pk=want.pk, ended_at__isnull=True).update(ended_at=now)
    bump_epoch()


def _check(category: str, until: dt.date, now: dt.datetime) -> None:
    if category not in Category.values:
        raise BadInput(_("请选物品类别。"), field="category")
    today = civil_day(now)
    if not today <= until <= today + dt.timedelta(days=LONGEST):
        raise BadInput(_("截止日期要在今天到一年之内。"), field="until")
