"""What API v3 signs and encrypts: our requests (RSA-SHA256 with the merchant's key), its answers and notifications (the
same with WeChat's key, named by its serial), and the notifications' content (AES-256-GCM with the APIv3 key)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509 import load_pem_x509_certificate

from apps.payments.provider import BadSignature, StaleEvent

SCHEMA = "WECHATPAY2-SHA256-RSA2048"
TOLERANCE = 300
"""Seconds a signature may be old or early."""

ALGORITHM = "AEAD_AES_256_GCM"


@dataclass(frozen=True, slots=True)
class Keys:
    """One merchant's identity and keys; `theirs` are WeChat's public keys by serial or id."""

    mchid: str
    serial: str
    own: rsa.RSAPrivateKey
    theirs: Mapping[str, rsa.RSAPublicKey]
    apiv3: bytes

    def authorization(self, method: str, target: str, body: bytes, now: dt.datetime, nonce: str = "") -> str:
        """This will give the Authorization header of a request; `target` is its path with its query."""
        nonce, stamp = nonce or secrets.token_hex(16), str(int(now.timestamp()))
        signature = self.own.sign(
            request_message(method, target, stamp, nonce, body), padding.PKCS1v15(), hashes.SHA256()
        )
        fields = {
            "mchid": self.mchid, "nonce_str": nonce, "signature": base64.b64encode(signature).decode(),
            "timestamp": stamp, "serial_no": self.serial,
        }  # fmt: skip
        return SCHEMA + " " + ",".join(f'{name}="{value}"' for name, value in fields.items())

    def verify(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> int:
        """This will verify an answer's or notification's signature over its raw bytes and give how many seconds its
        sender's clock is ahead of ours. Raises BadSignature, or StaleEvent where it is signed and its time is off."""
        stamp, nonce = headers.get("Wechatpay-Timestamp", ""), headers.get("Wechatpay-Nonce", "")
        key = self.theirs.get(headers.get("Wechatpay-Serial", ""))
        if key is None or not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 12 or not nonce:
            raise BadSignature()
        try:
            signature = base64.b64decode(headers.get("Wechatpay-Signature", ""), validate=True)
            key.verify(signature, answer_message(stamp, nonce, body), padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, InvalidSignature, ValueError) as error:
            raise BadSignature() from error
        skew = round(int(stamp) - now.timestamp())
        if abs(skew) > TOLERANCE:
            raise StaleEvent(skew)
        return skew

    def open(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """This will decrypt a notification's resource. Raises BadSignature: what doesn't open is not WeChat's."""
        try:
            if resource["algorithm"] != ALGORITHM:
                raise BadSignature()
            plain = AESGCM(self.apiv3).decrypt(
                str(resource["nonce"]).encode(), base64.b64decode(resource["ciphertext"], validate=True),
                str(resource.get("associated_data") or "").encode(),
            )  # fmt: skip
            found = json.loads(plain)
        except (InvalidTag, KeyError, TypeError, ValueError) as error:
            raise BadSignature() from error
        if not isinstance(found, dict):
            raise BadSignature()
        return found


def request_message(method: str, target: str, stamp: str, nonce: str, body: bytes) -> bytes:
    """This will give what a request's signature covers."""
    return f"{method}\n{target}\n{stamp}\n{nonce}\n".encode() + body + b"\n"


def answer_message(stamp: str, nonce: str, body: bytes) -> bytes:
    """This will give what an answer's or notification's signature covers."""
    return f"{stamp}\n{nonce}\n".encode() + body + b"\n"


def load_keys(
    *, mchid: str, serial: str, private_key_file: str, apiv3_key: str, public_key_files: Sequence[str],
    public_key_ids: Sequence[str],
) -> Keys:  # fmt: skip
    """This will read a merchant's keys. Raises ValueError with what is wrong, OSError where a file can't be read."""
    own = serialization.load_pem_private_key(Path(private_key_file).read_bytes(), password=None)
    if not isinstance(own, rsa.RSAPrivateKey) or own.key_size < 2048:
        raise ValueError("the private key is not an RSA key of 2048 bits or more")
    if len(public_key_files) != len(public_key_ids) or not public_key_ids:
        raise ValueError("name as many public key files as ids")
    theirs = {
        name: _public(Path(file).read_bytes())
        for name, file in zip(public_key_ids, public_key_files, strict=True)
    }
    if len(apiv3_key.encode()) != 32:
        raise ValueError("the APIv3 key has not 32 characters")
    return Keys(mchid, serial, own, theirs, apiv3_key.encode())


def _public(pem: bytes) -> rsa.RSAPublicKey:
    """WeChat's public key, or the one in its platform certificate."""
    if b"BEGIN CERTIFICATE" in pem:
        found = load_pem_x509_certificate(pem).public_key()
    else:
        found = serialization.load_pem_public_key(pem)  # type: ignore[assignment]
    if not isinstance(found, rsa.RSAPublicKey) or found.key_size < 2048:
        raise ValueError("WeChat's public key is not an RSA key of 2048 bits or more")
    return found
