"""Grants, feeds, saved searches, suggestions, nightly files, and the OpenAPI document put to the test by a fuzzer."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import schemathesis
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.money import Money
from apps.publication.drafts import Facet
from apps.publication.rows import publish_rows, withdraw_rows
from search import limits
from search.models import SavedSearch
from search.tasks import build_bulk
from tests.accounts.signing import account_for, with_session
from tests.conftest import LiveSite
from tests.publication.test_rows import NOW, draft


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_MINUTE", 100_000)


@pytest.fixture
def published(db: None) -> list[int]:
    rows = [draft(n, amount=Money(n * 1_001)) for n in range(1, 6)]
    rows.append(draft(6, household_times=0, category=Facet("management", "管理"), heading="审计费"))
    return publish_rows(rows=[*rows, draft(9, view="report")], now=NOW)


def test_a_feed_of_any_question(client: Client, published: list[int]) -> None:
    response = client.get("/disclosures/feed.atom?q=" + quote("审计费"))
    assert response["Content-Type"].startswith("application/atom+xml")
    tree = ElementTree.fromstring(response.content)
    space = {"a": "http://www.w3.org/2005/Atom"}
    entries = tree.findall("a:entry", space)
    assert [entry.findtext("a:title", "", space) for entry in entries] == ["审计费 CNY 1,234.00"]
    assert entries[0].find("a:link", space).get("href") == "http://testserver/disclosures/r1/"  # type: ignore[union-attr]
    everything = ElementTree.fromstring(client.get("/disclosures/feed.atom").content)
    assert len(everything.findall("a:entry", space)) == 6
    withdraw_rows(sources=["report/r1/6"], now=NOW)
    assert b"<entry>" not in client.get("/disclosures/feed.atom?q=" + quote("审计费")).content
    assert client.get("/disclosures/feed.atom?colour=red").status_code == 400


def test_saved_searches_are_ones_own(client: Client, published: list[int]) -> None:
    page = client.get("/disclosures/saved/?q=瓦片").content.decode()
    assert (
        "登录后可以" in page
        and client.post("/disclosures/saved/", {"name": "x", "query": ""}).status_code == 403
    )
    account = account_for(None, "journalist@example.org", mfa=False)
    mine = with_session(account, second=False)
    assert mine.post("/disclosures/saved/", {"name": "瓦片", "query": "q=瓦片&sort=date"}).status_code == 302
    assert (
        mine.post("/disclosures/saved/", {"name": "瓦片二", "query": "q=瓦片&sort=date"}).status_code == 302
    )
    page = mine.get("/disclosures/saved/").content.decode()
    assert "瓦片二" in page and "/disclosures/feed.atom?q=瓦片&amp;sort=date" in page
    bad = mine.post("/disclosures/saved/", {"name": "", "query": "q=瓦片"})
    assert bad.status_code == 422 and "没有保存" in bad.content.decode()
    assert mine.post("/disclosures/saved/", {"name": "坏", "query": "colour=red"}).status_code == 400
    other = with_session(account_for(None, "other@example.org", mfa=False), second=False)
    kept = SavedSearch.objects.get()
    assert other.post("/disclosures/saved/", {"act": "forget", "saved": kept.pk}).status_code == 404
    assert "瓦片二" not in other.get("/disclosures/saved/").content.decode()
    assert mine.post("/disclosures/saved/", {"act": "forget", "saved": kept.pk}).status_code == 302
    assert SavedSearch.objects.count() == 0


def test_no_result_suggests_what_finds_something(client: Client, published: list[int]) -> None:
    response = client.get("/disclosures/?q=" + quote("石桥震危房修缮"))
    assert response.context["answer"].count == 0
    offered = {each["query"]: each["count"] for each in response.context["suggested"]}
    assert offered and all(count > 0 for count in offered.values())
    for each in response.context["suggested"]:
        assert client.get(each["href"]).context["answer"].count == each["count"]
    assert client.get("/disclosures/?q=" + quote("瓦片 没有这个词")).context["suggested"]


def test_nightly_files_hold_everything(
    client: Client, published: list[int], settings: Any, tmp_path: Any
) -> None:
    settings.DATA_DIR = tmp_path
    assert "今晚生成第一份" in client.get("/data/").content.decode()
    assert client.get("/data/uses.csv").status_code == 404
    assert build_bulk() and build_bulk()
    cache.clear()
    page = client.get("/data/").content.decode()
    told = json.loads(b"".join(client.get("/data/manifest.json").streaming_content))
    assert [(file["name"], file["rows"]) for file in told["files"]] == [
        ("uses.csv", 6),
        ("reports.csv", 1),
        ("grants.json", 6),
    ]
    for file in told["files"]:
        content = b"".join(client.get(f"/data/{file['name']}").streaming_content)
        assert hashlib.sha256(content).hexdigest() == file["sha256"] and file["sha256"] in page
        if file["name"] == "grants.json":
            assert len(json.loads(content)["grants"]) == 6
        else:
            assert len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))) == file["rows"] + 1
    assert client.get("/data/passwd").status_code == 404


# The document and the server agree


def test_the_openapi_document_has_words_and_examples(client: Client, db: None) -> None:
    document = client.get("/api/v1/openapi.json").json()
    for path in ("/api/v1/uses", "/api/v1/disclosures", "/api/v1/grants", "/api/v1/duties"):
        operation = document["paths"][path]["get"]
        assert operation["summary"] and operation["description"]
        assert {"200", "400", "422", "429"} <= set(operation["responses"])
        for parameter in operation["parameters"]:
            assert parameter["schema"].get("description") and parameter["schema"].get("examples"), parameter[
                "name"
            ]


def test_a_fuzzer_of_the_document_meets_no_fault(live_site: LiveSite) -> None:
    """schemathesis draws requests from the OpenAPI document itself: no 5xx, and all as documented."""
    publish_rows(rows=[draft(n) for n in range(1, 26)] + [draft(26, view="report")], now=NOW)
    schema = schemathesis.openapi.from_url(f"{live_site.url}/api/v1/openapi.json")
    seen = set()
    for operation in schema.get_all_operations():
        api = operation.ok()

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=api.as_strategy())
        def run(case: Any) -> None:
            response = case.call()
            assert response.status_code < 500, (case.path, case.query)
            if response.status_code == 200:
                case.validate_response(response)

        run()
        seen.add(api.path)
    assert "/api/v1/uses" in seen or "/uses" in seen


WORDS = st.sampled_from(
    [
        "(",
        ")",
        "-",
        "NOT ",
        "OR ",
        "AND ",
        '"',
        "“",
        "|",
        "&",
        "*",
        "危房",
        "a",
        "1,234.50",
        "\x00",
        "\ud800",
        "𠮷",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=60).map("".join) | st.text(max_size=300))
def test_a_fuzzer_of_the_query_language(published: list[int], query: str) -> None:
    """Whatever is written is read, or refused by a limit; what is read is answered."""
    from apps.core.errors import BadInput
    from search.contract import SearchRequest
    from search.engines import engine

    try:
        request = SearchRequest(query=query)
        request.tree()
    except BadInput as error:
        assert error.field == "q"
        return
    assert engine("postgres").search(request).count <= 6
