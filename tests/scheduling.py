"""Which worker gets which test of a run, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

ONE_WORKER = ("tests/stack/test_production.py",)
LONGEST = (
    *ONE_WORKER, "tests/stack/test_run.py", "tests/faults/test_webhook_storm.py", "tests/faults/test_state_machine.py",
    "tests/faults/test_kill.py", "tests/accounts/test_addresses.py::test_matrix",
)  # fmt: skip
"""Begun first, so that no worker is left alone with one of them at the end of a run."""


def longest_first(items: list[pytest.Item]) -> None:
    """This will sort the longest to the front; stable, so that the rest keeps its random order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def by_test(config: pytest.Config, log: Any) -> Any:
    """This will give one test at a time to whoever is free, but ONE_WORKER's files whole: what they set up takes
    minutes. (xdist's loadgroup groups nothing under pytest 9.2, whose ids can't be written to.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByTest(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((path for path in ONE_WORKER if nodeid.startswith(path)), nodeid)

    return ByTest(config, log)
