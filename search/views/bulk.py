"""The data dictionary and the nightly files of everything published (S5)."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core.errors import NotFound
from apps.core.pages import cached_page
from search import bulk
from search.exports.columns import dictionary
from search.words import FACET_NAMES, OPINION_WORDS, PERIOD_WORDS

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
}


@require_safe
@cached_page()
def open_data(request: HttpRequest) -> HttpResponse:
    """This will explain every field of the open data and offer everything as files."""
    return render(
        request,
        "search/open_data.html",
        {"manifest": bulk.read_manifest(), "fields": dictionary(), "facets": FACET_NAMES.items(),
         "opinions": OPINION_WORDS.items(), "periods": PERIOD_WORDS.items()},
    )  # fmt: skip


@require_safe
def bulk_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """This will hand out one of the nightly files, or their manifest."""
    if name not in (*bulk.NAMES, "manifest.json"):
        raise NotFound()
    path = bulk.folder() / name
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound() from error
    response = FileResponse(
        file, content_type=TYPES[path.suffix[1:]], as_attachment=name != "manifest.json", filename=name
    )
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=3600"
    return response
