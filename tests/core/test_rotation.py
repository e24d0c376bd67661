"""Rotation: a new key, everything rewrapped in steps that can stop anywhere, the old key out at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.casework import operations
from apps.casework.models import Household
from apps.core import crypto, rotation
from tests import world as w

pytestmark = pytest.mark.django_db


@pytest.fixture
def key_file(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "field.json"
    crypto.new_key_file(path)
    settings.FIELD_KEY_FILE = path
    return path


def name_of(city: w.World, family: Household) -> str:
    family.refresh_from_db()
    read = operations.open_file(
        actor=city.people["caseworker_shiqiao"], household=family, fields=["name"], reason="核对", now=w.NOW
    )
    return read["name"]


def test_files_stay_readable_and_findable_through_a_rotation(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rotation, "STEP", 2)
    city = w.build()
    families = [w.household(city, n) for n in range(1, 6)]
    from allauth.mfa.models import Authenticator

    from apps.accounts.adapters import PLACE
    from apps.accounts.models import Account

    account = Account.objects.create_user("a@example.org")
    factor = Authenticator.objects.create(
        user=account, type="totp", data={"secret": crypto.seal("otp", PLACE)}
    )
    call_command("rotate_field_key", "--new", "--steps", "1")
    assert rotation.left()["casework_household.data_key"] == 3
    assert "Not finished" in capsys.readouterr().out
    assert [name_of(city, family) for family in families] == [f"户主{n}" for n in range(1, 6)]
    new = w.household(city, 6)
    assert bytes(new.data_key or b"").startswith(b"2:")
    call_command("rotate_field_key", "--retire")
    assert crypto.versions() == ["2"] and list(json.loads(key_file.read_text())["wrap"]) == ["2"]
    assert oct(key_file.stat().st_mode & 0o777) == "0o600"
    assert [name_of(city, family) for family in [*families, new]] == [f"户主{n}" for n in range(1, 7)]
    factor.refresh_from_db()
    assert crypto.unseal(factor.data["secret"], PLACE) == "otp"
    from apps.casework.queries import find_by_id_number

    assert find_by_id_number(w.id_number(1)) == [families[0].pk], "the index key does not rotate"


def test_the_current_key_is_never_retired_and_an_unfinished_rotation_retires_nothing(key_file: Path) -> None:
    city = w.build()
    w.household(city, 1)
    call_command("rotate_field_key", "--new", "--steps", "0")
    assert crypto.versions() == ["1", "2"]
    with pytest.raises(ValueError, match="current"):
        crypto.retire_key_version(key_file, "2")
    crypto.add_key_version(key_file)
    assert rotation.left()["casework_household.data_key"] == 1
