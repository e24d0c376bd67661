"""Search with facets, sums, months and the first page on generated lines, on both engines: p50 and p95 by kind of
question. `--lines 1000000` for a million.

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


def _fill(lines: int, settle: Callable[[], Any] | None) -> float:
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
    # Only the owner may: the application's role is refused with a warning, and plans without statistics are slow.
    if settle is not None:
        settle()
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


def _whole(request: Any, tested: Any) -> Callable[[], Any]:
    from search.catalog import catalog
    from search.results import results

    return lambda: results(tested.search(request).ids, catalog())


def _in_turns(ways: dict[str, Callable[[], Any]]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Every way in turns, so that what else the machine does falls on all alike: milliseconds by the clock, and of this
    process's processor time. Three rounds first are not counted."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    work: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 3):
        for name, ask in ways.items():
            started, worked = time.perf_counter(), time.process_time()
            ask()
            if turn >= 3:
                times[name].append((time.perf_counter() - started) * 1000)
                work[name].append((time.process_time() - worked) * 1000)
    return times, work


def run(
    lines: int = LINES, *, elasticsearch_url: str = "", settle: Callable[[], Any] | None = None
) -> dict[str, Any]:
    """This will fill the projection, time every question on each engine after a warm-up, and return milliseconds. With
    an address of Elasticsearch also its rebuild, both comparisons, its raw answers, and the export against COPY."""
    from django.db import connection

    from search.engines import engine

    rate = _fill(lines, settle)
    names = ["postgres"]
    figures: dict[str, Any] = {
        "name": "search: page, facets, sums, months, first 20", "lines": lines, "seed": SEED,
        "published_per_second": round(rate) if rate else None,
    }  # fmt: skip
    if elasticsearch_url:
        figures["elasticsearch"] = build_index(elasticsearch_url)
        names.append("elasticsearch")
    kinds: dict[str, dict[str, list[float]]] = {}
    medians: dict[str, list[float]] = {name: [] for name in (*names, "raw", "own processor")}
    for kind, asked in questions().items():
        for request in asked:
            ways = {name: _whole(request, engine(name)) for name in names}
            if elasticsearch_url:
                ways["raw"] = _raw(request)
            times, work = _in_turns(ways)
            hits = {engine(name).search(request).count for name in names}
            assert len(hits) == 1, (request, hits)
            line = f"  {kind:18}"
            for name, one in times.items():
                medians[name].append(statistics.median(one))
                line += f" {name} {medians[name][-1]:7.1f} ms"
                if name != "raw":
                    kinds.setdefault(kind, {}).setdefault(name, []).extend(one)
            if elasticsearch_url:
                own = statistics.median(work["elasticsearch"]) - statistics.median(work["raw"])
                medians["own processor"].append(own)
                line += f" own {own:4.1f} ms"
            print(f"{line} {hits.pop():8,} hits  {request.query} {dict(request.facets)}", flush=True)
    figures["kinds"] = {
        kind: {
            name: {"p50": round(statistics.median(times), 1), "p95": round(_p95(times), 1)}
            for name, times in by.items()
        }
        for kind, by in kinds.items()
    }
    if elasticsearch_url:
        pairs = [pg / es for pg, es in zip(medians["postgres"], medians["elasticsearch"], strict=True)]
        over = [es / raw for es, raw in zip(medians["elasticsearch"], medians["raw"], strict=True)]
        figures["ratios"] = {
            "postgres/elasticsearch, median (aim 3)": round(statistics.median(pairs), 2),
            "postgres/elasticsearch, worst (aim 6)": round(max(pairs), 2),
            "elasticsearch with rows/raw query, median (aim 1.2)": round(statistics.median(over), 2),
            "our own processor time beside the raw query, median ms": round(
                statistics.median(medians["own processor"]), 2
            ),
        }
    figures["export"] = _export()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_total_relation_size('publication_publicrow'), pg_relation_size('public_row_lexemes')"
        )
        total, index = cursor.fetchone()
    figures["megabytes"] = {"rows and indexes": total >> 20, "lexemes": index >> 20}
    return figures


def build_index(url: str) -> dict[str, float]:
    """This will build the index on a node and compare it, and give the seconds of rebuild and both comparisons."""
    from django.conf import settings

    from apps.core.clock import now
    from search.elastic import comparing, indices

    settings.ELASTICSEARCH_URL, settings.SEARCH_INDEX = url, "bench"
    made = {}
    for name, job in (
        ("rebuild", lambda: indices.rebuild(now=now())),
        ("compare by sums", lambda: comparing.quick_differences(indices.live() or "")),
        ("compare every row", lambda: comparing.differences(indices.live() or "")),
    ):
        started = time.perf_counter()
        job()
        made[f"{name}, s"] = round(time.perf_counter() - started, 2)
        print(f"  {name}: {made[f'{name}, s']} s", flush=True)
    return made


def _raw(request: Any) -> Callable[[], Any]:
    """The same bodies straight to Elasticsearch: no catalogue, no answer put together, no rows read again."""
    from search.catalog import catalog
    from search.elastic.asking import Asking
    from search.elastic.engine import _ask

    bodies = Asking(request, catalog()).bodies()
    return lambda: _ask(bodies)


def _export() -> dict[str, float]:
    """CSV of everything: ours against COPY of the same columns by themselves; seconds, and memory's growth in MB."""
    import resource

    from django.db import connection, transaction

    from search.contract import SearchRequest
    from search.exports.writing import csv_pieces

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    first = 0.0
    size = 0
    for piece in csv_pieces(SearchRequest(sort="date")):
        first = first or time.perf_counter() - started
        size += len(piece)
    ours = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(
            "COPY (SELECT t.public_id, t.batch, t.heading, t.text, x.amount, x.currency, x.people, x.day, x.period,"
            " x.project, x.category, x.town, x.kind, x.opinion, t.published_at, t.link FROM publication_publicrow x"
            " JOIN publication_publicrowtext t ON t.row_id = x.id WHERE x.alive AND x.view = 0"
            " ORDER BY x.day DESC, x.id DESC) TO STDOUT WITH (FORMAT csv)"
        ) as copy:
            for _block in copy:
                pass
    plain = time.perf_counter() - started
    return {"CSV, s": round(ours, 2), "COPY, s": round(plain, 2), "ratio (aim 2)": round(ours / plain, 2),
            "first byte, s": round(first, 4), "MB written": size >> 20,
            "memory grown, MB": round(grown, 1)}  # fmt: skip


def _p95(times: list[float]) -> float:
    return sorted(times)[max(0, round(len(times) * 0.95) - 1)]


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    names = list(next(iter(figures["kinds"].values())))
    rows = [
        f"{figures['name']}, {figures['lines']:,} lines",
        f"{'kind':20}" + "".join(f"{name + ' p50':>20}{'p95 ms':>10}" for name in names),
    ]
    for kind, by in figures["kinds"].items():
        rows.append(f"{kind:20}" + "".join(f"{by[name]['p50']:>20}{by[name]['p95']:>10}" for name in names))
    rows += [
        f"{key}: {figures[key]}"
        for key in ("ratios", "elasticsearch", "export", "megabytes")
        if key in figures
    ]
    return "\n".join([*rows, f"published/s: {figures['published_per_second']}"])


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "charity_site.settings")
    django.setup()
    print(table(run()))
