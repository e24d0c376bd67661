"""The city at the scale of the published plan: 71 micro-funds, 542 projects, 156,000 gifts of 24.65 million yuan, and
the goods of city_goods.

The small city's story is part of it. What it lacks to the plan's numbers comes as one list a project, read, staged and
recorded by the operations that cashiers use; no ledger row is written by hand.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db.models import Count, Sum

from apps.core.actors import system
from apps.core.clock import SHANGHAI, add_months, civil_day
from apps.core.invariants import run_all
from apps.donations.models import Gift
from apps.donations.operations import lists
from apps.funds import operations as funds
from apps.funds.models import MicroFund, Project
from apps.funds.operations import BudgetDraft
from apps.inventory.models import Warehouse
from apps.ledger.operations import fold_quiet_earmarks
from charity_site.demonstration import facts
from charity_site.demonstration.build import lay_ground, tell_story
from charity_site.demonstration.city_goods import fill_warehouse
from charity_site.demonstration.clockwork import time_left, work
from charity_site.demonstration.story import City

FUNDS, PROJECTS, GIFTS, FEN = 71, 542, 156_000, 2_465_000_000
"""What the published plan states for 2021-2025."""
ACTOR = system("demo")
SOURCE = "澜江慈善平台（演示）"
NEED = {
    "illness": ("大病救助", "帮助医保报销之后仍付不起药费的家庭。"), "education": ("助学", "资助困难家庭的学生。"),
    "housing": ("危房修缮", "修缮困难家庭的危房。"), "elderly": ("助老", "照料独居和失能老人。"),
    "children": ("护童", "陪伴留守和困境儿童。"), "disability": ("助残", "为残疾人家庭改造居家环境。"),
    "emergency": ("应急", "灾后临时安置。"), "community": ("邻里互助", "社区里的互助和小修小补。"),
}  # fmt: skip
MONTHS = 6
"""A campaign of six months owes no report before its end, so that the city invents no lateness."""


def build_city(*, seed: int, now: dt.datetime, say: Callable[[str], None]) -> City:
    """This will build the small city and everything that lacks to the plan's numbers, with time left.

    The projects come before the story: it leaves a report overdue, after which no campaign may open (F7).
    """
    city = lay_ground(seed=seed, now=now, say=say)
    rng = random.Random(seed)  # noqa: S311  (the story, no secret)
    _more_funds(city)
    projects = _more_projects(city, rng, say)
    tell_story(city, say=say)
    fill_warehouse(city, Warehouse.objects.get(code="boai"), rng, say)
    _more_gifts(city, projects, rng, say)
    fold_quiet_earmarks()
    work(now)
    run_all(now=now)
    return city


def _more_funds(city: City) -> None:
    at = city.now - dt.timedelta(days=400)
    for n in range(MicroFund.objects.count() + 1, FUNDS + 1):
        town = city.towns[n % len(city.towns)]
        category = list(NEED)[n % len(NEED)]
        word, purpose = NEED[category]
        fund = funds.open_fund(
            actor=city.staff["manager1"], organization=city.federation, now=at, slug=f"fund-{n:02d}",
            name=f"{town.name_zh}{word}微基金（{n:02d}）", name_en=f"{town.name_en} Fund {n:02d}", category=category,
            purpose=purpose, purpose_en="", committee="管理委员会由捐赠人代表、机构和社工各一名组成。",
            founding_amount=5_000_000,
        )  # fmt: skip
        city.funds[fund.slug] = fund


def _more_projects(city: City, rng: random.Random, say: Callable[[str], None]) -> list[Project]:
    own = [fund for slug, fund in sorted(city.funds.items()) if slug.startswith("fund-")]
    wanted = PROJECTS - len(facts.PLANS) - 1  # the story's, and the epidemic's
    made, began = [], time.monotonic()
    for n in range(wanted):
        fund, town = own[n % len(own)], city.towns[n % len(city.towns)]
        start = add_months(civil_day(city.now).replace(day=1), -(n % (MONTHS - 1)))
        made.append(_project(city, fund, n, town.name_zh, start, rng))
        if (n + 1) % 50 == 0:
            say(time_left("projects", n + 1, wanted, began))
    return made


def _project(city: City, fund: MicroFund, n: int, town: str, start: dt.date, rng: random.Random) -> Project:
    at = dt.datetime.combine(start, dt.time(9), tzinfo=SHANGHAI)
    target = rng.choice([200_000, 300_000, 500_000]) * 100
    word, purpose = NEED[fund.category]
    aid = target * 94 // 100
    project = funds.draft_project(
        actor=city.staff["officer1"], fund=fund, now=at - dt.timedelta(days=14), slug=f"project-{n + 1:03d}",
        name=f"{town}{word}第{n + 1:03d}期", name_en=f"Project {n + 1:03d}", summary=purpose, summary_en="",
        category=fund.category, purpose=purpose, purpose_en="", starts_on=start, ends_on=add_months(start, MONTHS),
        area=facts.CITY, town=None, partner=None, person_in_charge="项目负责人",
        office_address="澜江市博爱路16号3楼", phone="0799-8866 1207", beneficiaries="澜江市低保、低收入和特困家庭",
        cost_rate_bp=300, surplus_rule="有结余时，转入同一微基金，用于同类项目。", is_emergency=False, target=target,
        budget=[
            BudgetDraft("aid", "发给家庭的救助金", aid, "Aid to families", is_aid_line=True),
            BudgetDraft("management", "项目管理", (target - aid) // 2, "Management", cost="management"),
            BudgetDraft("fees", "支付手续费", target - aid - (target - aid) // 2, "Payment fees", cost="fundraising",
                        is_fee_line=True),
        ],
    )  # fmt: skip
    funds.submit_project(actor=city.staff["officer1"], project=project, now=at - dt.timedelta(days=13))
    funds.file_project(
        actor=city.staff["manager1"], project=project, filing_number=f"51449900MJK614024DEMO{project.pk:03d}",
        now=at - dt.timedelta(days=10),
    )  # fmt: skip
    return funds.start_raising(actor=city.staff["officer1"], project=project, now=at)


def _more_gifts(city: City, projects: list[Project], rng: random.Random, say: Callable[[str], None]) -> None:
    """Shares out what lacks of gifts and money over the projects, the last fen to the last gift."""
    there = Gift.objects.filter(status="received").aggregate(n=Count("pk"), fen=Sum("amount"))
    count, fen = GIFTS - there["n"], FEN - (there["fen"] or 0)
    amounts = _amounts(count, fen, rng)
    began, at = time.monotonic(), 0
    with TemporaryDirectory(prefix="demo-") as folder:
        for n, project in enumerate(projects):
            mine = amounts[at : len(amounts) * (n + 1) // len(projects)]
            at += len(mine)
            _record(city, project, mine, Path(folder) / "list.csv", rng)
            if (n + 1) % 25 == 0:
                say(time_left("gifts", at, count, began))


def _amounts(count: int, fen: int, rng: random.Random) -> list[int]:
    """`count` amounts (fen) of the usual sizes that add up to `fen` exactly, none below a yuan."""
    weights = [rng.choice([1, 2, 5, 5, 10, 10, 10, 20, 20, 50]) for _ in range(count)]
    whole, yuan = sum(weights), fen // 100
    parts = [max(yuan * weight // whole, 1) for weight in weights]
    for n in range(yuan - sum(parts)):
        parts[n % count] += 1
    amounts = [part * 100 for part in parts]
    amounts[-1] += fen - sum(amounts)
    return amounts


def _record(city: City, project: Project, amounts: list[int], path: Path, rng: random.Random) -> None:
    days = max((civil_day(city.now) - project.starts_on).days, 1)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["日期", "捐赠人", "金额", "流水号"])
        for n, amount in enumerate(amounts):
            day = project.starts_on + dt.timedelta(days=rng.randrange(days))
            writer.writerow(
                [
                    day.isoformat(),
                    "爱心人士",
                    f"{amount // 100}.{amount % 100:02d}",
                    f"{project.slug}-{n:05d}",
                ]
            )
    listing = lists.start_import(
        actor=ACTOR, fund=project.fund, project=project, source=SOURCE, file_name=f"{project.slug}.csv", path=path,
        currency="CNY", now=city.now, keep_file=False,
    )  # fmt: skip
    listing = lists.stage_import(actor=ACTOR, listing=listing, now=city.now, path=path)
    listing = lists.decide_import(actor=ACTOR, listing=listing, known="", now=city.now, ring=False)
    lists.record_import(actor=ACTOR, listing=listing, now=city.now)
