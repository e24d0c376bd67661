import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.translation import override

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def in_chinese() -> Iterator[None]:
    """A request in English by an earlier test leaves its language behind in the thread."""
    with override("zh-hans"):
        yield


@pytest.fixture
def elastic(elasticsearch_url: str, settings: Any) -> Iterator[str]:
    """Elasticsearch under index names of this test's own; the site still answers from PostgreSQL unless the test turns
    SEARCH_ENGINE."""
    from search.elastic import client
    from search.engines import engine

    settings.ELASTICSEARCH_URL = elasticsearch_url
    settings.SEARCH_INDEX = f"t_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_numbers)}"
    first = engine_with_fallback().breaker
    first.worked()
    yield elasticsearch_url
    settings.ELASTICSEARCH_URL = elasticsearch_url
    names = list(client.patient().indices.get(index=f"{settings.SEARCH_INDEX}-*"))
    for name in names:
        client.patient().indices.delete(index=name)
    assert engine("postgres").name == "postgres"


def engine_with_fallback() -> Any:
    from search.engines import _with_fallback

    return _with_fallback()
