"""Building the demonstration city from nothing, with progress."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from typing import Any

from stdnum.cn.uscc import calc_check_digit

from apps.core.actors import system
from apps.core.clock import SHANGHAI
from apps.core.invariants import run_all
from apps.donations.operations import assign_receipt_range
from apps.funds import operations as funds
from apps.funds.models import MicroFund, Project
from apps.ledger.models import Book
from apps.ledger.operations import Credit, fold_quiet_earmarks, open_earmark, post_credit
from apps.ledger.states import AccountRole, EarmarkKind, EntryKind
from apps.organizations.models import AuditFirm, Organization
from apps.organizations.operations import register_audit_firm, register_organization
from apps.places.operations import add_town
from apps.publication.releases import release_due
from charity_site.demonstration import facts
from charity_site.demonstration.clockwork import silence, work
from charity_site.demonstration.families import work_with_families
from charity_site.demonstration.giving import give_in_other_ways
from charity_site.demonstration.goods import keep_goods
from charity_site.demonstration.people import make_staff
from charity_site.demonstration.reports import publish_reports
from charity_site.demonstration.shop import open_shop
from charity_site.demonstration.story import City, give, help_families, make_project, moment, spend
from charity_site.demonstration.yearly import publish_other_reports

ACTOR = system("demo")


def exists() -> bool:
    """This will tell whether the demonstration city stands already."""
    return MicroFund.objects.filter(slug=facts.FUNDS[0].slug).exists()


def build_small(*, seed: int, now: dt.datetime, say: Callable[[str], None]) -> City:
    """This will build the small city in under a minute, with progress through `say`."""
    city = lay_ground(seed=seed, now=now, say=say)
    tell_story(city, say=say)
    return city


def tell_story(city: City, *, say: Callable[[str], None]) -> None:
    """This will let the plans of `facts` happen: gifts, aid, expenses, reports and stories."""
    began, now = time.monotonic(), city.now
    steps = sum(plan.gifts + plan.families + plan.expenses for plan in facts.PLANS)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done % 50 == 0:
            spent = time.monotonic() - began
            say(f"{done} of {steps} steps, about {spent / done * (steps - done):.0f} s left")

    # All campaigns open first: a report that is late refuses the next one (F7).
    _epidemic(city)
    opened = {plan.slug: _open_project(city, plan) for plan in facts.PLANS}
    projects = {plan.slug: _fill_project(city, plan, opened[plan.slug], tick) for plan in facts.PLANS}
    give_in_other_ways(city, projects["child-illness"])
    keep_goods(city)
    say("a warehouse and its goods")
    open_shop(city)
    say("wishes in the shop")
    work_with_families(city, projects)
    say("the centres' tables and cases under them")
    fold_quiet_earmarks()
    release_due(now=now)
    work(now)
    publish_reports(city, projects)
    publish_other_reports(city)
    work(now)
    say("reports written, audited and published")
    _stories(city, projects)
    run_all(now=now)


def lay_ground(*, seed: int, now: dt.datetime, say: Callable[[str], None]) -> City:
    """This will make towns, people, organizations, funds and receipt numbers."""
    silence()
    at = dt.datetime(2019, 12, 1, 9, tzinfo=SHANGHAI)
    federation = _charity(facts.FEDERATION, first_year=now.year, is_federation=True)
    partners = {each.code: _charity(each, first_year=now.year) for each in facts.PARTNERS}
    towns = [
        add_town(actor=ACTOR, code=code, name_zh=zh, name_en=en, position=n)
        for n, (code, zh, en) in enumerate(facts.TOWNS, start=1)
    ]
    firms: list[AuditFirm] = [
        register_audit_firm(actor=ACTOR, name=name, name_en=en, uscc=body + calc_check_digit(body), licence=licence,
                            is_fictional=True)
        for name, en, body, licence in facts.FIRMS
    ]  # fmt: skip
    staff = make_staff(federation, list(partners.values()), towns, firms, at)
    made = {
        fund.slug: funds.open_fund(
            actor=staff["manager1"], organization=federation, now=at, slug=fund.slug, name=fund.name,
            name_en=fund.name_en, category=fund.category, purpose=fund.purpose, purpose_en=fund.purpose_en,
            committee="管理委员会由捐赠人代表、机构和社工各一名组成。", founding_amount=10_000_000,
        )
        for fund in facts.FUNDS
    }  # fmt: skip
    book = Book.objects.get(code=funds.FEDERATION_BOOK)
    for kind, yuan in ((EarmarkKind.OPERATIONS, 30_000), (EarmarkKind.RESERVE, 10_000)):
        mark = open_earmark(book=book, kind=kind, owner=federation.pk)
        post_credit(
            actor=ACTOR,
            credit=Credit(f"demo:opening:{kind}", mark.pk, yuan * 100, at, into=AccountRole.BANK,
                          income=AccountRole.OTHER_INCOME, kind=EntryKind.INCOME, channel="bank"),
        )  # fmt: skip
    assign_receipt_range(actor=ACTOR, code="44990126", first=2_380_001, last=2_999_999, is_demonstration=True)
    say("people, towns, organizations")
    return City(federation, partners, towns, made, staff, random.Random(seed), now)  # noqa: S311  (the story, no secret)


def _charity(each: facts.Charity, *, first_year: int, **more: Any) -> Organization:
    return register_organization(
        actor=ACTOR, name=each.name, name_en=each.name_en, uscc=each.body + calc_check_digit(each.body), kind=each.kind,
        address="澜江市博爱路16号3楼", phone="0799-8866 1200", certificate=each.certificate, is_fictional=True,
        first_report_year=first_year, **more,
    )  # fmt: skip


def _open_project(city: City, plan: facts.Plan) -> Project:
    project = make_project(city, plan)
    if plan.end == "filed":
        return project
    start = moment(city, plan.start, 1)
    return funds.start_raising(actor=city.staff["officer1"], project=project, now=start)


def _fill_project(city: City, plan: facts.Plan, project: Project, tick: Callable[[], None]) -> Project:
    if plan.end == "filed":
        return project
    officer = city.staff["officer1"]
    months = list(range(plan.start, min(plan.start + plan.months, 1)))
    give(city, project, plan.gifts, months, tick)
    later = months[1:] or months
    if plan.families:
        help_families(city, project, plan, later, tick)
    if plan.expenses:
        spend(city, project, plan, later, tick)
    if plan.end in ("closed", "executing"):
        project = funds.close_raising(actor=officer, project=project, now=moment(city, months[-1], 27))
    if plan.end == "executing":
        project = funds.start_executing(actor=officer, project=project, now=moment(city, 0, 1))
    return project


def _epidemic(city: City) -> None:
    """A campaign of January 2020, closed at its end, for lists of offline gifts of that time."""
    project = make_project(city, facts.EPIDEMIC, starts_on=dt.date(2020, 1, 20))
    officer = city.staff["officer1"]
    opened = dt.datetime(2020, 1, 20, 9, tzinfo=SHANGHAI)
    project = funds.start_raising(actor=officer, project=project, now=opened)
    funds.close_raising(actor=officer, project=project, now=opened + dt.timedelta(days=360))


def _stories(city: City, projects: dict[str, Project]) -> None:
    from charity_site.demonstration.pages import publish_stories

    publish_stories(projects)
