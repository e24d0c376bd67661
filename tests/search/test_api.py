"""The open data API: shape, pages, errors, ETag, CORS, limits."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from apps.core.money import Money
from apps.publication.rows import publish_rows
from search import limits
from tests.publication.test_rows import NOW, draft

FIELDS = {"count", "totals", "household_times", "facets", "months", "results", "next", "as_of", "engine"}


@pytest.fixture
def published(db: None) -> list[int]:
    rows = [
        draft(n, amount=Money(n * 100, "USD" if n == 5 else "CNY"), day=dt.date(2026, 2, n))
        for n in range(1, 6)
    ]
    return publish_rows(rows=[*rows, draft(9, view="report")], now=NOW)


def test_the_answer_has_the_published_shape(client: Client, published: list[int]) -> None:
    answer = client.get("/api/v1/uses").json()
    assert set(answer) == FIELDS
    assert answer["count"] == 5 and answer["household_times"] == 55 and answer["engine"] == "postgres"
    assert answer["totals"] == [{"amount": 1000, "currency": "CNY"}, {"amount": 500, "currency": "USD"}]
    assert answer["facets"]["town"] == [{"value": "shiqiao", "label": "石桥镇", "count": 5}]
    assert answer["facets"]["opinion"] == [{"value": "qualified", "label": "保留意见", "count": 5}]
    assert answer["months"][0]["month"] == "2026-02" and answer["months"][0]["long_periods"] == 5
    first = answer["results"][0]
    assert (first["id"], first["report"], first["amount"]) == (
        "row5",
        "r1",
        {"amount": 500, "currency": "USD"},
    )
    assert first["project"] == {"value": "shiqiao", "label": "石桥镇危房修缮", "label_en": ""}
    assert [row["id"] for row in client.get("/api/v1/disclosures").json()["results"]] == ["row9"]


def test_pages_by_cursor(client: Client, published: list[int]) -> None:
    seen, address = [], "/api/v1/uses?limit=2&sort=date"
    while address:
        answer = client.get(address).json()
        assert answer["count"] == 5
        seen += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert seen == ["row5", "row4", "row3", "row2", "row1"]


def test_errors_have_code_and_message(client: Client, db: None) -> None:
    unknown = client.get("/api/v1/uses?colour=red")
    assert unknown.status_code == 400
    assert unknown.json()["code"] == "unknown_parameter" and unknown.json()["field"] == "colour"
    assert client.get("/api/v1/uses?view=reports").json()["code"] == "unknown_parameter"
    assert client.get("/api/v1/uses?limit=0").json() == {
        "code": "bad_parameter", "message": "limit是1到100的整数。", "field": "limit",
    }  # fmt: skip
    assert client.get("/api/v1/uses?cursor=x").json()["code"] == "bad_cursor"


def test_etag_cors_and_not_modified(client: Client, published: list[int]) -> None:
    first = client.get("/api/v1/uses")
    assert first["Access-Control-Allow-Origin"] == "*"
    again = client.get("/api/v1/uses", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304 and again["ETag"] == first["ETag"] and not again.content
    publish_rows(rows=[draft(1, text="改了")], now=NOW)
    assert client.get("/api/v1/uses", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_too_many_requests_are_told_to_wait(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_MINUTE", 2)
    answers = [client.get("/api/v1/uses?limit=1", REMOTE_ADDR="10.1.2.3") for _ in range(4)]
    assert answers[-1].status_code == 429 and answers[-1].json()["code"] == "too_many_requests"
    assert 0 < int(answers[-1]["Retry-After"]) <= 61
    assert client.get("/api/v1/uses?limit=1", REMOTE_ADDR="10.1.2.4").status_code == 200


def test_openapi_and_its_page(client: Client, db: None) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert {"/api/v1/uses", "/api/v1/disclosures"} <= set(document["paths"])
    names = {parameter["name"] for parameter in document["paths"]["/api/v1/uses"]["get"]["parameters"]}
    assert {"q", "organization", "from", "to", "amount_min", "cursor", "limit"} <= names
    page = client.get("/api/v1/docs").content.decode()
    assert "/api/v1/uses" in page and "<script" not in page
