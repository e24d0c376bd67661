"""What an attacker would send, to both engines: bounded, clean, and nothing that isn't public by id, count, facet or
cache."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core import signing
from django.core.cache import cache
from django.test import Client

from apps.core.money import Money
from apps.publication.rows import publish_rows, withdraw_rows
from search import limits, parameters
from search.contract import FACETS, SearchRequest
from search.elastic import client as es
from search.elastic import indices, writing
from search.engines import engine
from search.fallback import LABEL
from tests.publication.test_rows import NOW, draft

BOMBS = {
    "brackets": "(" * 120 + "危" + ")" * 120,
    "signs": "-" * 256,
    "double negations": "NOT " * 60 + "危房",
    "or chain": " OR ".join(["危房"] * 42),
    "different words": " ".join(f"w{n}" for n in range(33)),
    "quotes": '"' * 256,
    "prefixes": " ".join(f"a{n}*" for n in range(32)),
    "all negative": " ".join(f"-w{n}" for n in range(32)),
    "nested or and not": "(-(a OR -(b OR -(c OR -(d OR -(e OR -(f OR g)))))))",
    "long words": "危" * 256,
    "regex": ".*(a+)+$ [a-z]{1,9999}危房~9 /x/",
    "lucene": "_exists_:alive text:* alive:false id:[0 TO *] {!x} \\",
    "sql": "'); DROP TABLE publication_publicrow; -- '&!|:*<->",
    "nul": "危\x00房",
}


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_MINUTE", 100_000)


@pytest.fixture
def rows(db: None, elastic: str) -> list[int]:
    ids = publish_rows(
        rows=[draft(n, heading=f"危房第{n}期", amount=Money(n * 100)) for n in range(1, 8)], now=NOW
    )
    indices.rebuild(now=NOW)
    return ids


@pytest.fixture(params=["postgres", "elasticsearch"])
def served(request: pytest.FixtureRequest, rows: list[int], settings: Any) -> str:
    settings.SEARCH_ENGINE = request.param
    return str(request.param)


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_are_answered_or_refused_by_a_limit(client: Client, served: str, name: str) -> None:
    response = client.get("/api/v1/uses?q=" + quote(BOMBS[name]))
    assert response.status_code in ((400,) if name == "nul" else (200, 422)), name
    if response.status_code == 200:
        assert response.json()["engine"] == served, "a bomb must not open the breaker"
        assert response.json()["count"] <= 7
    elif response.status_code == 422:
        assert response.json()["code"] in ("query_too_long", "query_too_deep", "query_too_many_words")
    assert client.get("/disclosures/?q=" + quote(BOMBS[name])).status_code == response.status_code


def test_ten_kilobytes_are_refused_before_anything_is_parsed(client: Client, served: str) -> None:
    for query in ("q=" + "a" * 10_000, "town=" + "x" * 10_000, "cursor=" + "y" * 10_000, "z" * 10_000 + "=1"):
        response = client.get("/api/v1/uses?" + query)
        assert response.status_code in (400, 414, 422), query[:20]


def test_a_flood_of_facets_is_bounded(client: Client, served: str) -> None:
    flood = urlencode([(name, f"v{n}") for name in FACETS for n in range(51)])
    assert client.get("/api/v1/uses?" + flood).status_code == 422
    most = urlencode([(name, f"v{n}") for name in FACETS for n in range(parameters.MOST_VALUES)])
    answer = client.get("/api/v1/uses?" + most)
    assert answer.status_code == 200 and answer.json()["count"] == 0 and answer.json()["engine"] == served
    assert client.get("/disclosures/?" + most).status_code == 200


def test_both_engines_refuse_alike(rows: list[int]) -> None:
    both = [engine("postgres"), engine("elasticsearch")]
    for text in BOMBS.values():
        said = []
        for tested in both:
            try:
                said.append(
                    dataclasses.replace(tested.search(SearchRequest(query=text)), engine="", as_of=NOW)
                )
            except Exception as error:
                said.append(type(error))  # type: ignore[arg-type]
        assert said[0] == said[1], text


# Cursors


def test_a_forged_cursor_is_refused(client: Client, served: str) -> None:
    """Signed with our salt or not at all; of this question or not at all; whole numbers of the right number."""
    address = client.get("/api/v1/uses?q=危房&limit=2").json()["next"]
    cursor = address.split("cursor=")[1].split("&")[0]
    fingerprint = SearchRequest(query="危房", limit=2).fingerprint()
    forged = [
        cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
        "x" + cursor,
        cursor.split(":")[0],
        signing.dumps([fingerprint, 0, 1, 2], salt="other"),
        signing.dumps([fingerprint, 0, 1, 2], key="another key", salt=parameters.SALT),
        "W10:" + cursor,
        "",
    ]
    for each in forged[:-1]:
        response = client.get("/api/v1/uses?" + urlencode({"q": "危房", "limit": 2, "cursor": each}))
        assert response.status_code == 422 and response.json()["code"] == "bad_cursor", each
    for other in ("q=瓦片", "q=危房&town=shiqiao", "q=危房&sort=amount", "q=危房&amount_min=1"):
        response = client.get(f"/api/v1/uses?{other}&limit=2&cursor={cursor}")
        assert response.json()["code"] == "bad_cursor", other


def test_a_cursor_survives_the_change_of_engine(client: Client, rows: list[int], settings: Any) -> None:
    """A page turned while Elasticsearch is away continues where the other engine stopped: no gap, no repeat."""
    seen: list[str] = []
    settings.SEARCH_ENGINE = "elasticsearch"
    address: str | None = "/api/v1/uses?q=危房&limit=2"
    engines = []
    while address:
        answer = client.get(address).json()
        seen += [row["id"] for row in answer["results"]]
        engines.append(answer["engine"])
        address = answer["next"]
        settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    assert seen == [f"row{n}" for n in range(7, 0, -1)] and engines == ["elasticsearch", LABEL, LABEL, LABEL]


# Nothing that isn't public


def test_withdrawn_and_superseded_rows_leave_no_trace(client: Client, served: str, rows: list[int]) -> None:
    withdraw_rows(sources=["report/r1/3"], now=NOW)
    publish_rows(rows=[draft(4, heading="改过的标题", amount=Money(400))], now=NOW)
    writing.write_rows(rows)
    es.patient().indices.refresh(index=indices.live())
    everything = client.get("/api/v1/uses?limit=100").json()
    assert everything["count"] == 6 and len(everything["results"]) == 6
    assert everything["totals"] == [{"amount": 2500, "currency": "CNY"}]
    assert all(sum(item["count"] for item in items) == 6 for items in everything["facets"].values())
    assert sum(month["count"] for month in everything["months"]) == 6
    for query in ("q=危房第3期", "q=危房第4期", "q=row3"):
        answer = client.get(f"/api/v1/uses?{query}").json()
        assert (answer["count"], answer["results"], answer["months"]) == (0, [], []), query
        assert not any(answer["facets"].values())
    for path in ("/disclosures/export.csv", "/disclosures/feed.atom"):
        response = client.get(path)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        assert "危房第3期".encode() not in body and "危房第4期".encode() not in body


def test_drafts_have_no_row_to_be_found_by(client: Client, served: str) -> None:
    """Only what publish_rows wrote is searched: a facet's value that no public row carries is never counted."""
    from apps.publication.models.rows import FacetValue

    FacetValue.objects.create(facet="town", code=77, key="hidden", label_zh="未公布的镇")
    cache.clear()
    answer = client.get("/api/v1/uses").json()
    assert "hidden" not in {item["value"] for item in answer["facets"]["town"]}
    assert client.get("/api/v1/uses?town=hidden").json()["count"] == 0
    assert "未公布的镇" not in client.get("/disclosures/").content.decode()


