"""Opening a gift: the target is never passed, one form is one gift, and a late or repeated payment is told apart."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from apps.core.actors import PUBLIC, system
from apps.core.events import deliver_due
from apps.core.models import OutboxDelivery
from apps.donations import operations
from apps.donations.forms import GiveForm
from apps.donations.models import Gift, Receipt
from apps.donations.operations import opening
from apps.donations.operations.opening import FormUsed, GiftRequest, PastTarget
from apps.funds.models import MicroFund, Project
from apps.ledger.models import Entry
from apps.payments.models import Payment, ProviderFact
from apps.payments.operations import apply_snapshots
from apps.payments.provider import Fee, Snapshot
from tests import world as w

ACTOR = system("tests")


def ask(city: w.World, fen: int, key: str, project: Project | None = None) -> Gift:
    request = GiftRequest(w.Money(fen), "wechat_pay", key)
    return operations.open_gift(
        actor=PUBLIC, request=request, fund=city.fund, project=project or city.project, now=w.NOW
    )


def snapshot(payment: Payment, **over: object) -> Snapshot:
    fields: dict[str, object] = {
        "session_ref": payment.session_ref, "reference": str(payment.uuid), "status": "paid",
        "amount": payment.amount, "currency": payment.currency, "settled_at": w.NOW,
    }  # fmt: skip
    return Snapshot(**(fields | over))  # type: ignore[arg-type]


def apply(payment: Payment, **over: object) -> Payment:
    seen = snapshot(payment, **over)
    apply_snapshots(actor=ACTOR, snapshots={("sandbox", seen.session_ref): seen}, now=w.NOW)
    payment.refresh_from_db()
    return payment


@pytest.mark.django_db
def test_open_gifts_hold_the_target() -> None:
    city = w.build(target=10_000)
    first = ask(city, 6_000, "a")
    with pytest.raises(PastTarget) as refused:
        ask(city, 4_001, "b")
    assert refused.value.room == w.Money(4_000)
    ask(city, 4_000, "c")
    with pytest.raises(PastTarget) as refused:
        ask(city, 100, "d")
    assert refused.value.room == w.Money(0)
    Payment.objects.filter(pk=first.payment_id).update(status="expired")
    assert first.payment_id is not None
    operations.end_unpaid_gift(actor=ACTOR, payment_id=first.payment_id, now=w.NOW)
    ask(city, 6_000, "e")


@pytest.mark.django_db
def test_one_form_is_one_gift(monkeypatch: pytest.MonkeyPatch) -> None:
    city = w.build()
    first = ask(city, 5_000, "same")
    # Found by its key before anything is checked again: the campaign may be full by now, of this very gift.
    monkeypatch.setattr(opening, "target_room", lambda project: 0)
    assert ask(city, 5_000, "same") == first
    assert Payment.objects.count() == 1
    with pytest.raises(FormUsed):
        ask(city, 7_000, "same")


def test_going_back_and_changing_the_amount_asks_for_the_new_amount(db: None) -> None:
    def key(**over: str) -> str:
        data = {
            "preset": "5000",
            "method": "wechat_pay",
            "shown_as": "anonymous",
            "key": "from-the-page",
        } | over
        form = GiveForm(data)
        assert form.is_valid(), form.errors
        return form.request("zh-hans").key

    assert key() == key()
    assert len({key(), key(preset="10000"), key(key="another-page"), key(method="alipay")}) == 4
    assert len(key(key="x" * 64)) == 64


@pytest.mark.django_db
def test_a_snapshot_of_another_amount_currency_or_session_is_left_alone() -> None:
    city = w.build()
    payment = w.open_gift(city, 5_000).payment
    assert payment is not None
    payment.refresh_from_db()
    for over in ({"amount": 4_999}, {"amount": 5_001}, {"currency": "USD"}, {"session_ref": "another"}):
        assert apply(payment, **over).status == "open", over
    assert ProviderFact.objects.count() == 0
    assert apply(payment).status == "paid"


@pytest.mark.django_db
def test_payments_only_move_forward() -> None:
    city = w.build()
    payment = w.open_gift(city, 5_000).payment
    assert payment is not None
    payment.refresh_from_db()
    assert apply(payment, status="pending").status == "pending"
    assert apply(payment, status="open").status == "pending"
    assert apply(payment).status == "paid"
    for status in ("open", "pending", "expired", "failed"):
        assert apply(payment, status=status).status == "paid"
    apply(payment)
    assert ProviderFact.objects.filter(kind="settled").count() == 1


@pytest.mark.django_db
def test_money_after_expiry_goes_to_the_general_earmark_once() -> None:
    city = w.build()
    gift = w.open_gift(city, 5_000)
    assert gift.payment is not None
    payment = Payment.objects.get(pk=gift.payment_id)
    apply(payment, status="expired")
    w.work()
    apply(payment)
    w.work()
    gift.refresh_from_db()
    assert (gift.status, gift.late, gift.earmark_id) == ("received", "expired", city.general)
    facts = list(ProviderFact.objects.values_list("pk", flat=True))
    assert operations.record_donations(actor=ACTOR, fact_ids=facts, now=w.NOW) == 0
    assert gift.changes.filter(to_status="received").count() == 1
    assert Entry.objects.filter(kind="gift").count() == 1


@pytest.mark.django_db
def test_a_received_gift_is_left_alone_even_when_its_project_has_closed_since() -> None:
    """Its money is posted where it went the first time; a repetition may not call it late."""
    city = w.build()
    gift = w.give(city, 5_000)
    w.funds.close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    facts = list(ProviderFact.objects.values_list("pk", flat=True))
    operations.record_donations(actor=ACTOR, fact_ids=facts, now=w.NOW)
    gift.refresh_from_db()
    assert (gift.late, gift.earmark_id) == ("", city.earmark)


@pytest.mark.django_db
def test_a_fee_in_another_currency_is_never_booked_as_fen() -> None:
    city = w.build()
    gift = w.open_gift(city, 5_000)
    payment = Payment.objects.get(pk=gift.payment_id)
    apply(payment, fees=(Fee("txn_1", 30, "USD", w.NOW),))
    w.work()
    gift.refresh_from_db()
    assert gift.status == "received"
    assert Entry.objects.filter(kind="fee").count() == 0
    waiting = OutboxDelivery.objects.get(done_at=None)
    assert waiting.handler.endswith("settle_fee") and waiting.last_error.startswith("FeeInOtherCurrency")


def _while_held(hold: object, run: object) -> list[str]:
    """Runs `run` in a thread while this thread's transaction has done `hold`; says in what order they ended."""
    order: list[str] = []
    started = threading.Event()

    def work() -> None:
        try:
            started.set()
            run()  # type: ignore[operator]
            order.append("other")
        finally:
            connection.close()

    with transaction.atomic():
        hold()  # type: ignore[operator]
        thread = threading.Thread(target=work)
        thread.start()
        started.wait(10)
        thread.join(0.5)
        order.append("held")
    thread.join(20)
    return order


