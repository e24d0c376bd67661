"""Card testing: what a script can open, hold and leave behind, and that it stops nobody else."""

from __future__ import annotations

import ast
import datetime as dt
import secrets
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import translation

from apps.core.actors import PUBLIC
from apps.core.limits import used
from apps.core.money import Money
from apps.core.visitors import Visitor
from apps.donations import operations
from apps.donations.models import Gift, StoppedAttempt
from apps.donations.operations import GiftRequest, limiting
from apps.donations.operations.limiting import TooManyOpenings, give_places_back
from apps.donations.operations.opening import PastTarget
from apps.donations.states import Limit
from apps.payments.models import Payment, SandboxSession
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.conftest import Broker

SCRIPT, DONOR = "203.0.113.66", "198.51.100.7"


@pytest.fixture
def shared_cache(settings: Any, valkey: Broker) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "charity_site.cache.PatientCache", "LOCATION": f"{valkey.url}/1"}
    }


def visitor(n: int = 0, address: str = SCRIPT) -> Visitor:
    return Visitor(address, f"device{n}", "")


def ask(city: w.World, fen: int = 1_000, who: Visitor | None = None, now: dt.datetime = w.NOW) -> Gift:
    return operations.open_gift(
        actor=PUBLIC, request=GiftRequest(Money(fen), "card", secrets.token_hex(8)), fund=city.fund,
        project=city.project, now=now, visitor=who or visitor(secrets.randbits(40)),
    )  # fmt: skip


def stopped_by(city: w.World, limit: str, **how: Any) -> None:
    with pytest.raises(TooManyOpenings) as refused:
        ask(city, **how)
    assert refused.value.limit == limit


def form(**over: str) -> dict[str, str]:
    typed = {"preset": "5000", "method": "card", "shown_as": "anonymous", "key": secrets.token_hex(12),
             "message": "愿早日康复"}  # fmt: skip
    return typed | over


def test_a_thousand_scripted_attempts_open_ten_sessions_and_another_address_still_gives(
    committed_db: None, shared_cache: None
) -> None:
    """Through the pages: sixteen at once for the places, the rest one after another; each with a device cookie of its
    own, so that only the address is the same."""
    city = w.build()
    path = f"/projects/{city.project.slug}/give/"
    signer = signing.get_cookie_signer(salt="device")
    answers: list[int] = []
    others: list[int] = []
    barrier = threading.Barrier(17)

    def attempt() -> None:
        client = Client(REMOTE_ADDR=SCRIPT)
        client.cookies["device"] = signer.sign(secrets.token_urlsafe(16))
        answers.append(client.post(path, form()).status_code)

    def attempts() -> None:
        try:
            barrier.wait(30)
            for _ in range(5):
                attempt()
        finally:
            connection.close()

    def donors() -> None:
        try:
            barrier.wait(30)
            for _ in range(5):
                others.append(Client(REMOTE_ADDR=DONOR).post(path, form()).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempts) for _ in range(16)]
    threads.append(threading.Thread(target=donors))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(280)
    assert len(answers) == 80 and answers.count(302) == 10
    for _ in range(920):
        attempt()
    assert len(answers) == 1000
    assert answers.count(302) == limiting.PLACES[Limit.ADDRESS] == 10
    assert answers.count(429) == 990
    assert others == [302] * 5
    assert SandboxSession.objects.count() == Payment.objects.count() == 15
    # What it leaves behind is bounded, and still adds up to the last hundred.
    rows = StoppedAttempt.objects.filter(limit="address")
    assert rows.count() == 100 + 8 and sum(row.times for row in rows) == 900
    assert rows.values("address").distinct().count() == 1
    assert not rows.filter(address__contains=SCRIPT).exists()


@pytest.mark.django_db
def test_the_page_says_what_to_do_and_keeps_what_was_typed() -> None:
    city = w.build()
    for n in range(10):
        ask(city, who=visitor(n))
    client = Client(REMOTE_ADDR=SCRIPT)
    path = f"/projects/{city.project.slug}/give/"
    client.get(path)
    assert client.cookies["device"]["httponly"]
    answer = client.post(path, form(payer="石桥中学", email="donor@example.org"))
    assert answer.status_code == 429 and answer["Retry-After"] == "3600"
    page = answer.content.decode()
    assert "没有扣款" in page and "银行转账" in page
    assert "愿早日康复" in page and "石桥中学" in page and "donor@example.org" in page
    assert "no-store" in answer["Cache-Control"]
    with translation.override("en"):
        english = client.post(f"/en{path}", form()).content.decode()
    assert "Nothing was charged" in english
    assert Gift.objects.count() == 10


