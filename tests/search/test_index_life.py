"""The life of an index: versions, tombstones, rebuild, comparison, fallback; and all of it at once under fire."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client

from apps.core.events import deliver_due
from apps.publication.models.rows import PublicRow
from apps.publication.rows import publish_rows, withdraw_rows
from charity_site.stack.elasticsearch import Elasticsearch
from charity_site.stack.processes import Child
from search.contract import SearchRequest, SearchUnavailable
from search.elastic import client, comparing, indices, writing
from search.elastic.documents import SEAL_SQL, seal
from search.elastic.engine import ElasticsearchEngine
from search.engines import engine
from search.fallback import LABEL, Breaker, FallbackEngine
from search.models import Comparison, SearchIndex, WaitingRow
from search.tasks import compare_index, index_waiting
from tests import nodes
from tests.conftest import CHILDREN, Database, _run_dir
from tests.publication.test_rows import NOW, draft

ELASTIC = ElasticsearchEngine()


def refresh() -> None:
    client.patient().indices.refresh(index=indices.live())


def found(query: str = "") -> list[int]:
    refresh()
    return sorted(ELASTIC.search(SearchRequest(query=query, limit=100)).ids)


def index_is_the_published_set() -> None:
    name = indices.live()
    assert name is not None
    refresh()
    assert comparing.differences(name) == {} and comparing.quick_differences(name) == {}


@pytest.fixture
def built(db: None, elastic: str) -> list[int]:
    ids = publish_rows(rows=[draft(n) for n in range(1, 6)], now=NOW)
    assert indices.rebuild(now=NOW) == 5
    return ids


def test_the_alias_shows_only_public_rows_and_one_index_stays(built: list[int]) -> None:
    assert found() == built and found("瓦片") == built
    first = indices.live()
    assert indices.rebuild(now=NOW) == 5
    names = list(client.patient().indices.get(index=f"{client.alias()}-*"))
    assert names == [indices.live()] and names != [first] and indices.stands()
    mapping = client.patient().indices.get_mapping(index=names[0])[names[0]]["mappings"]
    assert mapping["dynamic"] == "strict" and mapping["_source"] == {"enabled": False}


def test_a_late_write_never_revives_a_withdrawn_row(built: list[int]) -> None:
    """The document as it was before the withdrawal comes last: refused, at any age of the tombstone. With
    `gc_deletes` at nothing Elasticsearch forgets the version of what was deleted, as it does after a minute."""
    name = indices.live()
    assert name is not None
    client.patient().indices.put_settings(index=name, settings={"index.gc_deletes": "0s"})
    late = list(PublicRow.objects.filter(pk=built[0]).select_related("heading"))
    withdraw_rows(sources=["report/r1/1"], now=NOW)
    assert writing.write_rows([built[0]]).written == 1
    refresh()
    assert writing.send(late, [client.write_alias(name)]) == writing.Written(0, 1)
    assert found() == built[1:]
    index_is_the_published_set()


def test_a_stale_write_never_covers_a_newer_one(built: list[int]) -> None:
    name = indices.live()
    assert name is not None
    late = list(PublicRow.objects.filter(pk=built[0]).select_related("heading"))
    publish_rows(rows=[draft(1, text="换成了防水卷材")], now=NOW)
    assert writing.write_rows([built[0]]).written == 1
    assert writing.send(late, [client.write_alias(name)]).stale == 1
    assert found("防水卷材") == [built[0]]


def test_changes_reach_the_index_by_the_outbox(
    built: list[int], django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.core import events
    from apps.publication.events import RowsChanged
    from search import handlers

    monkeypatch.setitem(events._EVENTS, RowsChanged.name, RowsChanged)
    monkeypatch.setitem(
        events._HANDLERS, RowsChanged.name, {events.handler_name(handlers.note_rows): handlers.note_rows}
    )
    new = publish_rows(rows=[draft(n) for n in range(6, 9)], now=NOW)
    withdraw_rows(sources=["report/r1/2"], now=NOW)
    assert deliver_due(now=dt.datetime.now(dt.UTC)) >= 1
    assert WaitingRow.objects.count() == 4 and writing.oldest_waiting() is not None
    assert index_waiting() == 4 and WaitingRow.objects.count() == 0
    assert found() == sorted({*built, *new} - {built[1]})
    index_is_the_published_set()


def test_a_lost_index_is_an_error_and_never_made_by_a_write(built: list[int]) -> None:
    name = indices.live()
    assert name is not None
    client.patient().indices.delete(index=name)
    writing.write_rows(built)
    assert not client.patient().indices.exists(index=name)
    assert not client.patient().indices.exists(index=client.write_alias(name))
    with pytest.raises(SearchUnavailable):
        ELASTIC.search(SearchRequest())
    assert compare_index() == 0
    assert found() == built


@pytest.mark.parametrize("whole", [False, True])
def test_the_comparison_finds_and_mends(built: list[int], whole: bool) -> None:
    """Missing, extra, older, and two errors whose versions cancel in a sum."""
    name = indices.live()
    assert name is not None
    patient = client.patient()
    publish_rows(rows=[draft(6)], now=NOW)  # not written: missing
    withdraw_rows(sources=["report/r1/1"], now=NOW)  # not written: extra
    publish_rows(rows=[draft(2, text="改了")], now=NOW)  # not written: older
    patient.index(
        index=client.write_alias(name), id="999999", document={"id": 999999, "version": 1, "alive": True, "seal": 5},
        version=1, version_type="external",
    )  # fmt: skip
    refresh()
    compare = comparing.compare_whole if whole else comparing.compare_quickly
    outcome = compare(now=NOW)
    assert (outcome.found, outcome.left) == (4, [])
    index_is_the_published_set()
    newest = comparing.newest()
    assert newest is not None and (newest.differing, newest.whole, newest.rows) == (4, whole, 5)
    again = compare(now=NOW)
    assert again.found == 0


def test_two_errors_cannot_cancel(db: None, elastic: str) -> None:
    """Versions of two rows of one range changed by +1 and -1: the sum of versions agrees, the sum of seals doesn't."""
    publish_rows(rows=[draft(n) for n in range(1, 4)], now=NOW)
    indices.rebuild(now=NOW)
    first, second = PublicRow.objects.order_by("pk")[:2]
    PublicRow.objects.filter(pk=first.pk).update(version=first.version + 1)
    PublicRow.objects.filter(pk=second.pk).update(version=second.version - 1)
    name = indices.live()
    assert name is not None
    assert set(comparing.quick_differences(name)) == {first.pk, second.pk}


