"""WeChat Pay, API v3: the published protocol, its bills and its settings, with keys of our own."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from apps.payments.provider import BadSignature, StaleEvent
from apps.payments.providers.wechat.bills import fen, read_bill
from apps.payments.providers.wechat.signing import Keys, answer_message, load_keys, request_message
from charity_site.wechatpay import wrong_wechatpay
from tests.payments import fake_wechat as fw

NOW = dt.datetime.fromtimestamp(1_554_208_460, dt.UTC)


@pytest.fixture
def keys(wechat_files: dict[str, Any]) -> Keys:
    return load_keys(**wechat_files)


def test_the_message_that_a_request_signs() -> None:
    """The example of the published documentation, byte for byte."""
    message = request_message(
        "GET",
        "/v3/refund/domestic/refunds/123123123123",
        "1554208460",
        "593BEC0C930BF1AFEB40B4A08C8FB242",
        b"",
    )
    assert message == (
        b"GET\n/v3/refund/domestic/refunds/123123123123\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n"
    )
    assert answer_message("1554209980", "c5ac7061fccab6bf3e254dcf98995b8c", b'{"data":[]}') == (
        b'1554209980\nc5ac7061fccab6bf3e254dcf98995b8c\n{"data":[]}\n'
    )


def test_the_header_of_a_request(keys: Keys) -> None:
    header = keys.authorization("POST", "/v3/x?y=1", '{"a":"中"}'.encode(), NOW, nonce="abc")
    scheme, _, rest = header.partition(" ")
    fields = dict(part.split("=", 1) for part in rest.split(","))
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    assert fields["mchid"] == f'"{fw.MCHID}"' and fields["serial_no"] == f'"{fw.SERIAL}"'
    assert fields["timestamp"] == '"1554208460"' and fields["nonce_str"] == '"abc"'
    signature = base64.b64decode(fields["signature"].strip('"'))
    fw.MERCHANT.public_key().verify(
        signature,
        'POST\n/v3/x?y=1\n1554208460\nabc\n{"a":"中"}\n'.encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Wechatpay-Nonce": "another"},
        {"Wechatpay-Timestamp": "1554208461"},
        {"Wechatpay-Serial": "PUB_KEY_ID_of_somebody"},
        {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/c2lnbmF0dXJl"},
        {"Wechatpay-Signature": ""},
        {"Wechatpay-Timestamp": "１５５４２０８４６０"},
        {"Wechatpay-Timestamp": ""},
    ],
)
def test_a_changed_header_is_refused(keys: Keys, change: dict[str, str]) -> None:
    body = b'{"id":"1"}'
    headers = fw.signed(body, at=NOW.timestamp())
    assert keys.verify(headers, body, NOW) == 0
    with pytest.raises(BadSignature):
        keys.verify(headers | change, body, NOW)


def test_a_changed_body_and_a_strangers_key_are_refused(keys: Keys) -> None:
    body = b'{"id":"1"}'
    with pytest.raises(BadSignature):
        keys.verify(fw.signed(body, at=NOW.timestamp()), body + b" ", NOW)
    with pytest.raises(BadSignature):
        keys.verify(fw.signed(body, at=NOW.timestamp(), key=fw.STRANGER), body, NOW)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_an_old_or_early_signature_is_refused_with_its_skew(keys: Keys, seconds: int) -> None:
    body = b"{}"
    with pytest.raises(StaleEvent) as refused:
        keys.verify(fw.signed(body, at=NOW.timestamp() + seconds), body, NOW)
    assert refused.value.skew == seconds


def test_decryption_refuses_whatever_was_changed(keys: Keys) -> None:
    sealed = fw.encrypted({"out_trade_no": "1"})
    assert keys.open(sealed) == {"out_trade_no": "1"}
    broken = base64.b64encode(base64.b64decode(sealed["ciphertext"])[:-1] + b"\0").decode()
    for change in (
        {"nonce": "000000000000"}, {"associated_data": "refund"}, {"ciphertext": broken}, {"ciphertext": "?"},
        {"algorithm": "none"}, {"nonce": ""},
    ):  # fmt: skip
        with pytest.raises(BadSignature):
            keys.open(sealed | change)
    with pytest.raises(BadSignature):
        keys.open(fw.encrypted({"out_trade_no": "1"}, key="f" * 32))


def test_a_bill_whose_sums_do_not_agree_is_refused() -> None:
    order = {"amount": {"total": 20_000}, "transaction_id": "42", "out_trade_no": "1"}
    row = fw.trade_row(order, NOW, "1.20")
    good = ["1", "200.00", "0.00", "0.00", "1.20", "200.00", "0.00"]
    assert len(read_bill(fw.bill(fw.TRADE_HEADER, [row], fw.TRADE_SUMS, good), "tradebill")) == 1
    for n, wrong in ((0, "2"), (1, "200.01"), (2, "0.01"), (4, "1.30"), (4, "x"), (1, "NaN")):
        sums = [wrong if i == n else each for i, each in enumerate(good)]
        with pytest.raises(ValueError):
            read_bill(fw.bill(fw.TRADE_HEADER, [row], fw.TRADE_SUMS, sums), "tradebill")
    with pytest.raises(ValueError):
        read_bill(fw.bill(fw.TRADE_HEADER, [row[:-1]], fw.TRADE_SUMS, good), "tradebill")
    with pytest.raises(ValueError):
        read_bill(b"", "tradebill")


@pytest.mark.parametrize(("yuan", "amount"), [("0.01", 1), ("1234.50", 123_450), ("0.00600", 1), ("0.00400", 0),
                                              ("-0.01", -1), ("1e2", 10_000)])  # fmt: skip
def test_yuan_become_fen(yuan: str, amount: int) -> None:
    assert fen(yuan) == amount


def test_missing_or_malformed_settings_stop_the_start_and_say_what_to_do(
    wechat_files: dict[str, Any], tmp_path: Path
) -> None:
    good = {**wechat_files, "appid": fw.APPID, "base": "http://127.0.0.1:1", "production": False}
    assert list(wrong_wechatpay(**good)) == []
    text = tmp_path / "text.pem"
    text.write_text("no key")
    for change, name in (
        ({"mchid": ""}, "MCHID"), ({"appid": "x"}, "APPID"), ({"serial": ""}, "CERT_SERIAL"),
        ({"apiv3_key": "short"}, "APIV3_KEY"), ({"private_key_file": ""}, "PRIVATE_KEY_FILE"),
        ({"private_key_file": str(text)}, "PRIVATE_KEY_FILE"), ({"public_key_files": [str(text)]}, "PUBLIC_KEY_FILE"),
        ({"public_key_ids": []}, "PUBLIC_KEY_ID"), ({"base": "https://api.mch.weixin.qq.com"}, "API_BASE"),
        ({"production": True}, "API_BASE"),
    ):  # fmt: skip
        found = list(wrong_wechatpay(**{**good, **change}))
        assert [each for each, _ in found] == [f"WECHATPAY_{name}"], change
        assert len(found[0][1]) > 30
    assert (
        list(wrong_wechatpay(**{**good, "production": True, "base": "https://api.mch.weixin.qq.com"})) == []
    )