@pytest.mark.django_db
def test_devices_and_sessions_have_limits_of_their_own() -> None:
    city = w.build()
    for n in range(6):
        ask(city, who=Visitor(f"198.51.100.{n}", "one device", ""))
    stopped_by(city, "device", who=Visitor("198.51.100.200", "one device", ""))
    for n in range(6):
        ask(city, who=Visitor(f"192.0.2.{n}", f"d{n}", "one session"))
    stopped_by(city, "session", who=Visitor("192.0.2.200", "d200", "one session"))
    # What was stopped by one limit takes no place of another.
    assert used("give:address", "192.0.2.200") == used("give:device", "d200") == 0


@pytest.mark.django_db
def test_clients_without_a_cookie_share_one_device(settings: Any) -> None:
    city = w.build()
    path = f"/projects/{city.project.slug}/give/"
    answers = [Client(REMOTE_ADDR=SCRIPT).post(path, form()).status_code for _ in range(8)]
    assert answers == [302] * 6 + [429] * 2


@pytest.mark.django_db
def test_a_project_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limiting.PLACES, Limit.PROJECT, 3)
    city = w.build()
    for n in range(3):
        ask(city, who=visitor(n, f"192.0.2.{n}"))
    stopped_by(city, "project", who=visitor(9, "192.0.2.9"))


@pytest.mark.django_db
def test_an_office_whose_people_pay_is_never_stopped(django_capture_on_commit_callbacks: Any) -> None:
    """A paid gift gives its place back and earns one more: sixty people behind one address give within the hour."""
    city = w.build()
    for n in range(60):
        gift = ask(city, who=visitor(n))
        operations.start_gift_checkout(actor=PUBLIC, gift=gift, return_url="/", cancel_url="/", now=w.NOW)
        w.pay(gift)
        with django_capture_on_commit_callbacks(execute=True):
            w.work()
    assert used("give:address", SCRIPT) == -60
    give_places_back([gift.pk])  # told again: freed once
    assert used("give:address", SCRIPT) == -60
    assert StoppedAttempt.objects.count() == 0


@pytest.mark.django_db
def test_an_attempt_that_opens_nothing_takes_no_place() -> None:
    city = w.build(target=100_000)
    for n in range(20):
        with pytest.raises(PastTarget):
            ask(city, 100_001, who=visitor(n))
    request = GiftRequest(Money(1_000), "card", "one form")
    for _ in range(20):  # a double click is one gift
        operations.open_gift(actor=PUBLIC, request=request, fund=city.fund, project=city.project, now=w.NOW,
                             visitor=visitor())  # fmt: skip
    assert used("give:address", SCRIPT) == used("give:device", "device0") == 1
    assert used("give:held", f"{SCRIPT}:{city.project.pk}") == 1_000


@pytest.mark.django_db
def test_one_address_cannot_hold_a_target_for_ever() -> None:
    """It may hold all of it twice (a big payment may be tried again), then a tenth; another address gets the room."""
    city = w.build(target=30_000_000)
    later = w.NOW
    for n in range(2):
        gift = ask(city, 30_000_000, who=visitor(n), now=later)
        later += dt.timedelta(minutes=32)
        Payment.objects.filter(pk=gift.payment_id).update(status="expired")
        assert gift.payment_id
        operations.end_unpaid_gift(actor=w.SETUP, payment_id=gift.payment_id, now=later)
    stopped_by(city, "held", fen=20_000_000, who=visitor(3), now=later)
    stopped_by(city, "held", fen=100, who=visitor(4), now=later)
    ask(city, 30_000_000, who=visitor(5, DONOR), now=later)
    assert StoppedAttempt.objects.filter(limit="held", amount=20_000_000).count() == 1


def _ended(city: w.World, count: int, status: str, at: dt.datetime = w.NOW) -> None:
    for _ in range(count):
        gift = w.open_gift(city, 1_000, now=at)
        if status == "received":
            w.pay(gift, now=at)
            w.work(at)
        else:
            Gift.objects.filter(pk=gift.pk).update(status=status)


