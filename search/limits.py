"""How often one address may ask the open data: own counters in the cache; without a cache nobody is refused."""

from __future__ import annotations

import hashlib
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.module_loading import import_string
from ninja.throttling import BaseThrottle

PER_MINUTE = 120
WINDOW = 60


class OpenDataLimit(BaseThrottle):
    """120 requests a minute and address, counted per civil minute."""

    def allow_request(self, request: HttpRequest) -> bool:
        key = f"open_data:{int(time.time()) // WINDOW}:{_who(request)}"
        cache.add(key, 0, WINDOW * 2)
        try:
            return cache.incr(key) <= PER_MINUTE
        except ValueError:  # the counter went between the two steps
            return True

    def wait(self) -> float | None:
        return WINDOW - time.time() % WINDOW + 1


def _who(request: HttpRequest) -> str:
    """A short-lived keyed hash, so that no address is stored."""
    name = getattr(settings, "AXES_CLIENT_IP_CALLABLE", None)
    address = import_string(name)(request) if name else request.META.get("REMOTE_ADDR", "")
    return hashlib.blake2b(
        address.encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=12
    ).hexdigest()
