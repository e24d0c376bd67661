"""Late money and the target: another project by the donor's choice, trim or refuse, a second look (F5)."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from apps.core.actors import PUBLIC
from apps.core.invariants import ordered
from apps.donations.models import Gift, GiftRedirect
from apps.donations.operations import redirect_gift
from apps.donations.operations.opening import NotRaising, PastTarget
from apps.donations.operations.redirecting import NothingLeft, NotLate, UsesUnderWay
from apps.donations.queries import target_room, typical_gift
from apps.funds.models import Project
from apps.funds.operations import close_raising
from apps.funds.queries import project_earmarks
from apps.ledger.models import Entry
from apps.ledger.operations import pay_reservation, reserve
from apps.ledger.queries import figures
from apps.publication.releases import publish_expense
from apps.tracing.queries import trace_gift
from tests import world as w
from tests.databases import Server


def late_gift(city: w.World, fen: int = 20_000) -> Gift:
    gift = w.open_gift(city, fen)
    close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    w.pay(gift)
    w.work()
    gift.refresh_from_db()
    assert gift.late == "not_raising" and gift.earmark_id == city.general
    return gift


def spend(city: w.World, fen: int) -> Entry:
    reserve(earmark=city.general, amount=fen, purpose="tests:spend", now=w.NOW)
    return pay_reservation(actor=w.SETUP, purpose="tests:spend", key="tests:spend", cost="programme", budget_line=None,
                    now=w.NOW, effective_at=w.NOW)  # fmt: skip


def sums_hold() -> None:
    assert {each.name: each.check().broken for each in ordered() if each.number <= 4} == {
        each.name: [] for each in ordered() if each.number <= 4
    }


@pytest.fixture
def city(db: None) -> w.World:
    return w.build()


def test_a_late_gift_moves_whole_to_the_donors_project(city: w.World) -> None:
    gift, other = late_gift(city), w.make_project(city, slug="zhuxue", target=1_000_000)
    before = target_room(other)
    moved = redirect_gift(actor=PUBLIC, gift=gift, project=other, now=w.NOW)
    assert moved.amount == 20_000 - 120, "what the provider's fee left"
    assert figures([city.general]).available == 0
    assert figures(project_earmarks([other.pk]).values()).moved_in == moved.amount
    assert target_room(other) == before - moved.amount, "it counts to the target like a gift"
    assert redirect_gift(actor=PUBLIC, gift=gift, project=other, now=w.NOW) == moved, "safe to repeat"
    trace = trace_gift(gift)
    assert (trace.fee, trace.unspent) == (120, moved.amount)
    sums_hold()


def test_only_the_donors_own_lots_move(city: w.World) -> None:
    """Older general money of somebody else stays where it is."""
    early = late_gift(city, 5_000)
    second = w.make_project(city, slug="second")
    gift = w.open_gift(city, 7_000, project=second)
    close_raising(actor=city.people["officer"], project=second, now=w.NOW)
    w.pay(gift)
    w.work()
    gift.refresh_from_db()
    other = w.make_project(city, slug="zhuxue")
    redirect_gift(actor=PUBLIC, gift=gift, project=other, now=w.NOW)
    assert trace_gift(early).unspent == figures([city.general]).available == 5_000 - 30
    sums_hold()


def test_what_was_spent_meanwhile_stays_spent(city: w.World, client: Client) -> None:
    """And nothing moves, nor is a figure told, before what was spent is public (C4)."""
    gift, other = late_gift(city), w.make_project(city, slug="zhuxue")
    entry = spend(city, 15_000)
    with pytest.raises(UsesUnderWay):
        redirect_gift(actor=PUBLIC, gift=gift, project=other, now=w.NOW)
    page = client.get(f"/gifts/{gift.token}/redirect/").content.decode()
    assert "198.80" in page and "48.80" not in page
    assert GiftRedirect.objects.count() == 0
    publish_expense(
        entry=entry.pk, earmark=city.general, budget_line=1, category="education", purpose="课本", amount=15_000,
        currency="CNY", paid_on=w.NOW.date(),
    )  # fmt: skip
    moved = redirect_gift(actor=PUBLIC, gift=gift, project=other, now=w.NOW)
    assert moved.amount == 20_000 - 120 - 15_000
    sums_hold()


def test_refusals_say_why_and_change_nothing(city: w.World) -> None:
    on_time = w.give(city, 3_000)
    gift = late_gift(city)
    other, third = w.make_project(city, slug="zhuxue"), w.make_project(city, slug="third")
    small = w.make_project(city, slug="small", target=10_000)
    with pytest.raises(NotLate):
        redirect_gift(actor=PUBLIC, gift=on_time, project=other, now=w.NOW)
    with pytest.raises(NotRaising):
        redirect_gift(actor=PUBLIC, gift=gift, project=city.project, now=w.NOW)
    with pytest.raises(PastTarget):
        redirect_gift(actor=PUBLIC, gift=gift, project=small, now=w.NOW)
    assert GiftRedirect.objects.count() == 0
    redirect_gift(actor=PUBLIC, gift=gift, project=other, now=w.NOW)
    with pytest.raises(NothingLeft):
        redirect_gift(actor=PUBLIC, gift=gift, project=third, now=w.NOW)


def test_a_redirect_is_never_changed(city: w.World) -> None:
    redirect_gift(actor=PUBLIC, gift=late_gift(city), project=w.make_project(city, slug="zhuxue"), now=w.NOW)
    for change in (
        lambda: GiftRedirect.objects.update(amount=1),
        lambda: GiftRedirect.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_two_late_gifts_never_together_pass_a_target(committed_db: Server) -> None:
    city = w.build()
    other = w.make_project(city, slug="zhuxue", target=20_000)
    gifts = [w.open_gift(city, 12_000) for _ in range(2)]
    close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    for gift in gifts:
        w.pay(gift)
    w.work()
    start, said = threading.Barrier(2), []

    def move(gift: Gift) -> None:
        try:
            start.wait(10)
            redirect_gift(actor=PUBLIC, gift=Gift.objects.get(pk=gift.pk), project=other, now=w.NOW)
            said.append("moved")
        except PastTarget:
            said.append("past")
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=(gift,)) for gift in gifts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["moved", "past"]
    sums_hold()


def test_the_page_offers_it_once(city: w.World, client: Client) -> None:
    gift = late_gift(city)
    project = w.make_project(city, slug="zhuxue", target=1_000_000)
    assert f"/gifts/{gift.token}/redirect/" in client.get(f"/gifts/{gift.token}/").content.decode()
    path = f"/gifts/{gift.token}/redirect/"
    assert "大病救助zhuxue" in client.get(path).content.decode()
    assert client.post(path, {"project": city.project.slug}).status_code == 422
    assert client.post(path, {}).status_code == 422
    assert client.post(path, {"project": project.slug}).status_code == 302
    assert "已把¥198.80改给" in client.get(f"/gifts/{gift.token}/").content.decode()
    assert "已经改给" in client.get(path).content.decode()
    assert client.get(f"/gifts/{'y' * 43}/redirect/").status_code == 404


FORM = {"preset": "other", "method": "card", "shown_as": "anonymous", "key": "k" * 20}


def _give(client: Client, project: Project, **typed: str):  # type: ignore[no-untyped-def]
    return client.post(f"/projects/{project.slug}/give/", FORM | typed)


def test_past_the_target_the_donor_chooses(city: w.World, client: Client) -> None:
    project = w.make_project(city, slug="small", target=10_000)
    answer = _give(client, project, amount="150")
    page = answer.content.decode()
    assert answer.status_code == 409 and 'name="trim" value="10000"' in page and 'value="150"' in page
    assert Gift.objects.count() == 0
    assert _give(client, project, amount="150", trim="10000").status_code == 302
    assert Gift.objects.get().amount == 10_000
    for trim in ("20000", "-1", "x", "１００"):
        assert Gift.objects.count() == 1
        assert _give(client, project, amount="150", trim=trim).status_code == 409, "never more than was typed"


def test_ten_times_the_usual_asks_again(city: w.World, client: Client) -> None:
    for fen in (1_000, 1_000, 2_000, 1_500, 1_000):
        w.give(city, fen)
    assert typical_gift(city.project) == 1_000
    assert _give(client, city.project, amount="100.00").status_code == 302
    answer = _give(client, city.project, amount="100.01")
    assert answer.status_code == 422 and "10倍以上" in answer.content.decode()
    assert 'name="confirmed" value="10001"' in answer.content.decode()
    assert _give(client, city.project, amount="100.01", confirmed="10001").status_code == 302
