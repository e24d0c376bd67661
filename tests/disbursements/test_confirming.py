"""The family's own confirmation (P5): a code of six digits kept as a keyed hash, or a signed slip with its photo."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from PIL import Image

from apps.casework.models import AccessRow, Attachment, Household
from apps.casework.operations import add_attachment
from apps.core.actors import PUBLIC, system
from apps.core.errors import DomainError, NotFound, PermissionRefused
from apps.core.models import OutboxEvent
from apps.disbursements import operations, queries
from apps.disbursements.models import ConfirmationCode, Disbursement
from apps.disbursements.operations.codes import CodeOver, TooManyCodes, WrongCode
from apps.disbursements.operations.confirming import SlipNeedsPhoto
from apps.publication.models import AidItem
from tests import world as w

pytestmark = pytest.mark.django_db
SENDER = system("tests.sms")
LATER = w.NOW + dt.timedelta(hours=1)


def paid(city: w.World, n: int = 1) -> Disbursement:
    w.give(city, 1_000_000)
    return w.help_family(city, n, 10_000)


def coded(item: Disbursement, now: dt.datetime = w.NOW) -> tuple[str, str]:
    asked = operations.ask_code(actor=SENDER, disbursement=item, now=now)
    message = operations.issue_code(actor=SENDER, code_id=asked.pk, now=now)
    assert message is not None
    return message.token, message.digits


def other_than(digits: str, n: int = 1) -> str:
    return f"{(int(digits) + n) % 1_000_000:06d}"


def slip(city: w.World, family: Household, shade: int = 0, kind: str = "receipt_slip") -> Attachment:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), (shade, 90, 120)).save(out, "PNG")
    return add_attachment(
        actor=city.people[f"caseworker_{family.town.code}"], household=family, kind=kind, content=out.getvalue(),
        now=w.NOW,
    )  # fmt: skip


def test_the_right_code_confirms_once() -> None:
    item = paid(w.build())
    token, digits = coded(item)
    done = operations.confirm_by_code(
        actor=PUBLIC, token=token, digits=f" {digits[:3]} {digits[3:]}", now=LATER
    )
    assert (done.status, done.confirmed_how) == ("confirmed", "code")
    assert AidItem.objects.get().confirmed
    with pytest.raises(CodeOver):
        operations.confirm_by_code(actor=PUBLIC, token=token, digits=digits, now=LATER)


def test_five_tries_and_never_a_sixth() -> None:
    item = paid(w.build())
    token, digits = coded(item)
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCode) as refused:
            operations.confirm_by_code(actor=PUBLIC, token=token, digits=other_than(digits, left), now=w.NOW)
        assert str(left) in str(refused.value.message)
    with pytest.raises(CodeOver):
        operations.confirm_by_code(actor=PUBLIC, token=token, digits=other_than(digits), now=w.NOW)
    with pytest.raises(CodeOver):
        operations.confirm_by_code(actor=PUBLIC, token=token, digits=digits, now=w.NOW)
    assert Disbursement.objects.get().status == "paid"
    with pytest.raises(IntegrityError, match="confirmation_five_tries"), transaction.atomic():
        ConfirmationCode.objects.update(tries=6)


def test_a_code_ends_after_three_days_and_with_the_next_one() -> None:
    item = paid(w.build())
    token, digits = coded(item)
    with pytest.raises(CodeOver):
        operations.confirm_by_code(
            actor=PUBLIC, token=token, digits=digits, now=w.NOW + dt.timedelta(hours=72)
        )
    second, new = coded(item, LATER)
    with pytest.raises(CodeOver):
        operations.confirm_by_code(actor=PUBLIC, token=token, digits=digits, now=LATER)
    coded(item, LATER)
    with pytest.raises(TooManyCodes):
        coded(item, LATER)
    with pytest.raises(CodeOver):
        operations.confirm_by_code(actor=PUBLIC, token=second, digits=new, now=LATER)
    with pytest.raises(NotFound):
        operations.confirm_by_code(actor=PUBLIC, token="no-such", digits="000000", now=LATER)


def test_a_code_of_an_earlier_payment_confirms_nothing_later() -> None:
    """Paid, code sent, sent back by the bank, paid again: the old code belongs to the old payment."""
    city = w.build()
    item = paid(city)
    token, digits = coded(item)
    w.undo(city, item, "returned")
    w.pay_out(city, [item], now=w.NOW)
    with pytest.raises(CodeOver):
        operations.confirm_by_code(actor=PUBLIC, token=token, digits=digits, now=w.NOW)


def test_neither_digits_nor_number_are_kept_anywhere() -> None:
    item = paid(w.build())
    _token, digits = coded(item)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(c)::text FROM disbursements_confirmationcode c")
        row = json.loads(cursor.fetchone()[0])
    assert digits not in str({k: v for k, v in row.items() if k not in ("token", "code_hash")})
    assert len(row["code_hash"]) == 64
    events = str(
        list(OutboxEvent.objects.filter(name__contains="confirmation").values_list("payload", flat=True))
    )
    assert "1380000" not in events and digits not in events and "code_id" in events
    assert AccessRow.objects.filter(fields="phone", actor_label__contains="sms").count() == 1


def test_a_desk_confirms_with_the_code_that_was_read_out() -> None:
    city = w.build()
    item = paid(city)
    _token, digits = coded(item)
    with pytest.raises(PermissionRefused):
        operations.confirm_at_desk(
            actor=city.people["caseworker_hengxi"], disbursement=item, digits=digits, now=w.NOW
        )
    with pytest.raises(WrongCode):
        operations.confirm_at_desk(
            actor=city.people["caseworker_shiqiao"], disbursement=item, digits=other_than(digits), now=w.NOW
        )
    operations.confirm_at_desk(
        actor=city.people["caseworker_shiqiao"], disbursement=item, digits=digits, now=w.NOW
    )


def test_a_slip_needs_its_own_photo() -> None:
    city = w.build()
    item = paid(city)
    assert item.household is not None
    actor = city.people["caseworker_shiqiao"]
    stranger = w.household(city, 2)
    for photo in (None, slip(city, stranger), slip(city, item.household, 1, "diagnosis")):
        with pytest.raises(SlipNeedsPhoto):
            operations.confirm_disbursement(
                actor=actor, disbursement=item, slip="S-1", photo=photo, now=w.NOW
            )
    good = slip(city, item.household, 2)
    done = operations.confirm_disbursement(actor=actor, disbursement=item, slip="S-1", photo=good, now=w.NOW)
    assert (done.confirmed_how, done.slip_photo_id) == ("slip", good.pk)
    again = w.approve(city, w.apply_aid(city, item.household, 5_000))
    w.pay_out(city, [again])
    with pytest.raises(SlipNeedsPhoto):
        operations.confirm_disbursement(actor=actor, disbursement=again, slip="S-1", photo=good, now=w.NOW)
    with pytest.raises(IntegrityError, match="disbursement_confirmed_how"), transaction.atomic():
        Disbursement.objects.filter(pk=again.pk).update(status="confirmed", confirmed_at=w.NOW)


def test_the_families_page() -> None:
    """Says nothing of family or amount, counts tries, keeps what was typed, and is limited by address."""
    item = paid(w.build())
    client = Client()
    token, digits = coded(item, dt.datetime.now(dt.UTC))
    page = client.get(f"/confirm/{token}/")
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    for private in ("100.00", "户主", item.number, "大病"):
        assert private not in page.content.decode()
    wrong = client.post(f"/confirm/{token}/", {"code": other_than(digits)})
    assert wrong.status_code == 422 and other_than(digits) in wrong.content.decode()
    assert client.post("/confirm/nothing/", {"code": "123456"}).status_code in (404, 422)
    right = client.post(f"/confirm/{token}/", {"code": digits})
    assert "谢谢" in right.content.decode()
    for _ in range(20):
        last = client.post(f"/confirm/{token}/", {"code": "000000"})
    assert last.status_code == 429


def test_what_nobody_confirmed_in_30_days_is_listed() -> None:
    city = w.build()
    item = paid(city)
    actor = city.people["caseworker_shiqiao"]
    assert not queries.unconfirmed(actor, now=w.NOW + dt.timedelta(days=29, hours=23)).exists()
    assert list(queries.unconfirmed(actor, now=w.NOW + dt.timedelta(days=30))) == [item]
    elsewhere = city.people["caseworker_hengxi"]
    assert not queries.unconfirmed(elsewhere, now=w.NOW + dt.timedelta(days=60)).exists()


def test_only_the_task_and_the_town_may_send() -> None:
    city = w.build()
    item = paid(city)
    for name in ("caseworker_hengxi", "manager", "cashier"):
        with pytest.raises(DomainError):
            operations.ask_code(actor=city.people[name], disbursement=item, now=w.NOW)
