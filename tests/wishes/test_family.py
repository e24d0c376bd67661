"""The caseworker's word, the family's own, and its thanks (W5)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from apps.core.actors import PUBLIC, system
from apps.core.errors import DomainError, PermissionRefused
from apps.disbursements.operations.codes import CodeOver, TooManyCodes, WrongCode
from apps.publication.privacy import NotPublishable
from apps.wishes import operations as ops
from apps.wishes.errors import (
    NothingToConfirm,
    PhotoNotLookedAt,
)
from apps.wishes.models import Claim, Confirmation, Thanks, Wish, WishCode
from tests import world as w
from tests.wishes import shop as s
from tests.wishes.test_way import jpeg

pytestmark = pytest.mark.django_db
SENDER = system("tests.sms")


def handed(store: s.Store) -> Wish:
    wish = s.opened(store)
    s.paid(wish, email="giver@example.org")
    s.bought(store, wish)
    ops.hand_over(actor=store.caseworker, wish=wish, now=s.NOW)
    return wish


def test_the_caseworkers_word_and_the_familys_are_two_facts() -> None:
    store = s.build()
    wish = handed(store)
    claim = Claim.objects.get()
    assert s.standing(wish) == ("delivered", 0) and claim.handed_at and not claim.confirmed_at
    code = ops.ask_wish_code(actor=store.caseworker, wish=wish, now=s.NOW)
    sent = ops.issue_wish_code(actor=SENDER, code_id=code.pk, now=s.NOW)
    assert sent is not None and sent.phone == "13800000901" and len(sent.digits) == 6
    code.refresh_from_db()
    assert sent.digits not in code.code_hash and sent.phone not in repr(vars(code))
    ops.confirm_by_code(
        actor=PUBLIC, token=code.token, digits=f" {sent.digits[:3]} {sent.digits[3:]}", now=s.NOW
    )
    assert s.standing(wish) == ("fulfilled", 0) and Confirmation.objects.get().how == "code"
    with pytest.raises(CodeOver):
        ops.confirm_by_code(actor=PUBLIC, token=code.token, digits=sent.digits, now=s.NOW)
    w.work()
    assert any("家人已确认" in each.subject for each in mail.outbox)
    s.check()


def test_five_wrong_tries_end_a_code_and_an_old_one_is_over() -> None:
    store = s.build()
    wish = handed(store)
    code = ops.ask_wish_code(actor=store.caseworker, wish=wish, now=s.NOW)
    sent = ops.issue_wish_code(actor=SENDER, code_id=code.pk, now=s.NOW)
    assert sent is not None
    wrong = f"{(int(sent.digits) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCode) as refused:
            ops.confirm_at_desk(actor=store.caseworker, wish=wish, digits=wrong, now=s.NOW)
        assert str(left) in str(refused.value.message)
    for digits in (wrong, sent.digits):
        with pytest.raises(CodeOver):
            ops.confirm_by_code(actor=PUBLIC, token=code.token, digits=digits, now=s.NOW)
    assert WishCode.objects.get().tries == 5 and s.standing(wish)[0] == "delivered"
    second = ops.ask_wish_code(actor=store.caseworker, wish=wish, now=s.NOW)
    again = ops.issue_wish_code(actor=SENDER, code_id=second.pk, now=s.NOW)
    assert again is not None
    with pytest.raises(CodeOver):
        late = s.NOW + dt.timedelta(hours=73)
        ops.confirm_by_code(actor=PUBLIC, token=second.token, digits=again.digits, now=late)
    ops.ask_wish_code(actor=store.caseworker, wish=wish, now=s.NOW)
    assert ops.issue_wish_code(actor=SENDER, code_id=second.pk, now=s.NOW) is None
    with pytest.raises(TooManyCodes):
        ops.ask_wish_code(actor=store.caseworker, wish=wish, now=s.NOW)


def test_a_slip_confirms_once_and_only_what_was_handed_over() -> None:
    store = s.build()
    wish = s.opened(store)
    s.paid(wish)
    for act in (
        lambda: ops.confirm_by_slip(actor=store.caseworker, wish=wish, slip="S-1", now=s.NOW),
        lambda: ops.ask_wish_code(actor=store.caseworker, wish=wish, now=s.NOW),
        lambda: ops.hand_over(actor=store.caseworker, wish=wish, now=s.NOW),
    ):
        with pytest.raises(NothingToConfirm):
            act()
    s.bought(store, wish)
    with pytest.raises(PermissionRefused):
        ops.hand_over(actor=store.city.people["caseworker_hengxi"], wish=wish, now=s.NOW)
    ops.hand_over(actor=store.caseworker, wish=wish, now=s.NOW)
    ops.confirm_by_slip(actor=store.caseworker, wish=wish, slip="S-1", now=s.NOW)
    other = s.opened(store)
    s.paid(other)
    s.bought(store, other)
    ops.hand_over(actor=store.caseworker, wish=other, now=s.NOW)
    with pytest.raises(DomainError) as refused:
        ops.confirm_by_slip(actor=store.caseworker, wish=other, slip="S-1", now=s.NOW)
    assert refused.value.code == "conflict"


def test_thanks_pass_the_check_and_another_persons_look() -> None:
    store = s.build()
    wish = s.opened(store, photo_consent=True)
    s.paid(wish, email="giver@example.org")
    with pytest.raises(NothingToConfirm):
        ops.write_thanks(actor=store.caseworker, wish=wish, words="谢谢", now=s.NOW)
    s.fulfilled(store, wish)
    with pytest.raises(NotPublishable):
        ops.write_thanks(actor=store.caseworker, wish=wish, words="户主901谢谢您", now=s.NOW)
    ops.write_thanks(actor=store.caseworker, wish=wish, words="桌子很好，写字不趴床上了。", photo=jpeg(gps=True),
                     no_face=True, now=s.NOW)  # fmt: skip
    with pytest.raises(PermissionRefused):
        ops.publish_thanks(actor=store.caseworker, wish=wish, photo_ok=True, now=s.NOW)
    with pytest.raises(PhotoNotLookedAt):
        ops.publish_thanks(actor=store.reviewer, wish=wish, now=s.NOW)
    ops.publish_thanks(actor=store.reviewer, wish=wish, photo_ok=True, now=s.NOW)
    with pytest.raises(IntegrityError, match="thanks_second_look"), transaction.atomic():
        Thanks.objects.update(published_by=store.caseworker.person_id)
    w.work()
    assert any("写字不趴床上了" in each.body for each in mail.outbox)
    s.check()
