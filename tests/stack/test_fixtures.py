"""The ground the other tests stand on."""

from __future__ import annotations

import threading
import urllib.request

import pytest
from django.db import connection
from django.db.utils import ProgrammingError

from apps.accounts.models import Person


def test_rolled_back_tests_work_as_the_application_role(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        role, name = cursor.fetchone()
    assert role == "charity_app"
    assert name.startswith("worker_")


@pytest.mark.parametrize("time", [1, 2])
def test_a_committing_test_starts_from_an_empty_clone_that_threads_share(committed_db, time):
    assert not Person.objects.exists()

    def add():
        Person.objects.create(display_name="线程")
        connection.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Person.objects.count() == 4
    with committed_db.connect() as line:
        assert line.execute("SELECT count(*) FROM accounts_person").fetchone() == (4,)


def test_the_application_role_cannot_change_history(db):
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute("UPDATE core_outboxevent SET name = 'other'")


def test_the_live_site_answers_from_the_tests_own_database(live_site):
    with urllib.request.urlopen(f"{live_site.url}/readyz") as answer:
        assert b'"database": true' in answer.read()


def test_the_real_server_answers(granian_site):
    with urllib.request.urlopen(f"{granian_site.url}/healthz") as answer:
        assert answer.read() == b"ok\n"


def test_the_network_ends_at_loopback():
    with pytest.raises(RuntimeError, match="may not speak"):
        urllib.request.urlopen("http://203.0.113.7/")


def test_a_broker_of_our_own(valkey):
    import redis

    assert redis.Redis.from_url(f"{valkey.url}/0").ping()
    valkey.stop()
    valkey.start()