def test_a_snapshot_waits_for_the_payments_row(committed_db: None) -> None:
    city = w.build()
    payment = w.open_gift(city, 5_000).payment
    assert payment is not None
    payment.refresh_from_db()
    seen = snapshot(payment)
    order = _while_held(
        lambda: Payment.objects.select_for_update().get(pk=payment.pk),
        lambda: apply_snapshots(actor=ACTOR, snapshots={("sandbox", seen.session_ref): seen}, now=w.NOW),
    )
    # Its own writes would wait as well; what counts is that facts are read after the wait, so ask in sixteen threads.
    assert order == ["held", "other"]
    errors: list[Exception] = []

    def again() -> None:
        try:
            apply_snapshots(actor=ACTOR, snapshots={("sandbox", seen.session_ref): seen}, now=w.NOW)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    other = Payment.objects.get(pk=w.open_gift(city, 6_000).payment_id)
    seen = snapshot(other)
    threads = [threading.Thread(target=again) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert other.changes.filter(to_status="paid").count() == 1


def test_opening_a_gift_does_not_wait_for_an_import(committed_db: None) -> None:
    """An import holds its fund's row and then touches the project; a gift holds the project and then touches the fund.
    Were either lock of the kind that stops foreign keys, the two would wait for each other."""
    city = w.build()
    order = _while_held(
        lambda: MicroFund.objects.select_for_update(no_key=True).get(pk=city.fund.pk),
        lambda: ask(city, 5_000, "x"),
    )
    assert order == ["other", "held"]

    def insert() -> None:
        Gift.objects.create(
            fund=city.fund, project=city.project, amount=1, currency="CNY", channel="card", opened_at=w.NOW
        )

    assert _while_held(lambda: w.funds.lock_project(city.project.pk), insert) == ["other", "held"]


def test_two_workers_never_take_one_receipt_number(committed_db: None) -> None:
    """Two transactions issue at once for different gifts: the second waits for the range and counts on from there."""
    city = w.build()
    gifts = [w.open_gift(city, 1_000 + n) for n in range(12)]
    for gift in gifts:
        w.pay(gift)
    w.process_inbox(now=w.NOW + dt.timedelta(seconds=1))
    facts = list(ProviderFact.objects.values_list("pk", flat=True))
    operations.record_donations(actor=ACTOR, fact_ids=facts, now=w.NOW)
    barrier, errors = threading.Barrier(12), []

    def issue(gift: Gift) -> None:
        try:
            barrier.wait(20)
            operations.issue_receipts(actor=ACTOR, gift_ids=[gift.pk], now=w.NOW)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=issue, args=(gift,)) for gift in gifts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    deliver_due(now=w._far())
    numbers = sorted(int(n) for n in Receipt.objects.values_list("number", flat=True))
    assert numbers == list(range(1, 13))
