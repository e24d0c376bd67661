"""Whether WeChat Pay's settings can work; said at the start, with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate

REAL = "https://api.mch.weixin.qq.com"


def wrong_wechatpay(
    *, mchid: str, appid: str, serial: str, base: str, private_key_file: str, apiv3_key: str, production: bool,
    public_key_files: Sequence[str], public_key_ids: Sequence[str],
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """This will give (setting, what is wrong and what to do) for each one that can't work."""
    why = "though wechatpay is among PAYMENT_PROVIDERS"
    if not mchid.isdigit():
        yield "WECHATPAY_MCHID", f"missing or not a number, {why}; copy the merchant number (商户号)"
    if not re.fullmatch(r"wx[0-9a-zA-Z]{6,30}", appid):
        yield "WECHATPAY_APPID", f"missing or malformed, {why}; copy the wx… id that is bound to the merchant"
    if not re.fullmatch(r"[0-9A-Fa-f]{16,64}", serial):
        yield (
            "WECHATPAY_CERT_SERIAL",
            f"missing or malformed, {why}; copy the serial of the merchant's API certificate",
        )
    if len(apiv3_key.encode()) != 32:
        yield (
            "WECHATPAY_APIV3_KEY",
            f"must have 32 characters, {why}; set it in the merchant platform, API security",
        )
    fault = _private(private_key_file)
    if fault:
        yield "WECHATPAY_PRIVATE_KEY_FILE", f"{fault}, {why}; name the merchant's apiclient_key.pem"
    if len(public_key_files) != len(public_key_ids) or not public_key_ids:
        yield "WECHATPAY_PUBLIC_KEY_ID", f"name one id or serial for each WECHATPAY_PUBLIC_KEY_FILE, {why}"
    for file in public_key_files:
        fault = _public(file)
        if fault:
            yield (
                "WECHATPAY_PUBLIC_KEY_FILE",
                f"{fault}, {why}; name WeChat's public key or platform certificate",
            )
    if production and base != REAL:
        yield "WECHATPAY_API_BASE", "points at a test server, which production refuses; remove it"
    if not production and urlsplit(base).hostname not in ("127.0.0.1", "localhost"):
        yield (
            "WECHATPAY_API_BASE",
            "a demonstration must never move real money; point it at a test server here",
        )


def _private(file: str) -> str:
    try:
        key = serialization.load_pem_private_key(Path(file).read_bytes(), password=None)
    except OSError as error:
        return f"can't be read ({type(error).__name__})"
    except (ValueError, TypeError):
        return "is no PEM private key without a password"
    return "" if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048 else "is no RSA key of 2048 bits"


def _public(file: str) -> str:
    try:
        pem = Path(file).read_bytes()
        certificate = b"BEGIN CERTIFICATE" in pem
        key = (
            load_pem_x509_certificate(pem).public_key()
            if certificate
            else serialization.load_pem_public_key(pem)
        )
    except OSError as error:
        return f"{file} can't be read ({type(error).__name__})"
    except ValueError:
        return f"{file} is no PEM public key or certificate"
    return "" if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048 else f"{file} is no RSA key"
