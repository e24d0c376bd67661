"""Logs name no person."""

from __future__ import annotations

import pytest

from charity_site.logs import HIDDEN, hide_personal_data


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("email", "someone"),
        ("donor_name", "张三"),
        ("event", "mail to a.b@example.org failed"),
        ("event", "call 13812345678 back"),
        ("event", "id 11010519491231002X refused"),
        ("path", "/gifts/s3cret-t0ken/receipt.pdf"),
        ("event", "GET /disclosures/?q=张三"),
    ],
)
def test_what_names_a_person_is_hidden(key: str, value: str) -> None:
    found = hide_personal_data(None, "info", {key: value})[key]
    assert HIDDEN in found
    for private in ("张三", "a.b@", "13812345678", "11010519491231002X", "s3cret"):
        assert private not in found


@pytest.mark.parametrize(
    "value", ["succeeded in 0.01234567890123456789s", "3654446d-bbed-4685-9863-b5b125058220", 1234]
)
def test_what_names_nobody_stays(value: object) -> None:
    assert hide_personal_data(None, "info", {"event": value})["event"] == value
