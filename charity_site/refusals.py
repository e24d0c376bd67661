"""Error pages say nothing back: the links of their frame leave out the query, which may hold what somebody typed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """This will answer 404."""
    request.refused = True  # type: ignore[attr-defined]
    return defaults.page_not_found(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """This will answer 403."""
    request.refused = True  # type: ignore[attr-defined]
    return defaults.permission_denied(request, exception)
