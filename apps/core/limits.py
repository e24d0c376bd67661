"""Counters against abuse: how often somebody did something within a window, kept in the cache under a keyed hash, so
that no address of a visitor is stored in clear."""

from __future__ import annotations

import hashlib
import hmac

import structlog
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

log = structlog.get_logger(__name__)


class TooMany(DomainError):
    code = "too_many"
    status = 429
    message = _("试得太多了。请过几分钟再试。")


def hidden(who: str) -> str:
    """This will give a keyed hash that stands for an address or a device wherever it has to be kept."""
    return hmac.new(b"limits:" + settings.SECRET_KEY.encode(), who.encode(), hashlib.sha256).hexdigest()[:32]


def count_use(scope: str, who: str, *, seconds: int, by: int = 1) -> int:
    """This will count one more use by somebody (or `by` at once) and give the number within the window of `seconds`,
    atomically: of any number of callers at once each gets another number.

    A cache that is away counts nothing (0): it must not stop a donor.
    """
    key = f"limit:{scope}:{hidden(who)}"
    try:
        cache.add(key, 0, seconds)
        return int(cache.incr(key, by))
    except ValueError:  # the window ended between the two
        cache.set(key, by, seconds)
        return by
    except Exception as error:
        log.warning("limits.not_counted", scope=scope, error=type(error).__name__)
        return 0


def used(scope: str, who: str) -> int:
    """This will give the present count without adding to it."""
    try:
        return int(cache.get(f"limit:{scope}:{hidden(who)}", 0))
    except Exception as error:
        log.warning("limits.not_read", scope=scope, error=type(error).__name__)
        return 0


def uncount(scope: str, who: str, *, by: int = 1) -> None:
    """This will take back what was counted, so that it may be used again. The number may fall below 0: then somebody
    has earned more than was counted. A window that has ended is left alone."""
    try:
        cache.incr(f"limit:{scope}:{hidden(who)}", -by)
    except ValueError:
        return
    except Exception as error:
        log.warning("limits.not_uncounted", scope=scope, error=type(error).__name__)
