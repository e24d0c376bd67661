"""The search page: its numbers, its addresses, and what a fuzzer would send."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.core.money import Money
from apps.publication.drafts import Facet
from apps.publication.rows import publish_rows, withdraw_rows
from search.contract import SearchRequest
from search.engines import engine
from tests.publication.test_rows import NOW, draft

MOST_STATEMENTS = 12


@pytest.fixture
def published(db: None) -> list[int]:
    rows = [
        draft(
            n,
            heading=f"石桥镇危房修缮（第{n}期）",
            amount=Money(n * 10_000),
            day=dt.date(2026, 1 + n % 3, 5),
            batch=f"r{n}",
        )
        for n in range(1, 31)
    ]
    rows.append(draft(31, view="report", heading="石桥镇危房修缮：实施进展报告", batch="r31"))
    return publish_rows(rows=rows, now=NOW)


def get(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return response.content.decode()


def test_numbers_of_the_page(client: Client, published: list[int]) -> None:
    page = get(client, "/disclosures/")
    assert "30条记录" in page and "¥" in page and "46,500" in page.replace("<small>", "")
    assert "第1–20条，共30条" in page and "330" in page
    assert "石桥镇危房修缮：实施进展报告" not in page
    assert "实施进展报告" in get(client, "/disclosures/?view=reports")
    assert "<form" in page and 'method="post"' not in page.lower()


def test_words_are_marked_and_the_query_is_said_back(client: Client, published: list[int]) -> None:
    page = get(client, "/disclosures/?q=" + quote('危房 -退款 "瓦片"'))
    assert "<mark>危房</mark>" in page and "采购<mark>瓦片</mark>" in page
    assert "“危房”，并且不含“退款”，并且“瓦片”" in page


def test_pages_follow_each_other_without_gap_or_repeat(client: Client, published: list[int]) -> None:
    seen: list[str] = []
    address: str | None = "/disclosures/?sort=amount"
    for _ in range(3):
        if address is None:
            break
        response = client.get(address)
        seen += [item["result"].public_id for item in response.context["results"]]
        address = response.context["next_href"] or None
    assert seen == [f"row{n}" for n in range(30, 0, -1)] and address is None


def test_a_cursor_is_only_good_for_its_question(client: Client, published: list[int]) -> None:
    address = client.get("/disclosures/").context["next_href"]
    assert client.get(address).status_code == 200
    assert client.get(address + "&sort=amount").status_code == 422
    assert client.get(address + "x").status_code == 422
    assert client.get("/disclosures/?cursor=nonsense").status_code == 422


def test_facets_keep_their_own_values_to_choose_from(client: Client, published: list[int]) -> None:
    response = client.get("/disclosures/?opinion=adverse&amount_min=150")
    assert response.context["answer"].count == 0
    opinion = next(group for group in response.context["groups"] if group.name == "opinion")
    assert {choice.label: choice.count for choice in opinion.first}["保留意见"] == 29
    assert "没有查到" in response.content.decode()
    assert [picked.label for picked in response.context["picked"]] == ["否定意见", "150起"]


def test_ranges(client: Client, published: list[int]) -> None:
    assert client.get("/disclosures/?amount_min=100&amount_max=200.00").context["answer"].count == 2
    assert client.get("/disclosures/?from=2026-02&to=2026-02").context["answer"].count == 10
    assert client.get("/disclosures/?from=2026-02-06&to=2026-03-04").context["answer"].count == 0


def test_withdrawn_rows_are_gone_at_once(client: Client, published: list[int]) -> None:
    withdraw_rows(batch="r7", now=NOW)
    response = client.get("/disclosures/")
    assert response.context["answer"].count == 29
    assert "row7" not in {item["result"].public_id for item in response.context["results"]}


def test_results_are_read_again_from_the_database(
    client: Client, published: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from search.engines.postgres import PostgresEngine

    stale = PostgresEngine().search
    monkeypatch.setattr(
        PostgresEngine,
        "search",
        lambda self, request, kept=[]: kept[0] if kept else kept.append(stale(request)) or kept[0],
    )
    client.get("/disclosures/?sort=amount")
    withdraw_rows(batch="r30", now=NOW)
    response = client.get("/disclosures/?sort=amount")
    assert response.context["results"][0]["result"].public_id == "row29"


@pytest.mark.parametrize(
    "address",
    [
        "/disclosures/",
        "/disclosures/?q=危房",
        "/disclosures/?q=危房&town=shiqiao&kind=progress&opinion=qualified&fund=anju&category=materials&amount_min=1",
    ],
)
def test_few_statements(client: Client, published: list[int], address: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        get(client, address)
    assert len(captured) <= MOST_STATEMENTS, [query["sql"][:90] for query in captured]


def test_english_keeps_the_page(client: Client, published: list[int]) -> None:
    page = get(client, "/en/disclosures/?q=tiles&sort=date")
    assert 'lang="en"' in page and 'href="/disclosures/?q=tiles&amp;sort=date"' in page
    assert 'href="/en/disclosures/?q=tiles&amp;sort=date"' in get(client, "/disclosures/?q=tiles&sort=date")


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("page=2", 400, "page"),
        ("q=" + "a" * 257, 422, "q"),
        ("q=" + "(" * 20 + "a", 422, "q"),
        ("q=" + "+".join(f"w{n}" for n in range(40)), 422, "q"),
        ("amount_min=-1", 422, "amount_min"),
        ("amount_max=1e99", 422, "amount_max"),
        ("amount_max=" + "9" * 400, 422, "amount_max"),
        ("from=2026-13-01", 422, "from"),
        ("to=0000-00", 422, "to"),
        ("sort=best", 422, "sort"),
        ("view=all", 422, "view"),
        ("sort=date&sort=amount", 422, "sort"),
        ("&".join(f"town={n}" for n in range(60)), 422, "town"),
        ("town=" + "x" * 300, 422, "town"),
    ],
)
def test_bad_addresses_get_a_clear_answer(
    client: Client, db: None, query: str, status: int, field: str
) -> None:
    response = client.get("/disclosures/?" + query)
    assert response.status_code == status
    page = response.content.decode()
    assert "这次没有查" in page and f"<code>{field}</code>" in page
    assert client.get("/api/v1/uses?" + query).json().get("field") == field


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    name=st.sampled_from(
        ["q", "town", "project", "opinion", "amount_min", "amount_max", "from", "to", "sort", "cursor", "view", "z"]
    ),
    value=st.binary(max_size=40).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw))
    | st.text("()\"'-|&ANDORNOT 危0.:,", max_size=60).map(quote),
)  # fmt: skip
@example(name="q", value="%00")
@example(name="q", value="%ed%a0%80")
@example(name="town", value="%00")
@example(name="opinion", value="'--")
@example(name="q", value="%27%29%3B%20DROP%20TABLE")
def test_whatever_is_sent_is_answered(client: Client, published: list[int], name: str, value: str) -> None:
    for path in ("/disclosures/", "/api/v1/uses", "/en/disclosures/"):
        response = client.get(f"{path}?{name}={value}")
        assert response.status_code in (200, 400, 422, 429), (path, name, value)


@pytest.mark.parametrize("name", ["organization", "fund", "project", "category", "town", "kind"])
def test_a_facet_alone_is_counted_without_its_own_filter(db: None, name: str) -> None:
    """A filter that is all there is takes its own counts from the sums of the whole view; other facets keep to it."""
    publish_rows(
        rows=[
            *[draft(n) for n in range(3)],
            draft(3, **{"project": Facet("second", "另一个项目"), name: Facet("other", "别的")}),
        ],
        now=NOW,
    )
    answer = engine("postgres").search(SearchRequest(facets={name: ("other",)}))
    assert answer.count == 1 and sum(each.count for each in answer.facets["opinion"]) == 1
    assert sorted(each.count for each in answer.facets[name]) == [1, 3]
