"""一起捐 and a donor's own pages: what they count, what they show, and to whom (G1, G2)."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Account
from apps.core.actors import PUBLIC
from apps.core.errors import DomainError, PermissionRefused
from apps.core.money import Money
from apps.donations.models import Gift, Team
from apps.donations.operations import TeamDraft, close_team, hide_team, open_team
from apps.donations.operations.opening import TeamOver
from tests import world as w


@pytest.fixture
def city(db: None) -> w.World:
    return w.build()


def team(city: w.World, *, key: str = "k", **over: object) -> Team:
    draft = {
        "title": "石桥中学一起捐",
        "organizer": "阿宽",
        "words": "为病友加油",
        "goal": Money(100_000),
        "key": key,
    }
    return open_team(
        actor=PUBLIC, draft=TeamDraft(**(draft | over)), fund=city.fund, project=city.project, now=w.NOW
    )  # type: ignore[arg-type]


def refunded(city: w.World, gift: Gift, fen: int) -> None:
    w.refund(city, gift, fen)
    w.act(gift, "refund_succeed")
    w.work()


def test_a_team_counts_its_gifts_once_and_what_went_back(city: w.World) -> None:
    ours = team(city)
    w.give(city, 10_000, team=ours.public_id)
    gift = w.give(city, 5_000, team=ours.public_id)
    w.give(city, 7_000)
    w.work()
    ours.refresh_from_db()
    assert (ours.gifts, ours.given) == (2, 15_000)
    refunded(city, gift, 2_000)
    ours.refresh_from_db()
    assert (ours.gifts, ours.given) == (2, 13_000)


def test_the_roll_shows_the_chosen_name_and_never_the_payer(city: w.World, client: Client) -> None:
    ours = team(city)
    w.give(city, 10_000, team=ours.public_id, payer="真名某某", email="secret@example.org", message="加油")
    w.give(city, 5_000, team=ours.public_id, shown_as="alias", shown_name="山里的风", dedication="纪念外婆")
    page = client.get(f"/teams/{ours.public_id}/").content.decode()
    assert "爱心人士" in page and "山里的风" in page and "纪念外婆" in page and "加油" in page
    assert "真名" not in page and "secret@" not in page and ours.token not in page
    assert "¥150.00" in page


def test_the_page_costs_the_same_for_a_long_roll(city: w.World, client: Client) -> None:
    ours = team(city)
    for _ in range(3):
        w.give(city, 1_000, team=ours.public_id)
    client.get(f"/teams/{ours.public_id}/?before=0")
    with CaptureQueriesContext(connection) as few:
        client.get(f"/teams/{ours.public_id}/?before=1")
    Gift.objects.bulk_create(
        Gift(fund=city.fund, project=city.project, team=ours, amount=100, currency="CNY", channel="card",
             opened_at=w.NOW, received_at=w.NOW, status="received", earmark_id=city.earmark)
        for _ in range(70)
    )  # fmt: skip
    seen, path = 0, "?"
    for _ in range(3):
        with CaptureQueriesContext(connection) as many:
            page = client.get(f"/teams/{ours.public_id}/{path}").content.decode()
        assert len(many) <= min(len(few) + 1, 12)
        seen += page.count("爱心人士")
        following = re.search(r'rel="next" href="(\?before=\d+)"', page)
        path = following.group(1) if following else ""
    assert seen == 73 and not path


def test_an_ended_or_hidden_team_takes_no_gift(city: w.World, client: Client) -> None:
    ended, hidden = team(city, key="a"), team(city, key="b")
    close_team(actor=PUBLIC, team=ended, now=w.NOW)
    with pytest.raises(PermissionRefused):
        hide_team(actor=city.people["cashier"], team=hidden, reason="x", now=w.NOW)
    with pytest.raises(DomainError):
        hide_team(actor=city.people["officer"], team=hidden, reason="  ", now=w.NOW)
    hide_team(actor=city.people["officer"], team=hidden, reason="广告", now=w.NOW)
    for each in (ended, hidden):
        with pytest.raises(TeamOver):
            w.open_gift(city, 1_000, team=each.public_id)
    assert client.get(f"/teams/{hidden.public_id}/").status_code == 404
    assert "已结束" in client.get(f"/teams/{ended.public_id}/").content.decode()
    other = w.make_project(city, slug="second")
    with pytest.raises(TeamOver):
        w.open_gift(city, 1_000, project=other, team=team(city, key="c").public_id)


def test_texts_pass_the_privacy_check_and_one_form_is_one_team(city: w.World) -> None:
    with pytest.raises(DomainError):
        team(city, words=f"他的身份证{w.id_number(7)}")
    assert team(city) == team(city)
    assert Team.objects.count() == 1


@pytest.mark.parametrize("change", [{"goal": 0}, {"given": -1}, {"hidden_reason": "x"}])
def test_rules_of_the_row(city: w.World, change: dict[str, object]) -> None:
    ours = team(city)
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.filter(pk=ours.pk).update(**change)


def test_the_organizers_way(city: w.World, client: Client) -> None:
    form = {
        "title": "厂里一起捐",
        "organizer": "老周",
        "goal": "5000",
        "words": "",
        "email": "zhou@example.org",
        "key": "x" * 30,
    }
    answer = client.post(f"/projects/{city.project.slug}/team/", form)
    ours = Team.objects.get()
    assert answer.status_code == 302 and answer["Location"].endswith(f"/teams/{ours.public_id}/{ours.token}/")
    w.work()
    assert [m.to for m in mail.outbox] == [["zhou@example.org"]] and ours.token in mail.outbox[0].body
    run = f"/teams/{ours.public_id}/{ours.token}/"
    assert client.get(f"/teams/{ours.public_id}/{'x' * 43}/").status_code == 404
    assert client.post(run, {**form, "act": "change", "goal": "abc"}).status_code == 422
    client.post(run, {**form, "act": "change", "goal": "6000.00"})
    client.post(run, {"act": "close"})
    ours.refresh_from_db()
    assert ours.goal == 600_000 and not ours.is_live
    give = client.get(f"/projects/{city.project.slug}/give/?team={ours.public_id}").content.decode()
    assert "厂里一起捐" not in give
    many = [
        client.post(f"/projects/{city.project.slug}/team/", {**form, "key": f"{n:030d}"}).status_code
        for n in range(12)
    ]
    assert many[-1] == 429


def donor(email: str, *, verified: bool = True) -> Account:
    account = Account.objects.create_user(email, "a long enough password")
    EmailAddress.objects.create(user=account, email=email, verified=verified, primary=True)
    return account


def test_an_account_collects_gifts_by_verified_address_only(city: w.World, client: Client) -> None:
    gift = w.give(city, 20_000, email="Donor@Example.org")
    w.give(city, 999, email="other@example.org")
    assert client.get("/me/").status_code == 302
    client.force_login(donor("donor@example.org"))
    page = client.get("/me/")
    assert gift.token in page.content.decode() and "¥9.99" not in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    year = gift.received_at.year  # type: ignore[union-attr]
    summary = client.get(f"/me/{year}/").content.decode()
    assert "¥200.00" in summary and gift.receipt.number in summary
    pdf = client.get(f"/me/{year}/summary.pdf")
    assert pdf.content.startswith(b"%PDF")
    for bad in (1999, 2199, 3000):
        assert client.get(f"/me/{bad}/").status_code == 404
    stranger = Client()
    stranger.force_login(donor("other@example.net", verified=False))
    EmailAddress.objects.create(
        user=Account.objects.get(email="other@example.net"), email="donor@example.org"
    )
    assert gift.token not in stranger.get("/me/").content.decode(), (
        "an address nobody has verified collects nothing"
    )


def test_the_summary_takes_refunds_off(city: w.World, client: Client) -> None:
    gift = w.give(city, 20_000, email="donor@example.org")
    refunded(city, gift, 5_000)
    client.force_login(donor("donor@example.org"))
    page = client.get(f"/me/{gift.received_at.year}/").content.decode()  # type: ignore[union-attr]
    assert "¥200.00" in page and "¥150.00" in page
