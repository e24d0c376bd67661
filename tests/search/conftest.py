from collections.abc import Iterator

import pytest
from django.utils.translation import override


@pytest.fixture(autouse=True)
def in_chinese() -> Iterator[None]:
    """A request in English by an earlier test leaves its language behind in the thread."""
    with override("zh-hans"):
        yield
