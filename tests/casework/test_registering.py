"""Registering the same person at the same moment: once in a town, and both towns alerted across two."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection

from apps.casework import operations
from apps.casework.models import DuplicateAlert, Household
from tests import world as w
from tests.conftest import Database


def at_once(*acts: Callable[[], object]) -> list[object]:
    barrier = threading.Barrier(len(acts))
    answers: list[object] = []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            answers.append(act())
        except Exception as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_eight_registrations_at_once_leave_one_file(committed_db: Database) -> None:
    city = w.build()
    answers = at_once(*[lambda: w.household(city, 1) for _ in range(8)])
    refused = [answer for answer in answers if isinstance(answer, operations.AlreadyRegistered)]
    assert (Household.objects.count(), len(refused)) == (1, 7)


def test_two_towns_at_once_are_alerted_once(committed_db: Database) -> None:
    city = w.build()
    for n in range(1, 5):
        at_once(
            *[lambda town=town, n=n: w.household(city, n, town=town) for town in city.towns]  # type: ignore[misc]
        )
        assert DuplicateAlert.objects.count() == n
