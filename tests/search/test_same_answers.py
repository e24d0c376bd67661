"""Every engine and the naive oracle give the same set, order, totals, facets and months (S2): PostgreSQL,
Elasticsearch, and nothing but the contract in memory. `--long` draws ten times as many."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable, Sequence

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.publication.drafts import RowDraft
from apps.publication.models.rows import PublicRow
from apps.publication.rows import publish_rows
from search.contract import SearchAnswer, SearchRequest
from search.elastic import indices, writing
from search.elastic.client import patient
from search.elastic.documents import tombstone
from search.elastic.engine import ElasticsearchEngine
from search.engines import engine
from tests.search import oracle
from tests.search.strategies import requests, rows

NOW = dt.datetime(2026, 3, 1, 4, 0, tzinfo=dt.UTC)
EXAMPLES = 70
PAGES = 4
Answers = Callable[[Sequence[SearchRequest]], list[SearchAnswer]]


def agrees(answer: SearchAnswer, expected: dict[str, object]) -> None:
    assert answer.count == expected["count"]
    assert set(answer.totals) == expected["totals"]
    assert answer.household_times == expected["household_times"]
    assert {
        name: {item.key: item.count for item in items} for name, items in answer.facets.items()
    } == expected["facets"]
    months = {item.month: (item.count, item.household_times, item.long_periods) for item in answer.months}
    assert months == expected["months"]


def same(ask: Answers, published: dict[int, RowDraft], asked: Sequence[SearchRequest]) -> None:
    expected = [oracle.search(published, request) for request in asked]
    answers = ask(asked)
    walked: list[list[int]] = [[] for _ in asked]
    turning: dict[int, SearchAnswer] = {}
    for place, answer in enumerate(answers):
        agrees(answer, expected[place])
        walked[place] += answer.ids
        turning[place] = answer
    for _ in range(PAGES):
        turning = {place: page for place, page in turning.items() if page.next is not None}
        if not turning:
            break
        following = ask(
            [dataclasses.replace(asked[place], after=page.next) for place, page in turning.items()]
        )
        for (place, page), answer in zip(turning.items(), following, strict=True):
            assert answer.ids and answer.count == page.count
            walked[place] += answer.ids
        turning = dict(zip(turning, following, strict=True))
    for place, seen in enumerate(walked):
        ids: list[int] = expected[place]["ids"]  # type: ignore[assignment]
        assert seen == ids[: len(seen)]
        assert (place in turning and turning[place].next) or len(seen) == len(ids)


class RollBack(Exception):
    pass


def from_postgres(asked: Sequence[SearchRequest]) -> list[SearchAnswer]:
    return [engine("postgres").search(request) for request in asked]


def check(
    published: list[RowDraft],
    asked: list[SearchRequest],
    *answers: Answers,
    filled: Callable[[list[int]], None],
) -> None:
    with pytest.raises(RollBack), transaction.atomic():
        ids = publish_rows(rows=published, now=NOW)
        filled(ids)
        for ask in answers:
            same(ask, dict(zip(ids, published, strict=True)), asked)
        raise RollBack


def test_both_engines_answer_as_the_oracle(db: None, elastic: str, pytestconfig: pytest.Config) -> None:
    """One index for all examples: what an example wrote is covered by tombstones when the next one writes."""
    indices.rebuild(now=NOW)
    name = indices.live()
    assert name is not None
    before: list[int] = []
    later = itertools.count(10**12)
    cases = 0

    def fill(ids: list[int]) -> None:
        nonlocal before
        gone: list[dict[str, object]] = []
        for pk in before:
            version = next(later)
            gone += [
                {"index": {"_id": str(pk), "version": version, "version_type": "external"}},
                tombstone(pk, version),
            ]
        if gone:
            patient().bulk(index=name, operations=gone)
        done = writing.send(
            list(PublicRow.objects.filter(pk__in=ids).select_related("heading")), [f"{name}-write"]
        )
        assert done.written == len(ids)
        patient().indices.refresh(index=name)
        before = ids

    @settings(
        max_examples=EXAMPLES * (10 if pytestconfig.getoption("--long") else 1),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(published=rows(), asked=st.lists(requests(), min_size=24, max_size=36))
    def run(published: list[RowDraft], asked: list[SearchRequest]) -> None:
        nonlocal cases
        cases += len(asked)
        check(published, asked, from_postgres, ElasticsearchEngine().search_many, filled=fill)

    run()
    assert cases >= 24 * EXAMPLES // 2
