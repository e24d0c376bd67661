"""Volunteers carry wishes and dispatches; hours are said by one person, confirmed by another, and certified (O5)."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict, PermissionRefused
from apps.core.ids import new_check_code
from apps.core.policies import authorize
from apps.core.transitions import move, note_status
from apps.inventory.models import Dispatch
from apps.places.models import Town
from apps.wishes import policies
from apps.wishes.models import Errand, ErrandStatusChange, HoursCertificate, Volunteer, Wish
from apps.wishes.models.errand import MOST_MINUTES
from apps.wishes.states import ERRAND_FORWARD, ErrandStatus, WishStatus


class VolunteerKnown(Conflict):
    code = "volunteer_known"
    message = _("这个手机号已经登记过志愿者。请在名单里找。")
    field = "phone"


class OwnHours(PermissionRefused):
    code = "own_hours"
    message = _("时长由一人登记、另一人确认，志愿者自己都不行。请同事来办。")


class NoHours(BadInput):
    code = "no_hours"
    message = _("这段时间里没有确认过的时长，不能开证明。")
    field = "first_on"


@dataclass(frozen=True, slots=True)
class VolunteerDraft:
    """Who carries: name and mobile phone, sealed; `named` is their own consent to be named in public."""

    name: str
    phone: str
    named: bool = False
    account: Person | None = None


@transaction.atomic
def register_volunteer(
    *, actor: Actor, draft: VolunteerDraft, town: Town | None = None, now: dt.datetime
) -> Volunteer:
    """This will register a volunteer, by account or by name and phone; one row a phone. Raises BadInput, OwnHours for
    oneself, VolunteerKnown."""
    authorize(policies.can_keep_volunteers, actor)
    name, digits = draft.name.strip(), "".join(c for c in draft.phone if c.isascii() and c.isdigit())
    if not name:
        raise BadInput(_("请填写姓名。"), field="name")
    if len(digits) != 11 or not digits.startswith("1"):
        raise BadInput(_("请填写11位手机号。"), field="phone")
    assert actor.person_id is not None
    if draft.account is not None and draft.account.pk == actor.person_id:
        raise OwnHours(_("不能登记自己。请同事来登记。"))
    made = Volunteer(
        person=draft.account, named=draft.named, town=town, registered_by_id=actor.person_id, registered_at=now,
        phone_index=crypto.blind_index("volunteer_phone", digits),
    )  # fmt: skip
    made.name = crypto.seal(name[:40], made.place("name"))
    made.phone = crypto.seal(digits, made.place("phone"))
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        raise VolunteerKnown() from error
    return made


@transaction.atomic
def change_naming(*, actor: Actor, volunteer: Volunteer, named: bool) -> Volunteer:
    """This will note that a volunteer agrees to be named in public, or no longer does; it counts at once."""
    authorize(policies.can_keep_volunteers, actor)
    volunteer = Volunteer.objects.select_for_update(of=("self",)).get(pk=volunteer.pk)
    volunteer.named = named
    volunteer.save(update_fields=["named"])
    return volunteer


@transaction.atomic
def plan_errand(
    *, actor: Actor, volunteer: Volunteer, on: dt.date, wish: Wish | None = None, dispatch: Dispatch | None = None,
    now: dt.datetime,
) -> Errand:  # fmt: skip
    """This will ask a volunteer to carry a wish's goods, or a dispatch, on a civil day. Raises BadInput."""
    if (wish is None) == (dispatch is None):
        raise BadInput(_("请选一个心愿或一张出库单。"), field="what")
    made = Errand(
        volunteer=volunteer, person_id=volunteer.person_id, wish=wish, dispatch=dispatch, on=on, planned_at=now,
        town_id=wish.town_id if wish else None, warehouse_id=dispatch.warehouse_id if dispatch else None,
    )  # fmt: skip
    authorize(policies.can_run_errand, actor, made)
    if volunteer.left_at is not None:
        raise BadInput(_("这位志愿者已退出。"), field="volunteer")
    if wish is not None and wish.status not in (
        WishStatus.OPEN, WishStatus.CLAIMED, WishStatus.IN_PROGRESS, WishStatus.DELIVERED, WishStatus.FULFILLED,
    ):  # fmt: skip
        raise BadInput(_("这个心愿还没有要送的东西。"), field="what")
    assert actor.person_id is not None
    made.planned_by_id, made.number = actor.person_id, f"V-{civil_day(now):%y%m}-{secrets.token_hex(3)}"
    made.save()
    note_status(made, "", history=ErrandStatusChange, actor=actor, now=now)
    return made


