"""/api/v1/duties: the same as /duties/ for machines, by cursor, with ETag, CORS and limits (interfaces.md)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.core.clock import SHANGHAI
from apps.disclosures import operations as op
from apps.disclosures.api import Duties
from apps.disclosures.models import Duty
from search import limits
from tests import world as w
from tests.disclosures import scene

pytestmark = pytest.mark.django_db
LATE = dt.datetime(2027, 6, 20, 9, tzinfo=SHANGHAI)


@pytest.fixture
def city() -> w.World:
    city = scene.helped()
    scene.published(city, scene.drafted(city))
    op.advance_duties(now=LATE)
    op.note_lateness(now=LATE)
    return city


def told(client: Client, query: str = "", **more: Any) -> Any:
    with time_machine.travel(LATE, tick=False):
        return client.get(f"/api/v1/duties{query}", **more)


def test_duties_late_open_and_done(client: Client, city: w.World) -> None:
    answer = told(client).json()
    rows = {(row["kind"]["value"], row["n"]): row for row in answer["results"]}
    assert len(rows) == Duty.objects.count() == len(answer["results"])
    accounts = rows["annual_accounts", 2026]
    assert (accounts["state"], accounts["due_on"], accounts["days_late"]) == ("late", "2027-05-31", 20)
    assert accounts["was_late"] and accounts["report"] is None and accounts["project"] is None
    assert accounts["organization"]["value"] == city.organization.uscc
    done = rows[scene.PROGRESS, 1]
    assert (done["state"], done["days_late"], done["opinion"], done["version"]) == (
        "done",
        0,
        "unqualified",
        1,
    )
    assert client.get(done["report"]).status_code == 200
    states = {
        state: sum(row["state"] == state for row in rows.values()) for state in ("late", "open", "done")
    }
    assert {name: answer["count"][name] for name in states} == states and states["late"] and states["done"]
    for state, count in states.items():
        assert {row["state"] for row in told(client, f"?state={state}").json()["results"]} == (
            {state} if count else set()
        )
    only = told(client, f"?organization={city.organization.uscc}&kind=annual_accounts").json()["results"]
    assert [row["id"] for row in only] == [accounts["id"]]


def test_pages_by_cursor_lose_and_repeat_nothing(client: Client, city: w.World) -> None:
    seen, cursor = [], ""
    while True:
        answer = told(client, f"?limit=2&cursor={cursor}").json()
        seen += [row["id"] for row in answer["results"]]
        cursor = answer["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == Duty.objects.count()
    assert seen == [row["id"] for row in told(client, "?limit=100").json()["results"]]


def test_drafts_and_names_stay_inside(client: Client) -> None:
    """A duty whose report is being written looks as one that nobody began."""
    city = scene.helped()
    before = told(client).json()
    scene.drafted(city)
    after = told(client).json()
    assert after["results"] == before["results"]


def test_etag_cors_limits_and_errors(client: Client, city: w.World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = told(client)
    assert first["Access-Control-Allow-Origin"] == "*"
    again = told(client, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304 and not again.content
    for query, status, code, field in (
        ("?colour=red", 400, "unknown_parameter", "colour"), ("?state=lost", 400, "unknown_parameter", "state"),
        ("?cursor=nobodys", 400, "bad_cursor", "cursor"), ("?limit=0", 422, "bad_parameter", "limit"),
        ("?limit=101", 422, "bad_parameter", "limit"), ("?cursor=" + "x" * 17, 422, "bad_parameter", "cursor"),
    ):  # fmt: skip
        answer = told(client, query)
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (status, code, field), (
            query
        )
    for query in ("?q=%00", "?kind=%00", "?organization=%27%3B--", "?q=%25_%5C"):
        assert told(client, query).status_code in (200, 400), query
    monkeypatch.setattr(limits, "PER_MINUTE", 2)
    assert [told(client, REMOTE_ADDR="10.9.8.7").status_code for _ in range(3)] == [200, 200, 429]


def test_few_statements_and_an_example_that_is_true(
    client: Client, city: w.World, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        told(client)
    [example] = [Duties.model_config["json_schema_extra"]["example"]]  # type: ignore[index]
    Duties.model_validate(example)
    assert set(example["results"][0]) == set(told(client).json()["results"][0])
    document = client.get("/api/v1/openapi.json").json()
    assert document["components"]["schemas"]["Duties"]["example"] == example
    assert "/api/v1/duties" in client.get("/api/v1/docs").content.decode()
    assert 'href="/duties/"' in client.get("/duties/kinds/").content.decode()
