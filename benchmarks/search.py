"""Search with facets, sums, months and the first page on generated lines: p50 and p95 by kind of question.

`run()` works on the configured database (a scratch one: it fills the projection) and returns the figures;
`python -m benchmarks.search` prints them. The lines go in by the operation that publishes, so its rate is measured too.
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

LINES = 200_000
SEED = 20261123
ROUNDS = 15

TOWNS = [
    "石桥",
    "横溪",
    "港湾",
    "东凤",
    "南朗",
    "沙溪",
    "古镇",
    "三乡",
    "坦洲",
    "民众",
    "黄圃",
    "阜沙",
    "小榄",
    "大涌",
    "板芙",
    "神湾",
    "五桂",
    "火炬",
    "西城",
    "北台",
    "翠亨",
    "岭头",
    "永宁",
]
CATEGORIES = ["大病", "教育", "危房", "助老", "儿童", "助残", "应急", "社区", "物资", "管理"]
THINGS = [
    "瓦片",
    "防水卷材",
    "檩条",
    "水泥",
    "钢筋",
    "自费药",
    "陪护床",
    "透析",
    "轮椅",
    "助听器",
    "学费",
    "书本",
    "校车",
    "棉被",
    "大米",
    "食用油",
    "帐篷",
    "消毒水",
    "坡道",
    "扶手",
]
VERBS = ["采购", "发放", "修缮", "更换", "加固", "补助", "资助", "配送", "安装", "验收", "运输", "安置"]
TAILS = [
    "由第三方验收",
    "用工表由户主和村委会签字",
    "按批次转账",
    "银行退回后重付",
    "附发票和签收单",
    "结余转入微基金",
    "经镇街审核",
    "家庭以一次性验证码确认",
    "退款已冲销",
    "困难家庭按低保名单核定",
]
COMMON = ["本期", "按预算", "完成"]


def _drafts(number: int, seed: int) -> list[Any]:
    from apps.core.money import Money
    from apps.publication.drafts import Facet, RowDraft

    chance = random.Random(seed)
    organizations = [Facet(f"org{i}", f"第{i}慈善会") for i in range(30)]
    funds = [Facet(f"fund{i}", f"{chance.choice(CATEGORIES)}微基金{i}") for i in range(71)]
    projects = [
        Facet(f"project{i}", f"{chance.choice(TOWNS)}镇{chance.choice(CATEGORIES)}项目{i}")
        for i in range(542)
    ]
    towns = [Facet(f"town{i}", f"{name}镇", f"Town {i}") for i, name in enumerate(TOWNS)]
    categories = [Facet(f"cat{i}", name, f"Category {i}") for i, name in enumerate(CATEGORIES)]
    kinds = [
        Facet(f"kind{i}", name)
        for i, name in enumerate(("实施进展报告", "结项报告", "募捐结果报告", "更正说明"))
    ]
    opinions = ["unqualified"] * 8 + ["qualified", "none"]
    rows = []
    for line in range(number):
        place = chance.randrange(542)
        fund = place % 71
        words = [chance.choice(COMMON), chance.choice(VERBS), chance.choice(THINGS), "，", chance.choice(VERBS),
                 chance.choice(THINGS), "，", chance.choice(TAILS), "，", chance.choice(TAILS), "。"]  # fmt: skip
        rows.append(
            RowDraft(
                view="use",
                source=f"bench/{line}",
                batch=f"bench{line // 40}",
                public_id=f"bench{line}",
                link="/disclosures/bench/",
                amount=Money(int(chance.lognormvariate(11, 1.6)) + 100),
                day=dt.date(2021, 1, 1) + dt.timedelta(days=chance.randrange(2100)),
                organization=organizations[fund % 30],
                fund=funds[fund],
                project=projects[place],
                category=categories[chance.randrange(10)],
                town=towns[min(chance.randrange(23), chance.randrange(23))],
                kind=kinds[chance.choice((0, 0, 0, 0, 1, 1, 2, 3))],
                heading=f"{projects[place].zh}：第{line // 40 % 12 + 1}期",
                text="".join(words),
                household_times=chance.randrange(5, 60),
                opinion=chance.choice(opinions),
            )
        )
    return rows


def _fill(lines: int) -> float:
    from django.db import connection

    from apps.core.clock import now
    from apps.publication.models.rows import PublicRowText
    from apps.publication.rows import publish_rows

    if PublicRowText.objects.filter(source=f"bench/{lines - 1}").exists():
        return 0.0
    drafts = _drafts(lines, SEED)
    started = time.perf_counter()
    for at in range(0, lines, 5000):
        publish_rows(rows=drafts[at : at + 5000], now=now())
        print(f"\r  publishing {at + 5000:,} / {lines:,}", end="", flush=True)
    print()
    rate = lines / (time.perf_counter() - started)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE publication_publicrow")
    return rate


def questions() -> dict[str, list[Any]]:
    """This will give the questions by kind."""
    from search.contract import SearchRequest as Ask

    return {
        "no keyword": [Ask(), Ask(sort="amount"), Ask(sort="date")],
        "common word": [Ask(query="采购"), Ask(query="危房"), Ask(query="验收 OR 修缮"), Ask(query="签字")],
        "common phrase": [
            Ask(query='"由第三方验收"'),
            Ask(query='"用工表由户主和村委会签字"'),
            Ask(query="自费药 家庭确认"),
        ],
        "rare": [
            Ask(query="石桥镇危房项目"),
            Ask(query='"采购轮椅，发放学费"'),
            Ask(query='"购买轮椅"'),
            Ask(query="项目541"),
        ],
        "filters only": [
            Ask(facets={"town": ("town3",)}),
            Ask(facets={"category": ("cat2",), "opinion": ("qualified",)}),
            Ask(facets={"project": ("project7",)}, sort="amount"),
            Ask(day_from=dt.date(2025, 1, 1), day_to=dt.date(2025, 12, 31)),
        ],
        "words and filters": [
            Ask(query="采购 轮椅", facets={"town": ("town1", "town2")}),
            Ask(query="危房 -退款", facets={"kind": ("kind0",), "category": ("cat2",)}),
            Ask(
                query='"家庭以一次性验证码确认" OR 助听器',
                amount_min=100_000,
                facets={"opinion": ("qualified",)},
            ),
        ],
        "without": [Ask(query="-退款"), Ask(query='大米 -"经镇街审核"')],
    }


def _timed(ask: Callable[[], Any]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


def run(lines: int = LINES) -> dict[str, Any]:
    """This will fill the projection, time every question after a warm-up, and return milliseconds."""
    from django.db import connection

    from search.catalog import catalog
    from search.engines import engine
    from search.results import results

    rate = _fill(lines)
    tested = engine("postgres")
    kinds: dict[str, dict[str, float]] = {}
    everything: list[float] = []
    for kind, asked in questions().items():
        times: list[float] = []
        for request in asked:
            hits = tested.search(request).count

            def whole(request: Any = request) -> None:
                results(tested.search(request).ids, catalog())

            one = [_timed(whole) for _ in range(ROUNDS)]
            print(
                f"  {kind:18} {statistics.median(one):7.1f} ms {hits:8,} hits  {request.query} {dict(request.facets)}"
            )
            times += one
        kinds[kind] = {"p50": round(statistics.median(times), 1), "p95": round(_p95(times), 1)}
        everything += times
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_total_relation_size('publication_publicrow'), pg_relation_size('public_row_lexemes')"
        )
        total, index = cursor.fetchone()
    return {
        "name": "search on PostgreSQL: page, facets, sums, months, first 20",
        "lines": lines,
        "seed": SEED,
        "kinds": kinds,
        "all": {"p50": round(statistics.median(everything), 1), "p95": round(_p95(everything), 1)},
        "aim": "p95 <= 100 ms",
        "published_per_second": round(rate) if rate else None,
        "megabytes": {"rows and indexes": total >> 20, "lexemes": index >> 20},
    }


def _p95(times: list[float]) -> float:
    return sorted(times)[max(0, round(len(times) * 0.95) - 1)]


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    rows = [f"{figures['name']}, {figures['lines']:,} lines", f"{'kind':20}{'p50 ms':>10}{'p95 ms':>10}"]
    rows += [
        f"{kind:20}{ms['p50']:>10}{ms['p95']:>10}"
        for kind, ms in {**figures["kinds"], "all": figures["all"]}.items()
    ]
    return "\n".join(
        [
            *rows,
            f"aim {figures['aim']}; {figures['megabytes']}; published/s: {figures['published_per_second']}",
        ]
    )


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "charity_site.settings")
    django.setup()
    print(table(run()))
