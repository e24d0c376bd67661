"""Edges of every request: one log line, the visitor's address, and the content policy of the editors' tools."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("charity_site.request")
QUIET = ("/static/",)
EDITORS = ("/cms/", "/admin/")
EDITORS_POLICY = {
    # Wagtail's and Django's own pages carry inline scripts and styles; they are behind sign-in with a second factor.
    "script-src": ["'self'", "'unsafe-inline'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "frame-ancestors": ["'self'"],
}


class Probes:
    """Health and figures, answered before anything else: probes ask by address, not by the site's host name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        from charity_site import health

        self.get_response = get_response
        self.views = {"/healthz": health.healthz, "/readyz": health.readyz, "/metrics": health.metrics}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.views.get(request.path_info, self.get_response)(request)


class PlainAddresses:
    """An address with a NUL, which no text of the database can hold, is refused before anybody looks it up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse("bad address\n", status=400, content_type="text/plain")
        return self.get_response(request)


class RequestLog:
    """One line a request: route, method, status, milliseconds. The route's pattern and not the address, because
    addresses of gifts are secrets; no visitor's address, no user agent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = self.get_response(request)
        if not request.path_info.startswith(QUIET):
            match = request.resolver_match
            log.info(
                "request",
                route=match.route if match else "-",
                method=request.method,
                status=response.status_code,
                milliseconds=round((time.perf_counter() - start) * 1000, 1),
            )
        return response


class ContentPolicy(CSPMiddleware):
    """The strict content policy everywhere, a wider one on the editors' tools alone."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if request.path_info.startswith(EDITORS):
            response._csp_update = None
            response._csp_replace = EDITORS_POLICY
            response["X-Frame-Options"] = "SAMEORIGIN"  # Wagtail shows its preview in a frame of its own
        return super().process_response(request, response)
