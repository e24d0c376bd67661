"""Calls of API v3: signed requests, answers believed only when WeChat signed them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog

from apps.core import clock
from apps.payments.provider import BadSignature, ProviderUnavailable, StaleEvent
from apps.payments.providers.wechat.signing import Keys

log = structlog.get_logger(__name__)

HOSTS = ("api.mch.weixin.qq.com", "api2.mch.weixin.qq.com")
"""Where bills may be downloaded from, besides the configured server itself."""

LARGEST = 200 * 1024 * 1024


class Refused(Exception):
    """WeChat understood the request and refused it; `code` is its own."""

    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code
        super().__init__(f"{status} {code}")


class Client:
    def __init__(self, keys: Keys, base: str) -> None:
        self.keys, self.base = keys, base
        self._http = httpx.Client(
            timeout=httpx.Timeout(10, connect=5), follow_redirects=False, trust_env=False
        )

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """This will ask. Raises Refused, or ProviderUnavailable (nobody knows)."""
        return self._call("GET", path + ("?" + urlencode(query) if query else ""), b"")

    def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """This will send. Raises Refused, or ProviderUnavailable (nobody knows what happened)."""
        return self._call("POST", path, json.dumps(content, ensure_ascii=False).encode())

    def download(self, address: str, sha1: str) -> bytes:
        """This will fetch a bill from the address an answer gave. It is not signed: its hash from the signed answer
        says whether it is the one. Raises ProviderUnavailable."""
        place = urlsplit(address)
        own = urlsplit(self.base)
        if place.scheme not in ("https", own.scheme) or place.hostname not in (*HOSTS, own.hostname):
            raise self._away("download", "foreign_host")
        target = place.path + (f"?{place.query}" if place.query else "")
        answer = self._send("GET", f"{place.scheme}://{place.netloc}", target, b"")
        # The hash is WeChat's own choice and only pins the bytes to the signed answer.
        if (
            answer.status_code != 200
            or hashlib.sha1(answer.content, usedforsecurity=False).hexdigest() != sha1.lower()
        ):
            raise self._away(
                "download", "hash_differs" if answer.status_code == 200 else str(answer.status_code)
            )
        return answer.content

    def _call(self, method: str, target: str, body: bytes) -> dict[str, Any]:
        answer = self._send(method, self.base, target, body)
        name = target.partition("?")[0]
        if answer.status_code in (200, 202, 204):
            try:
                self.keys.verify(answer.headers, answer.content, clock.now())
                found = json.loads(answer.content) if answer.content else {}
            except (BadSignature, StaleEvent, ValueError) as error:
                raise self._away(name, type(error).__name__) from error
            if not isinstance(found, dict):
                raise self._away(name, "not_an_object")
            return found
        code = _code(answer)
        # 401: our own keys are wrong; 429 and 5xx: busy. None of them says anything about the money.
        if answer.status_code in (400, 403, 404) and code:
            raise Refused(answer.status_code, code)
        raise self._away(name, f"{answer.status_code} {code}")

    def _send(self, method: str, base: str, target: str, body: bytes) -> httpx.Response:
        headers = {
            "Authorization": self.keys.authorization(method, target, body, clock.now()),
            "Accept": "application/json", "Content-Type": "application/json", "User-Agent": "charity-site",
        }  # fmt: skip
        try:
            answer = self._http.request(method, base + target, content=body or None, headers=headers)
        except httpx.HTTPError as error:
            raise self._away(target.partition("?")[0], type(error).__name__) from error
        if len(answer.content) > LARGEST:
            raise self._away(target.partition("?")[0], "too_large")
        return answer

    def _away(self, call: str, why: str) -> ProviderUnavailable:
        log.warning("payments.provider_error", provider="wechatpay", call=call, code=why[:80])
        return ProviderUnavailable()


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["code"])[:60]
    except (ValueError, KeyError, TypeError):
        return ""


def moment(text: str) -> dt.datetime:
    """This will read a time of API v3 (RFC 3339)."""
    return dt.datetime.fromisoformat(text)