def test_the_seal_is_the_same_in_sql(db: None) -> None:
    pairs = [(1, 1), (7, 2**40), (2**33, 5), (2**62, 2**62), (123456789, 987654321)]
    with connection.cursor() as cursor:
        for pk, version in pairs:
            cursor.execute(
                f"SELECT {SEAL_SQL} FROM (SELECT %s::bigint AS id, %s::bigint AS version) x", [pk, version]
            )
            assert cursor.fetchone()[0] == seal(pk, version)


def test_no_two_moved_versions_cancel() -> None:
    """What a linear hash would let through: one version up by n, the other down by n."""
    for first, second, n in [(a, b, n) for a in range(1, 40) for b in range(a + 1, 40) for n in (1, 2, 7)]:
        moved = seal(first, 500 + n) + seal(second, 700 - n)
        assert moved != seal(first, 500) + seal(second, 700)


def test_a_newer_version_in_the_index_is_told_and_cured_by_a_rebuild(built: list[int]) -> None:
    """A database restored from a backup: mending can't go back in versions, a rebuild can."""
    publish_rows(rows=[draft(1, text="新的一版")], now=NOW)
    writing.write_rows([built[0]])
    old = PublicRow.objects.get(pk=built[0])
    PublicRow.objects.filter(pk=built[0]).update(version=old.version - 1)
    outcome = comparing.compare_whole(now=NOW)
    assert len(outcome.left) == 1 and f"row {built[0]}" in outcome.left[0]
    indices.rebuild(now=NOW)
    index_is_the_published_set()


