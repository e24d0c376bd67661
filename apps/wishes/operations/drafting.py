"""A caseworker writes a wish down (W1): every text passes the privacy check, with the family's own values beside it."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Consent, Household, PrivateField, Purpose
from apps.casework.operations import hold_consent, open_file
from apps.casework.queries import has_consent
from apps.core.actors import Actor
from apps.core.errors import BadInput, WrongState
from apps.core.images import remake_picture
from apps.core.policies import authorize
from apps.core.transitions import move, note_status
from apps.publication.privacy import check_publishable
from apps.wishes import policies
from apps.wishes.errors import BadUnits, ConsentMissing
from apps.wishes.models import MOST_CAP, MOST_UNITS, Unit, Wish, WishPhoto, WishStatusChange
from apps.wishes.operations.settling import lock_wish, write_words
from apps.wishes.states import BELOW_14, FORWARD, AgeBand, Category, ConsentBy, Urgency, WishStatus

SIDE = 1000
"""Pixels of a wish's photo on its longer side."""
PRIVATE = (PrivateField.NAME, PrivateField.ID_NUMBER, PrivateField.PHONE, PrivateField.ADDRESS)
SPOKEN = ("title", "title_en", "item", "spec", "why", "alias")


class CapTooHigh(BadInput):
    code = "cap_too_high"
    message = _("心愿最高5000元，物品和配送合计。再贵的请走救助申请。")
    field = "item_price"


class NoFace(BadInput):
    code = "no_face"
    message = _("请确认照片里没有脸、校服、门牌和姓名。没确认的照片不能用。")
    field = "no_face"


class NoPhotoConsent(ConsentMissing):
    message = _("家庭没有同意公布照片。请先在家庭档案里登记“公布心愿的照片”的同意，再在心愿里勾选。")
    field = "photo"


@dataclass(frozen=True, slots=True)
class WishDraft:
    """What a caseworker typed; prices in fen for one piece."""

    category: str
    title: str
    item: str
    spec: str
    item_price: int
    age_band: str
    alias: str
    delivery_price: int = 0
    quantity: int = 1
    why: str = ""
    title_en: str = ""
    urgency: int = Urgency.USUAL
    consent_by: str = ConsentBy.SELF
    photo_consent: bool = False


@transaction.atomic
def draft_wish(
    *, actor: Actor, household: Household, draft: WishDraft, consented: bool, now: dt.datetime
) -> Wish:
    """This will write a wish down for a family of the caseworker's town (W1). Nothing is public yet.

    Raises ConsentMissing, BadUnits, CapTooHigh, BadInput, NotPublishable.
    """
    authorize(policies.can_draft_wish, actor, household.town_id)
    if not consented:
        raise ConsentMissing()
    assert actor.person_id is not None
    _check(actor, household, draft, now)
    wish = Wish(
        household=household, town_id=household.town_id, caseworker_id=actor.person_id, drafted_at=now,
        consented_at=now, **_fields(draft),
    )  # fmt: skip
    wish.save()
    Unit.objects.bulk_create(Unit(wish=wish, n=n) for n in range(1, wish.quantity + 1))
    note_status(wish, "", history=WishStatusChange, actor=actor, now=now)
    return wish


@transaction.atomic
def rewrite_wish(*, actor: Actor, wish: Wish, draft: WishDraft, now: dt.datetime) -> Wish:
    """This will change a draft's text. Raises WrongState once it is under review, and as `draft_wish` does."""
    wish = lock_wish(wish.pk)
    authorize(policies.can_change_wish, actor, wish)
    if wish.status == WishStatus.REJECTED:
        move(wish, WishStatus.DRAFT, forward=FORWARD, history=WishStatusChange, actor=actor, now=now)
    if wish.status != WishStatus.DRAFT:
        raise WrongState()
    _check(actor, wish.household, draft, now)
    for name, value in _fields(draft).items():
        setattr(wish, name, value)
    wish.caseworker_id = actor.person_id or wish.caseworker_id
    wish.save(update_fields=[*_fields(draft), "caseworker"])
    known = wish.units.count()
    wish.units.filter(n__gt=wish.quantity).delete()
    Unit.objects.bulk_create(Unit(wish=wish, n=n) for n in range(known + 1, wish.quantity + 1))
    return wish


@transaction.atomic
def add_photo(*, actor: Actor, wish: Wish, content: bytes, no_face: bool, now: dt.datetime) -> WishPhoto:
    """This will keep a draft's photo, made anew from its pixels: EXIF and place are gone. The caseworker says that no
    face is on it; reviewers look again. Raises BadImage, NoFace, WrongState, ConsentMissing."""
    wish = lock_wish(wish.pk)
    authorize(policies.can_change_wish, actor, wish)
    _needs_draft(wish)
    # Only looked at here; submission holds it.
    if not wish.photo_consent or not has_consent(wish.household, Purpose.WISH_PHOTO):
        raise NoPhotoConsent()
    if not no_face:
        raise NoFace()
    picture = remake_picture(content, longest_side=SIDE)
    assert actor.person_id is not None
    WishPhoto.objects.filter(wish=wish).delete()
    return WishPhoto.objects.create(
        wish=wish, content=picture.content, width=picture.width, height=picture.height,
        sha256=hashlib.sha256(picture.content).hexdigest(), no_face_said_by_id=actor.person_id, added_at=now,
    )  # fmt: skip


