from __future__ import annotations

import pytest

from tests import world as w


@pytest.fixture
def city(db: None) -> w.World:
    """A small city, rolled back after the test."""
    return w.build()
