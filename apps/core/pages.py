"""Whole pages for everybody: how they look (theme, size) and how they are kept (the anonymous full-page cache).

A page is kept only when its view says so with `cached_page`, for a GET without a session, under the key
(host, path, sorted known parameters, theme, size); the language is part of the path. The stored page names the
*epoch* it was made in, and is served only while that is still the epoch: operations that change something public
call `bump_epoch()`, which takes effect when their transaction commits. A page is labelled with the epoch read
*before* it was rendered, so one that was being made while a change committed is never served. Without a working
cache every page is simply made anew.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags, url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)

EPOCH_KEY = "pages:epoch"
EPOCH_SECONDS = 30 * 24 * 3600
DEFAULT_SECONDS = 60
"""How long a page may outlive a change when the process dies between commit and bump."""

LONGEST_QUERY = 600
THEMES = ("light", "dark")
SIZES = ("large",)
UNTRANSLATED = ("/api/", "/healthz", "/readyz", "/static/", "/look/", "/admin/", "/cms/")
YEAR = 365 * 24 * 3600
KEPT_HEADERS_NOT = frozenset({"set-cookie", "x-request-id", "date", "content-length"})

View = Callable[..., HttpResponseBase]
R = TypeVar("R", bound=HttpResponseBase)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a view wants its page kept."""

    params: frozenset[str]
    seconds: int


def cached_page(*, params: Iterable[str] = (), seconds: int = DEFAULT_SECONDS) -> Callable[[View], View]:
    """This will let anonymous visitors share a view's page for `seconds`, until the next `bump_epoch()`.

    `params` are the query parameters the view knows; with any other the page is made anew and not kept. The page must
    hold no POST form and nothing about the visitor. A response marked by `mark_private` is not kept.
    """
    plan = Plan(frozenset(params), seconds)

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response = view(request, *args, **kwargs)
            response._page_plan = plan  # type: ignore[attr-defined]
            return response

        return wrapped

    return decorate


def mark_private(response: R) -> R:
    """This will keep a response out of every cache: ours, the browser's, a proxy's."""
    response["Cache-Control"] = "private, no-store"
    return response


def private_page(view: View) -> View:
    """This will mark every answer of a view private, refusals included."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return mark_private(view(request, *args, **kwargs))

    return wrapped


def bump_epoch() -> None:
    """This will make all kept pages stale once the running transaction commits (at once outside of one)."""
    transaction.on_commit(_bump, robust=True)


def _bump() -> None:
    try:
        cache.set(EPOCH_KEY, secrets.token_hex(8), EPOCH_SECONDS)
    except Exception as error:  # a lost cache must never fail a change that is already committed
        log.warning("page_epoch_not_bumped", error=repr(error))


def current_epoch() -> str:
    """This will name the epoch that answers may be kept under; "" when nothing may be kept: no cache, or a running
    transaction, which sees what nobody else does."""
    return _look_up("")[0]


def theme_of(request: HttpRequest) -> str:
    """This will give the chosen theme, "" for the system's."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else ""


def size_of(request: HttpRequest) -> str:
    """This will give "large" for 长者版, else ""."""
    chosen = request.COOKIES.get("size", "")
    return chosen if chosen in SIZES else ""


def plain_path(path: str) -> str:
    """This will take the language off a path: /en/funds/ -> /funds/."""
    return path[3:] if path == "/en" or path.startswith("/en/") else path


def local_path(path: str, language: str | None = None) -> str:
    """This will put a language's prefix on a path: /funds/ -> /en/funds/ for English."""
    language = language or get_language() or settings.LANGUAGE_CODE
    if not language.startswith("en") or path.startswith(UNTRANSLATED):
        return path
    return "/en" + path