@transaction.atomic
def record_hours(*, actor: Actor, errand: Errand, minutes: int, on: dt.date, now: dt.datetime) -> Errand:
    """This will note how long an errand took, in minutes, and on which civil day. Raises OwnHours, BadInput,
    WrongState."""
    errand = _locked(errand)
    authorize(policies.can_run_errand, actor, errand)
    _not_oneself(actor, errand)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= MOST_MINUTES:
        raise BadInput(_("时长要在1分钟到12小时之间。"), field="hours")
    if on > civil_day(now):
        raise BadInput(_("日期不能在今天之后。"), field="on")
    move(errand, ErrandStatus.RECORDED, forward=ERRAND_FORWARD, history=ErrandStatusChange, actor=actor, now=now,
         minutes=minutes, on=on, recorded_by_id=actor.person_id, recorded_at=now)  # fmt: skip
    return errand


@transaction.atomic
def confirm_hours(*, actor: Actor, errand: Errand, now: dt.datetime) -> Errand:
    """This will confirm recorded hours; they never change again. Raises OwnHours, WrongState."""
    errand = _locked(errand)
    _not_oneself(actor, errand)
    if actor.person_id is not None and actor.person_id == errand.recorded_by_id:
        raise OwnHours()
    authorize(policies.can_confirm_hours, actor, errand)
    move(errand, ErrandStatus.CONFIRMED, forward=ERRAND_FORWARD, history=ErrandStatusChange, actor=actor, now=now,
         confirmed_by_id=actor.person_id, confirmed_at=now)  # fmt: skip
    return errand


@transaction.atomic
def give_hours_back(*, actor: Actor, errand: Errand, reason: str, now: dt.datetime) -> Errand:
    """This will give recorded hours back to be stated anew. Raises BadInput without a reason, WrongState."""
    errand = _locked(errand)
    authorize(policies.can_confirm_hours, actor, errand)
    if not reason.strip():
        raise BadInput(_("请写明原因，会留在记录里。"), field="reason")
    move(errand, ErrandStatus.PLANNED, forward=ERRAND_FORWARD, history=ErrandStatusChange, actor=actor, now=now,
         reason=reason.strip()[:200], minutes=None, recorded_by_id=None, recorded_at=None)  # fmt: skip
    return errand


@transaction.atomic
def cancel_errand(*, actor: Actor, errand: Errand, reason: str, now: dt.datetime) -> Errand:
    """This will cancel an errand that wasn't carried out. Raises BadInput without a reason, WrongState."""
    errand = _locked(errand)
    authorize(policies.can_run_errand, actor, errand)
    if not reason.strip():
        raise BadInput(_("请写明原因，会留在记录里。"), field="reason")
    move(errand, ErrandStatus.CANCELLED, forward=ERRAND_FORWARD, history=ErrandStatusChange, actor=actor, now=now,
         reason=reason.strip()[:200])  # fmt: skip
    Errand.objects.filter(pk=errand.pk).update(reason=reason.strip()[:200])
    return errand


@transaction.atomic
def issue_hours_certificate(
    *, actor: Actor, volunteer: Volunteer, first_on: dt.date, last_on: dt.date, now: dt.datetime
) -> HoursCertificate:
    """This will certify a volunteer's confirmed hours of a period of civil days, free of charge, as they stand now
    (志愿服务记录证明). Raises NoHours, OwnHours."""
    authorize(policies.can_keep_volunteers, actor)
    if actor.person_id == volunteer.person_id:
        raise OwnHours(_("不能给自己开证明。请同事来开。"))
    if last_on < first_on:
        raise BadInput(_("结束日期要在开始日期之后。"), field="last_on")
    rows = Errand.objects.filter(
        volunteer=volunteer, status=ErrandStatus.CONFIRMED, on__range=(first_on, last_on)
    )
    found = rows.aggregate(minutes=Sum("minutes"), n=Count("pk"))
    if not found["n"]:
        raise NoHours()
    assert actor.person_id is not None
    return HoursCertificate.objects.create(
        number=f"ZY{civil_day(now):%Y%m}{secrets.randbelow(10**8):08d}", check_code=new_check_code(),
        volunteer=volunteer, first_on=first_on, last_on=last_on, minutes=found["minutes"], errands=found["n"],
        issued_by_id=actor.person_id, issued_at=now,
    )  # fmt: skip


def _locked(errand: Errand) -> Errand:
    return Errand.objects.select_for_update(of=("self",)).get(pk=errand.pk)


def _not_oneself(actor: Actor, errand: Errand) -> None:
    if actor.person_id is not None and actor.person_id == errand.person_id:
        raise OwnHours()
