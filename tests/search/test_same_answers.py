"""Every engine and the naive oracle give the same set, order, totals, facets and months."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.publication.drafts import RowDraft
from apps.publication.rows import publish_rows
from search.contract import Engine, SearchRequest
from search.engines import engine
from tests.search import oracle
from tests.search.strategies import requests, rows

NOW = dt.datetime(2026, 3, 1, 4, 0, tzinfo=dt.UTC)


def same(tested: Engine, published: dict[int, RowDraft], request: SearchRequest) -> None:
    expected = oracle.search(published, request)
    answer = tested.search(request)
    assert answer.count == expected["count"]
    assert set(answer.totals) == expected["totals"]
    assert answer.household_times == expected["household_times"]
    assert {
        name: {item.key: item.count for item in items} for name, items in answer.facets.items()
    } == expected["facets"]
    months = {item.month: (item.count, item.household_times, item.long_periods) for item in answer.months}
    assert months == expected["months"]
    walked, page = list(answer.ids), answer
    for _ in range(20):
        if page.next is None:
            break
        page = tested.search(dataclasses.replace(request, after=page.next))
        assert page.ids and page.count == answer.count
        walked += page.ids
    assert walked == expected["ids"][: len(walked)]
    assert page.next is not None or len(walked) == answer.count


class RollBack(Exception):
    pass


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(published=rows(), asked=st.lists(requests(), min_size=8, max_size=14))
def test_postgres_answers_as_the_oracle(
    db: None, published: list[RowDraft], asked: list[SearchRequest]
) -> None:
    with pytest.raises(RollBack), transaction.atomic():
        ids = publish_rows(rows=published, now=NOW)
        for request in asked:
            same(engine("postgres"), dict(zip(ids, published, strict=True)), request)
        raise RollBack
