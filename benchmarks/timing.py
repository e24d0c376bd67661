"""Whether the time an answer takes tells of a record that isn't public: words of drafts, of withdrawn and superseded
records, and values of facets that only they have, against words and values that nobody ever wrote.

Pairs of questions are asked in turns, in random order; the answers are the same (nothing found), only their times are
compared, by a rank test (Mann-Whitney). AUC is the chance that the first takes longer: 0.50 tells nothing. `control`
compares two invented words with each other; `power` compares a published word with an invented one, to show that the
test would see what there is to see.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

ASKED = 400
SEED = 20261124
MANY = 2_000
GONE_ONE, GONE_MANY, DRAFTED, SEEN = "紫荆花开", "白鹭归巢", "青石板桥", "黄葛树下"
NEVER, NEVER_2 = "蓝瓦新居", "红砖旧院"


def auc(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """This will give the chance that one of the first is longer than one of the second, and the two-sided p of the rank
    test (normal approximation; times hardly ever tie)."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(place for place, (_value, which) in enumerate(ranked, start=1) if which == 0)
    n, m = len(first), len(second)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return u / (n * m), math.erfc(abs(z) / math.sqrt(2))


def _pair(first: Callable[[], Any], second: Callable[[], Any], asked: int) -> dict[str, Any]:
    chance = random.Random(SEED)
    for _ in range(10):
        first(), second()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(asked):
        for which in chance.sample((0, 1), 2):
            started = time.perf_counter()
            (first, second)[which]()
            times[which].append((time.perf_counter() - started) * 1000)
    chance_of_longer, p = auc(*times)
    return {
        "AUC": round(chance_of_longer, 3), "p": float(f"{p:.2g}"),
        "medians, ms": [round(statistics.median(each), 3) for each in times],
    }  # fmt: skip


def _rows(word: str, number: int, project: str) -> list[Any]:
    import datetime as dt

    from apps.core.money import Money
    from apps.publication.drafts import Facet, RowDraft

    return [
        RowDraft(
            view="use", source=f"timing/{word}/{n}", batch=f"timing{word}", public_id=f"{word}{n}",
            link="/disclosures/bench/", amount=Money(100 + n), day=dt.date(2026, 1, 1 + n % 28),
            organization=Facet("org0", "第0慈善会"), project=Facet(project, f"{word}项目"), kind=Facet("kind0", "报告"),
            heading=f"{word}项目第{n // 40}期", text=f"采购瓦片，{word}，由第三方验收。", household_times=5,
        )
        for n in range(number)
    ]  # fmt: skip


def run(
    engines: Sequence[str],
    *,
    vacuum: Callable[[], Any] | None = None,
    index: bool = False,
    asked: int = ASKED,
) -> dict[str, Any]:
    """This will put the records in, take them out again, and compare times on each engine. Works on a filled scratch
    database; `vacuum` is the owner's, `index` says that Elasticsearch follows."""
    from apps.core.clock import now
    from apps.publication.rows import publish_rows, withdraw_rows
    from search.contract import SearchRequest as Ask
    from search.elastic import writing
    from search.engines import engine

    touched: list[int] = []
    for word, number in ((GONE_ONE, 1), (GONE_MANY, MANY), (SEEN, MANY)):
        touched += publish_rows(rows=_rows(word, number, f"secret-{word}"), now=now())
    if index:
        writing.write_rows(touched)
    for word in (GONE_ONE, GONE_MANY):
        withdraw_rows(batch=f"timing{word}", now=now())
    if index:
        writing.write_rows(touched)
        _refresh()
    pairs = {
        "control: two invented words": (Ask(query=NEVER), Ask(query=NEVER_2)),
        "a draft's word": (Ask(query=DRAFTED), Ask(query=NEVER)),
        "a withdrawn record's word": (Ask(query=GONE_ONE), Ask(query=NEVER)),
        f"a word of {MANY} withdrawn records": (Ask(query=GONE_MANY), Ask(query=NEVER)),
        "a project of withdrawn records": (
            Ask(facets={"project": (f"secret-{GONE_MANY}",)}),
            Ask(facets={"project": ("secret-none",)}),
        ),
        f"power: a word of {MANY} published records": (Ask(query=SEEN), Ask(query=NEVER)),
    }
    figures: dict[str, Any] = {"asked": asked, "seed": SEED}
    for round_name in ("at once", "after VACUUM") if vacuum else ("at once",):
        if round_name == "after VACUUM":
            assert vacuum is not None
            vacuum()
        for name in engines:
            if name == "elasticsearch" and round_name == "after VACUUM":
                continue
            tested = engine(name)
            for title, (first, second) in pairs.items():
                if not title.startswith("power"):
                    assert tested.search(first).count == tested.search(second).count == 0, title
                found = _pair(lambda: tested.search(first), lambda: tested.search(second), asked)  # noqa: B023
                figures[f"{name}, {round_name}, {title}"] = found
                print(f"  {name:14} {round_name:13} {title:45} {found}", flush=True)
    withdraw_rows(batch=f"timing{SEEN}", now=now())
    return figures


def _refresh() -> None:
    from search.elastic import client, indices

    client.patient().indices.refresh(index=indices.live())


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    rows = [
        f"does time tell of records that aren't public? {figures['asked']} answers each, rank test; AUC 0.50: no"
    ]
    for name, found in figures.items():
        if isinstance(found, dict):
            rows.append(
                f"{name:75} AUC {found['AUC']:.3f}  p {found['p']:<8} medians {found['medians, ms']} ms"
            )
    return "\n".join(rows)