@transaction.atomic
def remove_photo(*, actor: Actor, wish: Wish, now: dt.datetime) -> None:
    """This will take a draft's photo away. Safe to repeat."""
    wish = lock_wish(wish.pk)
    authorize(policies.can_change_wish, actor, wish)
    _needs_draft(wish)
    WishPhoto.objects.filter(wish=wish).delete()


@transaction.atomic
def submit_wish(*, actor: Actor, wish: Wish, consent: str = "", now: dt.datetime) -> Wish:
    """This will hand a draft to the town's reviewers; its text is frozen from here on. It stands on the family's
    consent to a wish, and to its photo, in the family's file; `consent` is the code of one of several.

    Raises ConsentMissing, NotOneConsent, WrongState.
    """
    authorize(policies.can_change_wish, actor, wish)
    # The file is locked before the wish: a withdrawal at the same time comes before or after, never between.
    agreed = _hold_consent(wish, consent)
    wish = lock_wish(wish.pk)
    photo = WishPhoto.objects.filter(wish=wish).exists()
    for_photo = hold_photo_consent(wish, agreed) if photo else None
    move(wish, WishStatus.TOWN_REVIEW, forward=FORWARD, history=WishStatusChange, actor=actor, now=now,
         submitted_at=now, town_reviewer_id=None, town_reviewed_at=None, city_reviewer_id=None, hidden_at=None,
         consent_id=agreed.pk, consented_at=agreed.given_at,
         consent_for_photo_id=for_photo.pk if for_photo else None)  # fmt: skip
    WishPhoto.objects.filter(wish=wish).update(looked_at_by=None)
    write_words(wish)
    return wish


def hold_photo_consent(wish: Wish, about: Consent) -> Consent:
    """This will give the family's standing consent to photos of a wish, its file locked, about the same person as the
    consent to the wish itself. Raises NoPhotoConsent, also where the wish's own box isn't ticked."""
    found: Consent | None = None
    if wish.photo_consent:
        found = hold_consent(
            household=wish.household, purpose=Purpose.WISH_PHOTO, member_id=about.member_id,
            by_guardian=wish.consent_by == ConsentBy.GUARDIAN,
        )  # fmt: skip
    if found is None:
        raise NoPhotoConsent()
    return found


def _hold_consent(wish: Wish, code: str) -> Consent:
    found = hold_consent(
        household=wish.household, purpose=Purpose.WISH, code=code.strip()[:16],
        by_guardian=wish.consent_by == ConsentBy.GUARDIAN,
    )  # fmt: skip
    if found is None:
        raise ConsentMissing()
    return found


def _needs_draft(wish: Wish) -> None:
    if wish.status not in (WishStatus.DRAFT, WishStatus.REJECTED):
        raise WrongState()


def _fields(draft: WishDraft) -> dict[str, object]:
    return {
        "category": draft.category, "title": draft.title.strip(), "title_en": draft.title_en.strip(),
        "item": draft.item.strip(), "spec": draft.spec.strip(), "why": draft.why.strip(), "quantity": draft.quantity,
        "item_price": draft.item_price, "delivery_price": draft.delivery_price,
        "cap": draft.item_price + draft.delivery_price, "age_band": draft.age_band, "alias": draft.alias.strip(),
        "urgency": draft.urgency, "consent_by": draft.consent_by, "photo_consent": draft.photo_consent,
    }  # fmt: skip


def _check(actor: Actor, household: Household, draft: WishDraft, now: dt.datetime) -> None:
    if household.erased_at is not None:
        raise BadInput(_("这个家庭的档案已按规定删除，不能再发心愿。"), field="household")
    if not isinstance(draft.quantity, int) or isinstance(draft.quantity, bool) or draft.quantity < 1:
        raise BadUnits()
    if draft.quantity > MOST_UNITS:
        raise BadUnits(_("一个心愿最多200件。再多请走项目采购。"))
    for field, value in (("item_price", draft.item_price), ("delivery_price", draft.delivery_price)):
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or value < (1 if field == "item_price" else 0)
        ):
            raise BadInput(_("价格要大于零；配送可以是零。"), field=field)
    if draft.item_price + draft.delivery_price > MOST_CAP:
        raise CapTooHigh()
    choices = (("category", Category), ("age_band", AgeBand), ("urgency", Urgency), ("consent_by", ConsentBy))
    for field, allowed in choices:
        if getattr(draft, field) not in allowed.values:  # type: ignore[attr-defined]
            raise BadInput(_("请选择一项。"), field=field)
    for field in ("title", "item", "spec", "alias"):
        if not getattr(draft, field).strip():
            raise BadInput(_("这一项必须填写。"), field=field)
    if draft.age_band in BELOW_14 and draft.consent_by != ConsentBy.GUARDIAN:
        raise ConsentMissing(field="consent_by")
    reason = str(_("核对心愿文字里没有家庭的私人信息"))
    opened = open_file(actor=actor, household=household, fields=PRIVATE, reason=reason, now=now)
    private, towns = list(opened.values()), [household.town_id]
    for field in SPOKEN:
        check_publishable(getattr(draft, field), private, field=field, town_ids=towns)
    # What shows only when the lines are read together.
    check_publishable(
        "\n".join(getattr(draft, field) for field in SPOKEN), private, field="why", town_ids=towns
    )