class PageCache:
    """This will answer anonymous visitors from kept pages. First in MIDDLEWARE, so that a hit costs nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _may_read(request):
            return self.get_response(request)
        key = _key(request)
        epoch, kept = _look_up(key)
        if epoch and kept is not None and kept[0] == epoch:
            return _answer(request, kept[1], kept[2])
        response = self.get_response(request)
        plan: Plan | None = getattr(response, "_page_plan", None)
        if plan is None:
            return response
        patch_vary_headers(response, ("Cookie",))
        if epoch and isinstance(response, HttpResponse) and _may_keep(request, response, plan):
            return _keep(request, response, key, epoch, plan)
        return response


def _may_read(request: HttpRequest) -> bool:
    return (
        request.method in ("GET", "HEAD")
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
        and "HX-Request" not in request.headers
        and "Authorization" not in request.headers
        and len(request.META.get("QUERY_STRING", "")) <= LONGEST_QUERY
        and "messages" not in request.COOKIES
    )


def _may_keep(request: HttpRequest, response: HttpResponse, plan: Plan) -> bool:
    control = response.get("Cache-Control", "")
    return (
        request.method == "GET"
        and response.status_code == 200
        and not response.streaming
        and not response.cookies
        and settings.CSRF_COOKIE_NAME not in request.COOKIES
        and "CSRF_COOKIE" not in request.META
        and "no-store" not in control
        and "private" not in control
        and plan.params.issuperset(request.GET)
    )


def _key(request: HttpRequest) -> str:
    query = urlencode(
        sorted((name, value) for name, values in request.GET.lists() for value in values), errors="replace"
    )
    parts = (
        request.scheme or "",
        request.get_host(),
        request.path,
        query,
        theme_of(request),
        size_of(request),
    )
    return "page:" + hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def _look_up(key: str) -> tuple[str, Any]:
    """The epoch ("" when nothing may be kept) and what is kept under the key, in one round trip."""
    if connection.in_atomic_block:
        return "", None
    try:
        found = cache.get_many([EPOCH_KEY, key] if key else [EPOCH_KEY])
        epoch = found.get(EPOCH_KEY)
        if epoch is None:
            cache.add(EPOCH_KEY, secrets.token_hex(8), EPOCH_SECONDS)
            epoch = cache.get(EPOCH_KEY) or ""
        return epoch, found.get(key)
    except Exception as error:
        log.warning("page_cache_unreachable", error=repr(error))
        return "", None


def _keep(request: HttpRequest, response: HttpResponse, key: str, epoch: str, plan: Plan) -> HttpResponseBase:
    body = bytes(response.content)
    response["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response["Cache-Control"] = "no-cache"
    headers = {name: value for name, value in response.items() if name.lower() not in KEPT_HEADERS_NOT}
    try:
        cache.set(key, (epoch, headers, body), plan.seconds)
    except Exception as error:
        log.warning("page_not_kept", error=repr(error))
    return _not_modified(request, response) or response


def _answer(request: HttpRequest, headers: dict[str, str], body: bytes) -> HttpResponseBase:
    response = HttpResponse(body, headers=headers)
    return _not_modified(request, response) or response


def _not_modified(request: HttpRequest, response: HttpResponse) -> HttpResponseNotModified | None:
    asked = request.headers.get("If-None-Match")
    if not asked or response["ETag"] not in parse_etags(asked):
        return None
    headers = {
        name: value
        for name, value in response.items()
        if name.lower() not in ("content-type", "content-length")
    }
    return HttpResponseNotModified(headers=headers)


@require_safe
def look(request: HttpRequest) -> HttpResponse:
    """This will remember theme (light, dark, system) and size (large, normal) in cookies and go back to `next`."""
    target = request.GET.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(target if safe and target.startswith("/") else "/")
    for name, allowed, plain in (("theme", THEMES, "system"), ("size", SIZES, "normal")):
        value = request.GET.get(name)
        if value and value in allowed:
            response.set_cookie(
                name, value, max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax"
            )
        elif value == plain:
            response.delete_cookie(name, samesite="Lax")
    return mark_private(response)