@pytest.mark.django_db
def test_a_project_pauses_while_nearly_everything_comes_to_nothing() -> None:
    city = w.build()
    _ended(city, 29, "failed")
    ask(city, who=visitor(1, "192.0.2.1"))  # too few to say anything
    _ended(city, 1, "expired")
    stopped_by(city, "declines", who=visitor(2, "192.0.2.2"))
    other = w.make_project(city, slug="other")
    request = GiftRequest(Money(1_000), "card", "x")
    operations.open_gift(
        actor=PUBLIC, request=request, fund=city.fund, project=other, now=w.NOW, visitor=visitor(3)
    )
    # It ends by itself when those openings are an hour old.
    ask(city, who=visitor(4, "192.0.2.4"), now=w.NOW + dt.timedelta(minutes=61))


@pytest.mark.django_db
def test_honest_abandonment_pauses_nothing() -> None:
    city = w.build()
    _ended(city, 4, "received")
    _ended(city, 30, "expired")  # 88 per cent left without paying
    ask(city, who=visitor(1, "192.0.2.1"))


@pytest.mark.django_db
def test_the_whole_site_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limiting.BREAKER, Limit.SITE, (300, 10, 90))
    city = w.build()
    _ended(city, 10, "failed")
    with pytest.raises(TooManyOpenings) as refused:
        operations.open_gift(actor=PUBLIC, request=GiftRequest(Money(1_000), "card", "x"), fund=city.fund,
                             project=None, now=w.NOW, visitor=visitor())  # fmt: skip
    assert refused.value.limit == "site"


@pytest.mark.django_db
def test_monthly_gifts_are_limited_as_well() -> None:
    city = w.build()
    for n in range(10):
        operations.open_monthly_gift(
            actor=PUBLIC, fund=city.fund, project=city.project, now=w.NOW, visitor=visitor(n),
            request=GiftRequest(Money(1_000), "card", f"m{n}", email="a@example.org"),
        )  # fmt: skip
    stopped_by(city, "address")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    ["UPDATE donations_stoppedattempt SET times = 2", "DELETE FROM donations_stoppedattempt",
     "TRUNCATE donations_stoppedattempt",
     "INSERT INTO donations_stoppedattempt (at, \"limit\", fund_id, amount, currency, address, device, times)"
     " SELECT at, \"limit\", fund_id, amount, currency, '', '', 0 FROM donations_stoppedattempt"],
)  # fmt: skip
def test_stopped_attempts_only_grow(sql: str) -> None:
    city = w.build()
    for n in range(10):
        ask(city, who=visitor(n))
    stopped_by(city, "address")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
def test_the_cashier_sees_what_was_stopped(django_assert_max_num_queries: Any) -> None:
    city = w.build(now=dt.datetime.now(dt.UTC))
    now = dt.datetime.now(dt.UTC)
    for n in range(10):
        ask(city, who=visitor(n), now=now)
    for n in range(60):
        stopped_by(city, "address", who=visitor(100 + n), now=now)
    client = with_session(account_of(city.people["cashier"], "c@example.org"), second=True)
    with django_assert_max_num_queries(14):
        page = client.get("/workbench/stopped/")
    text = page.content.decode()
    assert page.status_code == 200 and text.count('scope="row"') == 50 and "（60）" in text
    assert SCRIPT not in text
    last = StoppedAttempt.objects.order_by("-id")[49].pk
    assert f"after={last}" in text
    assert client.get(f"/workbench/stopped/?after={last}").content.decode().count('scope="row"') == 10
    assert "这一天没有拦下的" in client.get("/workbench/stopped/?limit=held").content.decode()
    for odd in ("?day=2026-02-30", "?day=9999-01-01", "?after=x", "?after=１", "?limit=no"):
        assert client.get(f"/workbench/stopped/{odd}").status_code == 200
    officer = with_session(account_of(city.people["officer"], "o@example.org"), second=True)
    assert officer.get("/workbench/stopped/").status_code == 403


def test_edges_always_say_who_is_asking() -> None:
    """An operation called without its visitor isn't limited: only tests and the demonstration may do that."""
    calls = 0
    for file in [*Path("apps").rglob("*.py"), *Path("cms").rglob("*.py"), *Path("search").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            name = (
                getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            )
            if name in ("open_gift", "open_monthly_gift"):
                assert isinstance(node, ast.Call)
                calls += 1
                assert "visitor" in {word.arg for word in node.keywords}, f"{file}:{node.lineno}"
    assert calls >= 2
