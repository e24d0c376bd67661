from __future__ import annotations

from typing import Any

import pytest

from tests import world as w
from tests.payments import fake_wechat as fw


@pytest.fixture
def city(db: None) -> w.World:
    """A small city, rolled back after the test."""
    return w.build()


@pytest.fixture(scope="session")
def wechat_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A merchant's keys in files, as the settings name them."""
    folder = tmp_path_factory.mktemp("wechat")
    (folder / "own.pem").write_bytes(fw.pem(fw.MERCHANT))
    (folder / "theirs.pem").write_bytes(fw.pem(fw.PLATFORM.public_key()))
    return {
        "mchid": fw.MCHID, "serial": fw.SERIAL, "private_key_file": str(folder / "own.pem"), "apiv3_key": fw.APIV3,
        "public_key_files": [str(folder / "theirs.pem")], "public_key_ids": [fw.KEY_ID],
    }  # fmt: skip
