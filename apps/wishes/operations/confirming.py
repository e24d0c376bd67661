"""The family says that its wish was met (W5): by a one-time code of its own, or on a slip it signed."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework.operations import open_file
from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict, NotFound
from apps.core.events import publish
from apps.core.images import remake_picture
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.disbursements.operations.codes import (
    CodeMessage,
    CodeOver,
    end_codes,
    refuse_wrong,
    try_code,
    write_code,
)
from apps.publication.privacy import check_publishable
from apps.wishes import policies
from apps.wishes.errors import (
    ConsentMissing,
    NothingToConfirm,
    PhotoNotLookedAt,
    TwoReviewers,
)
from apps.wishes.events import ClaimConfirmed, ThanksPublished, WishCodeAsked
from apps.wishes.models import Claim, Confirmation, Thanks, Wish, WishCode
from apps.wishes.operations.drafting import PRIVATE, SIDE, NoFace, NoPhotoConsent, hold_photo_consent
from apps.wishes.operations.freeing import lock_claims
from apps.wishes.operations.settling import lock_wish, move_claim, settle_wishes
from apps.wishes.states import ClaimStatus, ConfirmedHow, WishStatus

CODE = "wish_code"
"""What the hashes of these codes are keyed for."""


@transaction.atomic
def ask_wish_code(*, actor: Actor, wish: Wish, now: dt.datetime) -> WishCode:
    """This will ask for a one-time code for the family's phone; earlier ones end. The event names no number.

    Raises NothingToConfirm before anything was handed over, TooManyCodes beyond three a day.
    """
    wish = lock_wish(wish.pk)
    authorize(policies.can_send_code, actor, wish)
    if not Claim.objects.filter(wish=wish, status=ClaimStatus.HANDED).exists():
        raise NothingToConfirm()
    until = end_codes(WishCode.objects.filter(wish=wish), now)
    made = WishCode.objects.create(wish=wish, asked_at=now, expires_at=until)
    publish(WishCodeAsked(code_id=made.pk))
    return made


@transaction.atomic
def issue_wish_code(*, actor: Actor, code_id: int, now: dt.datetime) -> CodeMessage | None:
    """This will make the six digits of an asked code, keep their keyed hash, and give what is to be sent; None when it
    was used, is over, or nothing waits for the family's word any more. Reading the phone leaves its row in the
    family's file (C2).
    """
    code = WishCode.objects.select_for_update(of=("self",)).select_related("wish__household").get(pk=code_id)
    authorize(policies.can_send_code, actor, code.wish)
    waits = Claim.objects.filter(wish=code.wish, status=ClaimStatus.HANDED).exists()
    if not waits or code.used_at is not None or code.expires_at <= now:
        return None
    reason = str(_("给家人发确认验证码"))
    return write_code(
        actor=actor, code=code, kind=CODE, household=code.wish.household, reason=reason, now=now
    )


def confirm_by_code(*, actor: Actor, token: str, digits: str, now: dt.datetime) -> Wish:
    """This will record the family's own word; the link and the six digits are its permission (W5).

    Each wrong try counts and stays counted. Raises WrongCode with the tries left, CodeOver, NotFound.
    """
    authorize(policies.can_answer_code, actor)
    code = WishCode.objects.filter(token=token).first()
    if code is None:
        raise NotFound()
    return _confirm_by(actor, code, digits, now)


def confirm_at_desk(*, actor: Actor, wish: Wish, digits: str, now: dt.datetime) -> Wish:
    """This will record the code that a family read out to its caseworker. Raises as `confirm_by_code`."""
    authorize(policies.can_change_wish, actor, wish)
    code = WishCode.objects.filter(wish=wish).order_by("-id").first()
    if code is None:
        raise CodeOver()
    return _confirm_by(actor, code, digits, now)


@transaction.atomic
def confirm_by_slip(*, actor: Actor, wish: Wish, slip: str, now: dt.datetime) -> Wish:
    """This will record the number of the slip that the family signed (W5). Raises NothingToConfirm, BadInput."""
    authorize(policies.can_change_wish, actor, wish)
    if not slip.strip():
        raise BadInput(_("请填写家庭签收单的编号。"), field="slip")
    if Confirmation.objects.filter(slip=slip.strip()[:60]).exclude(claim__wish=wish).exists():
        raise Conflict(_("这张签收单已经用在别的心愿上。请核对编号。"), field="slip")
    return _confirm(actor, wish.pk, now, how=ConfirmedHow.SLIP, slip=slip.strip()[:60])


def _confirm_by(actor: Actor, code: WishCode, digits: str, now: dt.datetime) -> Wish:
    # Two steps on purpose: the try is committed before anybody learns whether it was right.
    with transaction.atomic():
        wish = lock_wish(code.wish_id)
        code = WishCode.objects.select_for_update(of=("self",)).get(pk=code.pk)
        right = try_code(code, CODE, digits, now)
        if right:
            wish = _confirm(actor, wish.pk, now, how=ConfirmedHow.CODE, code=code)
    if not right:
        raise refuse_wrong(code)
    return wish


def _confirm(
    actor: Actor, wish_id: int, now: dt.datetime, *, how: str, code: WishCode | None = None, slip: str = ""
) -> Wish:
    claims = lock_claims(Claim.objects.filter(wish=wish_id, status=ClaimStatus.HANDED))
    if not claims:
        raise NothingToConfirm()
    for claim in claims:
        move_claim(claim, ClaimStatus.CONFIRMED, actor=actor, now=now, reason=slip, confirmed_at=now)
        Confirmation.objects.create(
            claim=claim, how=how, code=code, slip=slip, confirmed_at=now,
            recorded_by_id=actor.person_id if how == ConfirmedHow.SLIP else None,
        )  # fmt: skip
        publish(ClaimConfirmed(claim_id=claim.pk))
    return settle_wishes([wish_id], actor=actor, now=now)[wish_id]


@transaction.atomic
def write_thanks(
    *, actor: Actor, wish: Wish, words: str, photo: bytes | None = None, no_face: bool = False, now: dt.datetime
) -> Thanks:  # fmt: skip
    """This will write a family's thanks down, not yet public; again replaces what nobody has published (C5).

    Raises NothingToConfirm before the family confirmed, NotPublishable, NoFace, ConsentMissing, BadImage.
    """
    authorize(policies.can_change_wish, actor, wish)
    for_photo = None
    if photo:
        now_at = Wish.objects.select_related("household", "consent").get(pk=wish.pk)
        if now_at.consent is None:
            raise NoPhotoConsent()
        for_photo = hold_photo_consent(now_at, now_at.consent)
    wish = lock_wish(wish.pk)
    if wish.status != WishStatus.FULFILLED:
        raise NothingToConfirm(_("家人确认之后才能写感谢。"))
    if wish.hidden_at is not None:
        raise ConsentMissing(_("家庭已撤回同意，这个心愿和感谢都不再公布。"), field="words")
    if not words.strip():
        raise BadInput(_("请写一句感谢的话。"), field="words")
    reason = str(_("核对感谢的话里没有家庭的私人信息"))
    private = open_file(
        actor=actor, household=wish.household, fields=PRIVATE, reason=reason, now=now
    ).values()
    check_publishable(words, private, field="words", town_ids=[wish.town_id])
    picture = b""
    if photo:
        if not no_face:
            raise NoFace()
        picture = remake_picture(photo, longest_side=SIDE).content
        wish.consent_for_photo = for_photo
        wish.save(update_fields=["consent_for_photo"])
    assert actor.person_id is not None
    known = Thanks.objects.filter(wish=wish).first()
    if known is not None and known.published_at is not None:
        raise Conflict(_("感谢已经公布，不能再改。"))
    Thanks.objects.filter(wish=wish).delete()
    return Thanks.objects.create(
        wish=wish, words=words.strip()[:200], photo=picture or None, written_by_id=actor.person_id, written_at=now,
        photo_sha256=hashlib.sha256(picture).hexdigest() if picture else "",
    )  # fmt: skip


@transaction.atomic
def publish_thanks(*, actor: Actor, wish: Wish, photo_ok: bool = False, now: dt.datetime) -> Thanks:
    """This will show a family's thanks on its wish and to who met it, after another person's look (C5).

    Raises TwoReviewers for who wrote it, PhotoNotLookedAt. Safe to repeat.
    """
    wish = lock_wish(wish.pk)
    authorize(policies.can_publish_thanks, actor, wish)
    if wish.hidden_at is not None:
        raise ConsentMissing(_("家庭已撤回同意，这个心愿和感谢都不再公布。"))
    thanks = Thanks.objects.select_for_update(of=("self",)).filter(wish=wish).first()
    if thanks is None:
        raise NotFound()
    if thanks.published_at is not None:
        return thanks
    if actor.person_id == thanks.written_by_id:
        raise TwoReviewers(_("感谢不能由写的人自己公布。请审核员来看。"))
    if thanks.photo and not photo_ok:
        raise PhotoNotLookedAt()
    check_publishable(thanks.words, field="words", town_ids=[wish.town_id])
    thanks.published_by_id, thanks.published_at = actor.person_id, now
    thanks.save(update_fields=["published_by", "published_at"])
    publish(ThanksPublished(wish_id=wish.pk))
    bump_epoch()
    return thanks