def test_one_rebuild_at_a_time_and_a_killed_one_leaves_nothing(committed_db: Database, elastic: str) -> None:
    publish_rows(rows=[draft(1)], now=NOW)
    with committed_db.connect("charity_app") as other:
        other.execute("SELECT pg_advisory_lock(%s)", [indices.LOCK])
        with pytest.raises(indices.RebuildRunning):
            indices.rebuild(now=NOW)
        other.execute("SELECT pg_advisory_unlock(%s)", [indices.LOCK])
    client.patient().indices.create(index=f"{client.alias()}-v1-left")
    SearchIndex.objects.create(name=f"{client.alias()}-v1-left", state="building")
    assert indices.rebuild(now=NOW) == 1
    assert list(client.patient().indices.get(index=f"{client.alias()}-*")) == [indices.live()]


def test_tombstones_of_the_last_day_go_into_a_rebuild(built: list[int]) -> None:
    late = list(PublicRow.objects.filter(pk=built[0]).select_related("heading"))
    withdraw_rows(sources=["report/r1/1"], now=NOW)
    indices.rebuild(now=NOW + dt.timedelta(hours=23))
    name = indices.live()
    assert name is not None
    assert writing.send(late, [client.write_alias(name)]).stale == 1
    assert found() == built[1:]