# Caches


def test_a_page_is_kept_under_everything_it_depends_on(client: Client, rows: list[int]) -> None:
    """An attacker who can choose headers, hosts or unknown parameters fills nobody else's cache."""
    plain = client.get("/disclosures/?q=危房")
    assert "Cookie" in plain["Vary"] and plain.status_code == 200
    evil = {"X-Forwarded-Host": "evil.example", "X-Original-URL": "/evil", "X-Forwarded-Scheme": "nothttps"}
    assert b"evil.example" not in client.get("/disclosures/?q=危房", headers=evil).content
    assert b"evil" not in client.get("/disclosures/?q=危房").content
    assert client.get("/disclosures/?q=危房", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/disclosures/?q=危房&utm_source=evil").status_code == 400
    assert client.get("/disclosures/?q=危房").status_code == 200
    english = client.get("/en/disclosures/?q=危房").content.decode()
    assert (
        'lang="en"' in english
        and 'lang="en"' not in client.get("/disclosures/?q=危房").content.decode()[:200]
    )
    order = client.get("/disclosures/?town=shiqiao&town=other").content
    assert order and client.get("/disclosures/?q=危房").content == plain.content


def test_an_answer_of_the_api_is_not_kept_for_another_question(client: Client, served: str) -> None:
    one, two = client.get("/api/v1/uses?q=危房"), client.get("/api/v1/uses?q=无此词")
    assert one["ETag"] != two["ETag"] and "must-revalidate" in one["Cache-Control"]
    assert client.get("/api/v1/uses?q=无此词", headers={"If-None-Match": one["ETag"]}).status_code == 200
