"""Nothing of a report that isn't public shows at any door: a report is walked through its states, and at each one every
count, facet, sum, suggestion, feed, export, grant and nightly file is what it was before anybody began to write.

Words that stand only in one version are the canaries; both engines, with the projection written to each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client

from apps.disclosures import operations as op
from apps.disclosures.models import Report
from apps.publication.models.rows import PublicRow
from search import limits
from search.bulk import NAMES, build_bulk
from search.elastic import client as es
from search.elastic import indices, writing
from tests import world as w
from tests.disclosures import scene
from tests.publication.test_rows import draft, publish_rows

LATER = w.NOW.replace(hour=16)
FIRST, SECOND = "紫荆花开", "白鹭归巢"
"""Words of the version that is corrected, and of its correction."""

APIS = ("uses", "disclosures", "grants")
PAGES = ("/disclosures/", "/disclosures/?view=reports", "/en/disclosures/?view=reports", "/data/", "/duties/")
FILES = [
    f"/disclosures/export.{kind}{view}" for kind in ("csv", "json", "xlsx") for view in ("", "?view=reports")
]
FEEDS = ("/disclosures/feed.atom", "/disclosures/feed.atom?view=reports")


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_MINUTE", 100_000)


@pytest.fixture(params=["postgres", "elasticsearch"])
def doors(request: pytest.FixtureRequest, db: None, settings: Any, tmp_path: Any) -> Client:
    if request.param == "elasticsearch":
        request.getfixturevalue("elastic")
    settings.SEARCH_ENGINE, settings.DATA_DIR = request.param, tmp_path
    settings.MEDIA_ROOT = tmp_path
    publish_rows(rows=[draft(1), draft(2, view="report", heading="别家的报告", batch="r9")], now=w.NOW)
    if request.param == "elasticsearch":
        indices.rebuild(now=w.NOW)
    return Client()


def told(client: Client, engine: str) -> dict[str, Any]:
    """Everything that every door says, without the moment it was said."""
    if engine == "elasticsearch":
        writing.write_rows(PublicRow.objects.values_list("pk", flat=True))
        es.patient().indices.refresh(index=indices.live())
    build_bulk(now=w.NOW)
    cache.clear()
    said: dict[str, Any] = {}
    for name in APIS:
        answer = client.get(f"/api/v1/{name}?limit=100").json()
        assert answer["engine"] == engine
        said[name] = {key: value for key, value in answer.items() if key != "as_of"}
        for word in (FIRST, SECOND):
            found = client.get(f"/api/v1/{name}?q={quote(word)}").json()
            said[name, word] = (found["count"], found.get("facets"), found.get("totals"), found.get("months"))
    for word in (FIRST, SECOND, FIRST[:3] + "落"):
        page = client.get(f"/disclosures/?view=reports&q={quote(word)}")
        said["suggested", word] = [(each["query"], each["count"]) for each in page.context["suggested"]]
    for name in NAMES:
        said[name] = b"".join(client.get(f"/data/{name}").streaming_content)
    for path in (*FILES, *FEEDS, *PAGES):
        response = client.get(path)
        assert response.status_code == 200, path
        said[path] = b"".join(response.streaming_content) if response.streaming else response.content
    return said


def texts(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, what in said.items():
        if isinstance(what, bytes) and not str(name).startswith("/disclosures/export.xlsx"):
            yield str(name), what.decode("utf-8-sig")
        elif isinstance(what, dict):
            yield str(name), json.dumps(what, ensure_ascii=False)


def nothing_new(client: Client, before: dict[str, Any], engine: str, state: str) -> None:
    now = told(client, engine)
    for name in now:
        if isinstance(now[name], bytes):
            continue  # pages name the duty's report only once it is public: the words are looked for below
        assert now[name] == before[name], (state, name)
    for name in NAMES:
        assert now[name] == before[name], (state, name)
    for name, text in texts(now):
        assert FIRST not in text and SECOND not in text, (state, name)


def test_no_state_before_publication_shows_anywhere(doors: Client, settings: Any) -> None:
    engine = settings.SEARCH_ENGINE
    city = scene.helped()
    who = scene.auditor(scene.firm(1))
    officer, manager = city.people["officer"], city.people["manager"]
    before = told(doors, engine)
    report = scene.drafted(city)
    given = {"report": report, "now": LATER}
    words = {"narrative": scene.NARRATIVE + FIRST, "lines": scene.as_computed(report)}

    def hand_in() -> None:
        op.submit_report(actor=officer, **words, **given)

    steps = {
        "draft": lambda: op.save_draft(actor=officer, **words, **given),
        "submitted": hand_in,
        "assigned": lambda: op.draw_auditor(actor=w.SETUP, **given),
        "under_audit": lambda: op.accept_audit(actor=who, **given),
        "returned": lambda: op.return_report(actor=who, reason=FIRST, **given),
    }
    for state, step in steps.items():
        step()
        assert Report.objects.get(pk=report.pk).status == state
        if state in ("draft", "submitted", "returned"):
            nothing_new(doors, before, engine, state)
    hand_in()
    op.accept_audit(actor=who, **given)
    op.give_opinion(actor=who, opinion="unqualified", text="公允反映。" + FIRST, **given)
    nothing_new(doors, before, engine, "audited")

    op.publish_report(actor=manager, **given)
    public = told(doors, engine)
    assert public["disclosures", FIRST][0] == 1 and public["disclosures"]["count"] == 2
    assert FIRST in dict(texts(public))["/disclosures/feed.atom?view=reports"]
    assert FIRST in dict(texts(public))["reports.csv"]

    made = op.start_correction(
        actor=officer, report=Report.objects.get(pk=report.pk), reason="改一处", now=LATER
    )
    again = {"report": made, "now": LATER}
    op.submit_report(
        actor=officer, narrative=scene.NARRATIVE + SECOND, lines=scene.as_reported(made), correction_reason="改一处",
        **again,
    )  # fmt: skip
    waiting = told(doors, engine)
    assert {name: waiting[name] for name in (*APIS, *NAMES)} == {
        name: public[name] for name in (*APIS, *NAMES)
    }
    assert all(SECOND not in text for _name, text in texts(waiting)), "a correction under way shows nowhere"

    op.draw_auditor(actor=w.SETUP, **again)
    op.accept_audit(actor=who, **again)
    op.give_opinion(actor=who, opinion="unqualified", text="公允反映。", **again)
    op.publish_report(actor=manager, **again)
    corrected = told(doors, engine)
    for name in ("uses", "disclosures", "grants"):
        assert corrected[name]["count"] == public[name]["count"], "one takes the other's place"
    assert corrected["disclosures", FIRST][0] == 0 and corrected["disclosures", SECOND][0] == 1
    assert not any(corrected["disclosures", FIRST][1].values()), "nor in a facet's count"
    for name, text in texts(corrected):
        if name not in PAGES:
            assert FIRST not in text, name
    assert doors.get(f"/disclosures/{report.public_id}/").status_code == 200, "its own address stays"


@pytest.mark.parametrize("path", ["", "report.pdf", "original.json"])
def test_what_isnt_public_has_no_address(db: None, path: str) -> None:
    """By id: a draft and a submitted report answer as one that never was."""
    city = scene.helped()
    report = scene.drafted(city)
    never = Client().get(f"/disclosures/AAAAAAAAAAAAAAAA/{path}")
    assert never.status_code == Client().get(f"/disclosures/{report.public_id}/{path}").status_code == 404
    op.submit_report(
        actor=city.people["officer"], report=report, narrative=scene.NARRATIVE, lines=scene.as_computed(report),
        now=LATER,
    )  # fmt: skip
    assert Client().get(f"/disclosures/{report.public_id}/{path}").status_code == 404