def test_the_command(built: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("search", "status", "--engine", "elasticsearch")
    call_command("search", "reconcile", "--engine", "elasticsearch")
    call_command("search", "rebuild", "--engine", "elasticsearch")
    said = capsys.readouterr().out
    assert "uses           5" in said and "agree" in said and "Rebuilt for 5 public rows" in said


# Fallback


class Broken:
    name = "elasticsearch"
    asked = 0

    def search(self, request: SearchRequest) -> Any:
        self.asked += 1
        raise SearchUnavailable()


def test_the_breaker_opens_rests_and_lets_one_try() -> None:
    breaker = Breaker(rest=0.05)
    assert breaker.lets_through() and breaker.lets_through()
    breaker.failed()
    assert not breaker.lets_through()
    time.sleep(0.06)
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.worked()
    assert breaker.lets_through() and not breaker.open


def test_a_faulty_engine_is_asked_once_and_postgres_answers_labelled(db: None) -> None:
    publish_rows(rows=[draft(1)], now=NOW)
    broken = Broken()
    both = FallbackEngine(broken, engine("postgres"))  # type: ignore[arg-type]
    assert [both.search(SearchRequest()).engine for _ in range(5)] == [LABEL] * 5
    assert broken.asked == 1


def test_the_page_says_that_the_fallback_answers(client_: Client, built: list[int], settings: Any) -> None:
    cache.clear()
    settings.SEARCH_ENGINE = "elasticsearch"
    page = client_.get("/disclosures/").content.decode()
    assert "备用" not in page and client_.get("/api/v1/uses").json()["engine"] == "elasticsearch"
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    page = client_.get("/disclosures/?q=瓦片").content.decode()
    assert "备用" in page and "5条记录" in page
    assert client_.get("/api/v1/uses").json()["engine"] == LABEL
    assert "readyz" and client_.get("/readyz").json()["parts"]["engine"] is False


def test_withdrawn_rows_are_never_rendered_though_the_index_has_them(
    client_: Client, built: list[int], settings: Any
) -> None:
    cache.clear()
    settings.SEARCH_ENGINE = "elasticsearch"
    withdraw_rows(sources=["report/r1/3"], now=NOW)
    answer = client_.get("/api/v1/uses").json()
    assert answer["count"] == 5 and len(answer["results"]) == 4
    assert "row3" not in client_.get("/disclosures/").content.decode()
    assert "row3" not in {row["id"] for row in answer["results"]}


@pytest.fixture
def client_(client: Client) -> Client:  # the module has another `client`
    return client


# Under fire


@pytest.fixture
def own_node(settings: Any) -> Iterator[tuple[Elasticsearch, list[Child]]]:
    """A node that this test may kill."""
    node = nodes.own_node(CHILDREN, _run_dir(), f"fire-{os.getpid()}")
    running = [node.start(CHILDREN)]
    settings.ELASTICSEARCH_URL, settings.SEARCH_INDEX = node.url, "fire"
    yield node, running
    CHILDREN.stop(running[-1])


def test_under_fire(committed_db: Database, own_node: tuple[Elasticsearch, list[Child]]) -> None:
    """Publishing, correcting and withdrawing by several at once, the index writer, searches and rebuilds meanwhile;
    Elasticsearch killed (-9) in the middle and started again. Afterwards the index is the published set exactly, and at
    no time did a search show what was not public."""
    node, running = own_node
    publish_rows(rows=[draft(n) for n in range(1, 201)], now=NOW)
    indices.rebuild(now=NOW)
    stop = threading.Event()
    faults: list[BaseException] = []
    rebuilt: list[int] = []
    unavailable: list[int] = []

    def worker(job: Any) -> threading.Thread:
        def run() -> None:
            try:
                while not stop.is_set():
                    job()
            except BaseException as error:
                faults.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def writer(seed: int) -> Any:
        chance = random.Random(seed)

        def change() -> None:
            base = 1 + seed * 100
            n = chance.randrange(base, base + 100)
            if chance.random() < 0.3:
                withdraw_rows(sources=[f"report/r1/{n}"], now=NOW)
                ids = list(
                    PublicRow.objects.filter(shown__source=f"report/r1/{n}").values_list("pk", flat=True)
                )
            else:
                ids = publish_rows(rows=[draft(n, text=f"第{chance.randrange(999)}稿瓦片")], now=NOW)
            writing.note_changed(ids)

        return change

    def index() -> None:
        try:
            writing.index_waiting(most=200)
        except SearchUnavailable:
            unavailable.append(1)
            time.sleep(0.05)

    def build() -> None:
        try:
            rebuilt.append(indices.rebuild(now=NOW))
        except (SearchUnavailable, *client.FAULTS):
            time.sleep(0.1)

    threads = [worker(writer(0)), worker(writer(1)), worker(index), worker(index), worker(build)]
    try:
        assert _soon(lambda: len(rebuilt) >= 1, 30)
        os.killpg(running[-1].pid, signal.SIGKILL)
        assert _soon(lambda: bool(unavailable), 30)
        with pytest.raises(SearchUnavailable):
            ELASTIC.search(SearchRequest())
        CHILDREN.stop(running[-1])
        running.append(node.start(CHILDREN))
        before = len(rebuilt)
        assert _soon(lambda: len(rebuilt) > before, 60)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not faults, faults
    writing.index_waiting()
    name = indices.live()
    assert name is not None
    client.patient().indices.refresh(index=name)
    if not indices.stands():
        indices.rebuild(now=NOW)
    index_is_the_published_set()
    assert SearchIndex.objects.filter(state="building").count() == 0
    assert list(client.patient().indices.get(index="fire-*")) == [indices.live()]
    alive = set(PublicRow.objects.filter(alive=True).values_list("pk", flat=True))
    answer = ELASTIC.search(SearchRequest(limit=100))
    assert answer.count == len(alive) and set(answer.ids) <= alive
    assert answer.totals == engine("postgres").search(SearchRequest()).totals
    assert Comparison.objects.count() == 0


def _soon(true: Any, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
