"""One list from many sides at once, and a worker that dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest
from django.db import connection, connections

from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.donations.models import Gift, GiftImport, StagedGift
from apps.donations.operations import lists
from apps.donations.states import ImportStatus
from apps.ledger.models import Entry
from tests import world as w
from tests.conftest import ROOT
from tests.donations.lists import SLICE, city_of_2020, stage, start, written

THREADS = 8


def test_the_same_list_by_eight_threads_at_once_adds_once(committed_db: Any) -> None:
    city = city_of_2020()
    path = written(SLICE)
    barrier = threading.Barrier(THREADS)
    outcomes: list[str] = []

    def bring(n: int) -> None:
        try:
            listing = lists.start_import(
                actor=w.SETUP, fund=city.fund, project=city.project, source="list", file_name="x.csv", path=path,
                currency="CNY", now=w.NOW, keep_file=False,
            )  # fmt: skip
            listing = lists.stage_import(actor=w.SETUP, listing=listing, now=w.NOW, path=path)
            barrier.wait(60)
            lists.decide_import(actor=w.SETUP, listing=listing, known="", now=w.NOW, ring=False)
            done = lists.record_import(actor=w.SETUP, listing=listing, now=w.NOW)
            outcomes.append("recorded" if done.gift_list else "known")
        except Exception as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=bring, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["known"] * (THREADS - 1) + ["recorded"]
    assert Gift.objects.count() == 4 and Entry.objects.filter(kind="gift").count() == 4
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


def test_a_killed_worker_leaves_nothing_and_the_next_one_goes_on(
    committed_db: Any, site_environment: dict[str, str]
) -> None:
    city = city_of_2020()
    listing = start(city, SLICE)
    work = "import django; django.setup(); from apps.donations.tasks import work_import; work_import.run({})"
    for crash, status in (("donations.list_staged", "reading"), ("donations.list_recorded", "recording")):
        code = subprocess.run(
            [sys.executable, "-c", work.format(listing.pk)], cwd=ROOT,
            env={**site_environment, "CRASH_AT": crash, "MODE": os.environ.get("MODE", "demonstration")},
        ).returncode  # fmt: skip
        assert code == 137, crash
        listing.refresh_from_db()
        assert listing.status == status and not Gift.objects.exists() and not Entry.objects.exists()
        assert lists.work_import(pk=listing.pk, now=w.NOW)
        listing.refresh_from_db()
        if status == "reading":
            assert listing.status == ImportStatus.PREVIEW
            lists.decide_import(actor=w.SETUP, listing=listing, known="", now=w.NOW, ring=False)
    assert listing.status == ImportStatus.DONE and Gift.objects.count() == 4


def test_two_workers_never_work_on_one_import(committed_db: Any) -> None:
    city = city_of_2020()
    listing = start(city, SLICE)
    with committed_db.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [lists.working.LOCK, listing.pk])
        assert not lists.work_import(pk=listing.pk, now=w.NOW)
        assert not StagedGift.objects.exists()
        # Given back by name: a connection that closes holds its lock until its server process has ended.
        other.execute("SELECT pg_advisory_unlock(%s, %s)", [lists.working.LOCK, listing.pk])
    assert lists.work_import(pk=listing.pk, now=w.NOW)


def test_cancelling_in_the_middle_of_recording_takes_everything_back(
    committed_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists.recording, "STEP", 2)
    city = city_of_2020()
    listing = stage(city, SLICE)
    lists.decide_import(actor=w.SETUP, listing=listing, known="", now=w.NOW, ring=False)
    seen: list[int] = []

    def tell(done: int) -> None:
        seen.append(done)
        if done == 2:
            with committed_db.connect() as other:
                other.execute(
                    "UPDATE donations_giftimport SET cancel_asked_at = now() WHERE id = %s", [listing.pk]
                )
                other.commit()

    with pytest.raises(DomainError, match="import_cancelled"):
        lists.record_import(actor=w.SETUP, listing=listing, now=w.NOW, tell=tell)
    assert seen == [2], "it stopped between two steps"
    assert not Gift.objects.exists() and not Entry.objects.exists()
    assert GiftImport.objects.get().status == ImportStatus.CANCELLED
    assert connection.in_atomic_block is False
