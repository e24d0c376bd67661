"""The page mapper of DomainError: one place turns a refusal into a page with its HTTP status."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from apps.core.errors import DomainError


def error_json(error: DomainError) -> dict[str, str]:
    """This will give the API's form of a refusal: {"code", "message", "field"?}."""
    body = {"code": error.code, "message": str(error.message)}
    if error.field:
        body["field"] = error.field
    return body


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """This will answer a refusal: a page for people, JSON for the API."""
    if request.path_info.startswith("/api/"):
        return JsonResponse(error_json(error), status=error.status)
    request.refused = True  # type: ignore[attr-defined]  # the frame leaves out the query
    return render(request, "refused.html", {"error": error}, status=error.status)


class DomainErrorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusal(request, exception) if isinstance(exception, DomainError) else None
