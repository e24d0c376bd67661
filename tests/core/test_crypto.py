"""Field encryption: bound to its owner and its place, and a hash that keeps kinds apart."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from apps.core import crypto


def test_a_key_opens_for_its_owner_only() -> None:
    wrapped = crypto.new_data_key("household:a")
    assert len(crypto.unwrap_data_key(wrapped, "household:a")) == 32
    with pytest.raises(InvalidTag):
        crypto.unwrap_data_key(wrapped, "household:b")


def test_a_value_opens_in_its_place_only() -> None:
    key = crypto.unwrap_data_key(crypto.new_data_key("h"), "h")
    sealed = crypto.encrypt(key, "李小明", "h:name")
    assert crypto.decrypt(key, sealed, "h:name") == "李小明"
    assert crypto.encrypt(key, "李小明", "h:name") != sealed, "the same text never looks the same"
    other = crypto.unwrap_data_key(crypto.new_data_key("h"), "h")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for a, b, c in ((key, sealed, "h:phone"), (other, sealed, "h:name"), (key, changed, "h:name")):
        with pytest.raises(InvalidTag):
            crypto.decrypt(a, b, c)


def test_hashes_are_kept_apart_by_kind() -> None:
    assert crypto.blind_index("phone", "1") == crypto.blind_index("phone", "1")
    assert crypto.blind_index("phone", "1") != crypto.blind_index("bank_account", "1")
    # No way of cutting kind and value elsewhere gives another pair's hash.
    assert crypto.blind_index("ab", "c") != crypto.blind_index("a", "bc")


def test_short_secrets_open_in_their_place_only() -> None:
    sealed = crypto.seal("otp", "mfa:1")
    assert crypto.unseal(sealed, "mfa:1") == "otp"
    for text, place in ((sealed, "mfa:2"), ("9:" + sealed[2:], "mfa:1"), ("1:!!", "mfa:1")):
        with pytest.raises(ValueError):
            crypto.unseal(text, place)
