"""A cache that is never worth a failed page: when its server is away, everything is a miss for a few seconds."""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow

log = structlog.get_logger(__name__)
REST = 3.0
"""Seconds without a new attempt after the server could not be reached."""


class PatientCache(RedisCache):
    """Redis or Valkey; unreachable means a miss, and writing means nothing happened."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = params.setdefault("OPTIONS", {})
        options.setdefault("socket_connect_timeout", 0.3)
        options.setdefault("socket_timeout", 1.0)
        super().__init__(server, params)
        self._away_until = 0.0

    def _guarded(self, name: str, otherwise: Any, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self._away_until:
            return otherwise
        try:
            return getattr(super(), name)(*args, **kwargs)
        except (Unreachable, TooSlow) as error:
            self._away_until = time.monotonic() + REST
            log.warning("cache.unreachable", error=type(error).__name__)
            return otherwise

    def add(self, key: Any, value: Any, timeout: Any = 300, version: Any = None) -> Any:
        return self._guarded("add", True, key, value, timeout, version)

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._guarded("get", default, key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = 300, version: Any = None) -> None:
        self._guarded("set", None, key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = 300, version: Any = None) -> Any:
        return self._guarded("touch", False, key, timeout, version)

    def delete(self, key: Any, version: Any = None) -> Any:
        return self._guarded("delete", False, key, version)

    def get_many(self, keys: Any, version: Any = None) -> Any:
        return self._guarded("get_many", {}, keys, version)

    def has_key(self, key: Any, version: Any = None) -> Any:
        return self._guarded("has_key", False, key, version)

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        return self._guarded("incr", delta, key, delta, version)

    def set_many(self, data: Any, timeout: Any = 300, version: Any = None) -> Any:
        return self._guarded("set_many", list(data), data, timeout, version)

    def delete_many(self, keys: Any, version: Any = None) -> None:
        self._guarded("delete_many", None, keys, version)

    def clear(self) -> Any:
        return self._guarded("clear", False)
