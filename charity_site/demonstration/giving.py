"""What donors do besides giving once: a team, monthly gifts, a refund by two people, a dispute that was won."""

from __future__ import annotations

import datetime as dt

from apps.core.actors import PUBLIC
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import Gift, MonthlyGift
from apps.donations.operations import GiftRequest, TeamDraft, open_gift, start_gift_checkout
from apps.funds.models import Project
from apps.payments.models import SandboxSession, SandboxSubscription
from apps.payments.operations import receive_event, send_refunds
from apps.payments.providers import sandbox, sandbox_monthly
from charity_site.demonstration.clockwork import work
from charity_site.demonstration.facts import ALIASES
from charity_site.demonstration.story import City, settle_all

TEAMS = (("石桥中学2008届一起捐", "阿宽", "毕业十八年，为家乡的病友做一点事。", 300_000),
         ("织布厂的一天工资", "工会老周", "", 500_000))  # fmt: skip
MONTHLY_YUAN = (20, 50, 100)


def give_in_other_ways(city: City, project: Project) -> None:
    """This will let teams, monthly donors and a donor who changes their mind give to a project that raises."""
    now = city.now - dt.timedelta(hours=6)
    _teams(city, project, now - dt.timedelta(days=5))
    for n, yuan in enumerate(MONTHLY_YUAN):
        _monthly(city, project, yuan, n, now - dt.timedelta(days=70))
    _refund(city, project, now)
    _dispute(city, project, now)


def _give(city: City, project: Project, yuan: int, key: str, at: dt.datetime, **typed: str) -> Gift:
    request = GiftRequest(Money(yuan * 100), "card", f"demo-{project.pk}-{key}", **typed)
    gift = open_gift(actor=PUBLIC, request=request, fund=project.fund, project=project, now=at)
    start_gift_checkout(actor=PUBLIC, gift=gift, return_url=f"/gifts/{gift.token}/", cancel_url="/", now=at)
    settle_all([(gift, at)])
    gift.refresh_from_db()
    return gift


def _teams(city: City, project: Project, at: dt.datetime) -> None:
    for title, organizer, words, goal in TEAMS:
        draft = TeamDraft(title, organizer, words, Money(goal), f"demo-{title}")
        team = donations.open_team(actor=PUBLIC, draft=draft, fund=project.fund, project=project, now=at)
        for n in range(7):
            named = city.rng.random() < 0.6
            _give(
                city, project, city.rng.choice([20, 50, 100, 200]), f"team-{team.pk}-{n}", at + dt.timedelta(hours=n),
                team=team.public_id, shown_as="alias" if named else "anonymous",
                shown_name=city.rng.choice(ALIASES) if named else "", dedication="纪念老班长" if n == 3 else "",
            )  # fmt: skip


def _monthly(city: City, project: Project, yuan: int, n: int, at: dt.datetime) -> None:
    request = GiftRequest(
        Money(yuan * 100), "card", f"demo-monthly-{n}", email=f"monthly{n}@demonstration.invalid"
    )
    gift = donations.open_monthly_gift(
        actor=PUBLIC, request=request, fund=project.fund, project=project, now=at
    )
    donations.start_monthly_checkout(
        actor=PUBLIC, gift=gift, return_url=f"/monthly/{gift.token}/", cancel_url="/", now=at
    )
    _play(gift, "subscribe", at)
    _play(gift, "next", at + dt.timedelta(days=30))
    if n == 2:
        _play(gift, "card_fails", at + dt.timedelta(days=60))
    _play(gift, "next", at + dt.timedelta(days=60))


def _play(gift: MonthlyGift, action: str, at: dt.datetime) -> None:
    gift.refresh_from_db()
    assert gift.subscription is not None
    order = SandboxSubscription.objects.get(reference=str(gift.subscription.uuid))
    for kind in sandbox_monthly.play(order, action, at):
        headers, body = sandbox.make_event(order, kind, at)
        receive_event(provider_name=sandbox.SandboxProvider.name, headers=headers, body=body, now=at)
    work(at)


def _refund(city: City, project: Project, at: dt.datetime) -> None:
    gift = _give(city, project, 200, "refunded", at)
    asked = donations.ask_refund(
        actor=city.staff["cashier1"],
        gift=gift,
        money=Money(5_000),
        reason="捐赠人来电，付重了",
        now=at,
        by_staff=True,
    )
    donations.approve_refund(actor=city.staff["manager1"], refund=asked, now=at)
    send_refunds(now=at + dt.timedelta(seconds=1))
    _events(gift, "refund_succeed", at)


def _dispute(city: City, project: Project, at: dt.datetime) -> None:
    gift = _give(city, project, 300, "disputed", at)
    _events(gift, "dispute_open", at)
    _events(gift, "dispute_win", at + dt.timedelta(hours=1))


def _events(gift: Gift, action: str, at: dt.datetime) -> None:
    assert gift.payment is not None
    session = SandboxSession.objects.get(ref=gift.payment.session_ref)
    for kind in sandbox.play(session, action, at):
        headers, body = sandbox.make_event(session, kind, at)
        receive_event(provider_name=sandbox.SandboxProvider.name, headers=headers, body=body, now=at)
    work(at)
