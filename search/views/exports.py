"""Taking matches away (S4): at once as a stream, or made by a worker with progress; each with its manifest."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.http import Request, client_address
from apps.core.limits import TooMany, count_use
from search import parameters
from search.contract import SearchRequest
from search.engines import engine
from search.exports import jobs
from search.exports.columns import dictionary
from search.exports.writing import KINDS, MIME, hashed, manifest_of, pieces
from search.models import ExportJob
from search.reading import reading
from search.states import ExportStatus

MOST_STREAMED = 20_000
"""Rows of an answer that holds a web process; a worker makes what is larger."""
STREAMS_AN_HOUR, JOBS_AN_HOUR = 60, 10
LOOK_AGAIN = 2


class ExportNeedsWorker(Conflict):
    code = "export_needs_worker"
    message = _("超过20,000条，请在导出页让后台生成文件：生成好了可以下载，也可以留邮箱通知。")


def _asked(given: QueryDict) -> tuple[SearchRequest, str]:
    """The request of a query string, and the string without what turns pages."""
    request = parameters.read(given, extra=("view",))[0]
    kept = given.copy()
    kept.pop("cursor", None)
    for name in [name for name in kept if not any(kept.getlist(name))]:
        kept.pop(name)
    return request, kept.urlencode()


@never_cache
@require_safe
def export(request: Request, kind: str) -> HttpResponseBase:
    """This will stream all matches of the search's query string; larger ones are sent to the export page."""
    asked, query, answer = _measured(request, kind)
    as_of = clock.now()
    response = StreamingHttpResponse(
        pieces(asked, kind, manifest_of(asked, query, answer, as_of)), content_type=MIME[kind]
    )
    response["Content-Disposition"] = f'attachment; filename="uses-{as_of:%Y%m%d}.{kind}"'
    described = reverse("search_export_manifest", args=[kind])
    response["Link"] = f'<{described}?{query}>; rel="describedby"; type="application/json"'
    response["X-Robots-Tag"] = "noindex"
    response["Access-Control-Allow-Origin"] = "*"
    return response


@never_cache
@require_safe
def manifest(request: Request, kind: str) -> HttpResponse:
    """This will describe the stream of a query string as it is now: rows, totals, SHA-256, and each field."""
    asked, query, answer = _measured(request, kind)
    told = manifest_of(asked, query, answer, clock.now())
    if kind == "csv":
        told["sha256"], told["bytes"] = hashed(pieces(asked, kind, told))
    response = JsonResponse(told, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _measured(request: Request, kind: str) -> tuple[SearchRequest, str, Any]:
    if kind not in KINDS:
        raise NotFound()
    if count_use("search.stream", client_address(request), seconds=3600) > STREAMS_AN_HOUR:
        raise TooMany()
    asked, query = _asked(request.GET)
    answer = engine("postgres").search(asked)
    if answer.count > MOST_STREAMED:
        raise ExportNeedsWorker()
    return asked, query, answer


@never_cache
@require_http_methods(["GET", "POST"])
def choose(request: Request) -> HttpResponse:
    """This will show what an export would hold, offer the streams, and start a job on POST."""
    asked, query = _asked(request.GET)
    error: DomainError | None = None
    given = {"kind": request.POST.get("kind", "csv"), "email": request.POST.get("email", "").strip()[:254]}
    if request.method == "POST":
        try:
            if count_use("search.export", client_address(request), seconds=3600) > JOBS_AN_HOUR:
                raise TooMany()
            job = jobs.start_export(
                actor=request.actor, kind=given["kind"], query=query, language=get_language() or "zh-hans",
                email=given["email"], now=clock.now(),
            )  # fmt: skip
            return redirect("search_export_job", job.token)
        except DomainError as refused:
            error = refused
    answer = engine("postgres").search(asked)
    return render(
        request,
        "search/export.html",
        {
            "answer": answer, "reading": reading(asked.tree()), "query": query, "error": error, "given": given,
            "streams": [(kind, f"{reverse('search_export', args=[kind])}?{query}") for kind in KINDS]
            if answer.count <= MOST_STREAMED else [],
            "fields": dictionary(), "back": f"{reverse('disclosures')}?{query}", "kinds": KINDS,
        },
        status=error.status if error else 200,
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def job(request: Request, token: str) -> HttpResponse:
    """This will show how far an export is and offer the file; POST cancels it."""
    found = get_object_or_404(ExportJob, token=token)
    error: DomainError | None = None
    if request.method == "POST":
        try:
            jobs.cancel_export(actor=request.actor, job=found, now=clock.now())
            return redirect("search_export_job", token)
        except DomainError as refused:
            error = refused
    working = found.status == ExportStatus.MAKING
    percent = found.made * 100 // found.total if found.total else 0
    response = render(
        request,
        "search/export_job.html",
        {"job": found, "working": working, "percent": percent, "error": error,
         "again": f"{reverse('search_export_choose')}?{found.query}"},
        status=error.status if error else 200,
    )  # fmt: skip
    if working:
        response["Refresh"] = str(LOOK_AGAIN)
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def job_file(request: Request, token: str) -> HttpResponseBase:
    """This will hand out a finished export."""
    found = get_object_or_404(ExportJob, token=token, status=ExportStatus.DONE)
    try:
        file = jobs.file_of(found).open("rb")
    except FileNotFoundError as error:
        raise NotFound() from error
    name = f"uses-{found.as_of:%Y%m%d}.{found.kind}"
    return FileResponse(file, content_type=MIME[found.kind], as_attachment=True, filename=name)


@never_cache
@require_safe
def job_manifest(request: Request, token: str) -> HttpResponse:
    """This will give the manifest of a finished export."""
    found = get_object_or_404(ExportJob, token=token, status=ExportStatus.DONE)
    return JsonResponse(found.manifest, json_dumps_params={"ensure_ascii": False, "indent": 1})
