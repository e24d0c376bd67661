"""Open data, /api/v1/: read only, no key, open to every origin, rate limited, with ETag (S5, interfaces.md).

A room adds its own: `api.py` with a ninja `router` and `PREFIX` (such as "/projects"); it is found at start.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.http import parse_etags
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from ninja import Field, NinjaAPI, Query, Router, Schema
from ninja.errors import HttpError, Throttled, ValidationError

from apps.core.errors import DomainError
from apps.core.pages import cached_page
from search import parameters
from search.catalog import Value, catalog
from search.contract import SearchRequest
from search.engines import engine
from search.grants import grant
from search.limits import OpenDataLimit
from search.results import Result, results
from search.words import FACET_NAMES, OPINION_WORDS, band_words


class OpenData(NinjaAPI):
    """Every answer, of every room: CORS, ETag (of all but the moment it was made), 304."""

    def create_response(self, request: HttpRequest, data: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().create_response(request, data, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "ETag, Retry-After"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        if response.status_code != 200:
            response["Cache-Control"] = "no-store"
            return response
        lasting = (
            {name: value for name, value in data.items() if name != "as_of"}
            if isinstance(data, dict)
            else data
        )
        body = DjangoJSONEncoder(sort_keys=True).encode(lasting)
        response["ETag"] = tag = f'W/"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
        response["Cache-Control"] = "public, max-age=0, must-revalidate"
        if tag in parse_etags(request.headers.get("If-None-Match", "")):
            kept = ("ETag", "Cache-Control", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers")
            return HttpResponseNotModified(headers={name: response[name] for name in kept})
        return response


api = OpenData(
    title="澜江慈善开放数据 / Open data",
    version="1",
    description="只读，不用密钥。金额以最小单位（分）给出。Read only, no key; money in minor units.",
    urls_namespace="open_data",
    docs_url=None,
    openapi_url="/openapi.json",
    throttle=[OpenDataLimit()],
)
router = Router(tags=["search"])


class Parameters(Schema):
    """Documents the query string; search.parameters reads it."""

    q: str = Field(
        "",
        description='查询词 / words, "phrase", AND OR NOT ( ) -',
        examples=["危房 OR 助学 -退款"],
    )
    organization: list[str] = Field(
        [], description="统一社会信用代码 / USCC, any of", examples=[["51449900MJK614024W"]]
    )
    fund: list[str] = Field([], description="微基金 / fund, any of", examples=[["anju"]])
    project: list[str] = Field([], description="项目 / project, any of", examples=[["shiqiao"]])
    category: list[str] = Field([], description="用途 / category, any of", examples=[["housing"]])
    town: list[str] = Field([], description="镇街 / town, any of", examples=[["shiqiao"]])
    kind: list[str] = Field([], description="报告类型 / kind of report, any of", examples=[["progress"]])
    opinion: list[str] = Field(
        [], description="审计意见 / none, unqualified, qualified, adverse, disclaimer",
        examples=[["unqualified", "qualified"]],
    )  # fmt: skip
    amount_min: str = Field("", description="元 / yuan, both ends included", examples=["200", "200.50"])
    amount_max: str = Field("", description="元 / yuan, both ends included", examples=["5000"])
    from_: str = Field(
        "", alias="from", description="起 / first day or month", examples=["2026-03-31", "2026-03"]
    )
    to: str = Field("", description="止 / last day or month, included", examples=["2026-06"])
    sort: str = Field("relevance", description="排序 / relevance, date, amount", examples=["date"])
    cursor: str = Field("", description="翻页 / taken from `next`, signed", examples=[""])
    limit: str = Field("20", description="每页条数 / 1-100", examples=["100"])


class Error(Schema):
    code: str
    message: str
    field: str | None = None


class Amount(Schema):
    amount: int
    currency: str


class FacetItem(Schema):
    value: str
    label: str
    count: int


class Month(Schema):
    month: str
    count: int
    totals: list[Amount]
    household_times: int
    long_periods: int


class Named(Schema):
    value: str
    label: str
    label_en: str


class Row(Schema):
    id: str
    report: str
    link: str
    heading: str
    text: str
    amount: Amount
    household_times: int
    day: str
    period: str
    organization: Named | None
    fund: Named | None
    project: Named | None
    category: Named | None
    town: Named | None
    kind: Named | None
    opinion: str
    published_at: str
    more: dict[str, Any]


class Answer(Schema):
    count: int
    totals: list[Amount]
    household_times: int
    facets: dict[str, list[FacetItem]]
    months: list[Month]
    results: list[Row]
    next: str | None
    as_of: str
    engine: str


RESPONSES: dict[int, type[Schema]] = {200: Answer, 400: Error, 422: Error, 429: Error, 503: Error}


@router.get("/uses", response=RESPONSES, summary="善款用途 / uses of money")
def uses(request: HttpRequest, given: Query[Parameters]) -> Any:
    """Public rows of published reports: releases of aid and expense lines, the thing most people search."""
    return _search(request, "use")


@router.get("/disclosures", response=RESPONSES, summary="已公布报告 / published reports")
def disclosures(request: HttpRequest, given: Query[Parameters]) -> Any:
    """Published, audited reports."""
    return _search(request, "report")


class Grants(Schema):
    """A page of 360Giving grants; `grants` alone is a file of the standard."""

    grants: list[dict[str, Any]]
    count: int
    next: str | None
    as_of: str
    engine: str


@router.get("/grants", response={**RESPONSES, 200: Grants}, summary="360Giving 1.4")
def grants(request: HttpRequest, given: Query[Parameters]) -> Any:
    """The same uses as grants of the 360Giving data standard 1.4, with the same parameters."""
    asked, before = parameters.read(_for(request, "use"), extra=("limit", "view"))
    answer = engine().search(asked)
    return {
        "grants": [grant(result) for result in results(answer.ids, catalog())],
        "count": answer.count,
        "next": _next(request, asked, parameters.cursor_after(asked, answer, before)),
        "as_of": answer.as_of.isoformat(timespec="seconds"),
        "engine": answer.engine,
    }


def _search(http: HttpRequest, view: str) -> dict[str, Any]:
    asked, before = parameters.read(_for(http, view), extra=("limit", "view"))
    answer = engine().search(asked)
    values = catalog()
    following = parameters.cursor_after(asked, answer, before)
    return {
        "count": answer.count,
        "totals": [total.as_json() for total in answer.totals],
        "household_times": answer.household_times,
        "facets": {
            name: [
                {"value": i.key, "label": _label(name, i.key, i.label_zh), "count": i.count} for i in items
            ]
            for name, items in answer.facets.items()
        },
        "months": [
            {
                "month": f"{month.month // 12:04d}-{month.month % 12 + 1:02d}",
                "count": month.count,
                "totals": [total.as_json() for total in month.totals],
                "household_times": month.household_times,
                "long_periods": month.long_periods,
            }
            for month in answer.months
        ],
        "results": [_row(result) for result in results(answer.ids, values)],
        "next": _next(http, asked, following),
        "as_of": answer.as_of.isoformat(timespec="seconds"),
        "engine": answer.engine,
    }


def _for(http: HttpRequest, view: str) -> Any:
    if "view" in http.GET:
        raise parameters.UnknownParameter(field="view")
    given = http.GET.copy()
    given["view"] = "uses" if view == "use" else "reports"
    return given


def _next(http: HttpRequest, asked: SearchRequest, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = http.GET.copy()
    query["cursor"] = cursor
    return http.build_absolute_uri(f"{http.path}?{query.urlencode()}")


def _label(name: str, key: str, label: str) -> str:
    if name == "opinion":
        return str(OPINION_WORDS[key])
    return band_words(int(key)) if name == "band" else label


def _named(value: Value | None) -> dict[str, str] | None:
    return {"value": value.key, "label": value.zh, "label_en": value.en} if value else None


def _row(result: Result) -> dict[str, Any]:
    return {
        "id": result.public_id,
        "report": result.batch,
        "link": result.link,
        "heading": result.heading,
        "text": result.text,
        "amount": result.amount.as_json(),
        "household_times": result.household_times,
        "day": result.day.isoformat(),
        "period": result.period,
        **{name: _named(value) for name, value in result.facets.items()},
        "opinion": result.opinion,
        "published_at": result.published_at.isoformat(timespec="seconds"),
        "more": dict(result.more),
    }


# Errors: {"code", "message", "field"?}


def _refuse(
    request: HttpRequest, status: int, code: str, message: str, field: str | None = None
) -> HttpResponse:
    body = {"code": code, "message": message, **({"field": field} if field else {})}
    return api.create_response(request, body, status=status)


@api.exception_handler(DomainError)
def on_domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    return _refuse(request, error.status, error.code, str(error.message), error.field)


@api.exception_handler(ValidationError)
def on_validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    field = str(error.errors[0]["loc"][-1]) if error.errors else None
    return _refuse(request, 422, "bad_parameter", _("地址里有看不懂的参数值，请改正后再查。"), field)


@api.exception_handler(Http404)
def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _refuse(request, 404, "not_found", _("没有找到。请检查地址，或从列表重新打开。"))


@api.exception_handler(Throttled)
def on_throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
    response = _refuse(
        request, 429, "too_many_requests", _("请求太密，请稍后再试。批量使用请按Retry-After等待。")
    )
    response["Retry-After"] = str(int(error.wait or 60))
    return response


@api.exception_handler(SuspiciousOperation)
@api.exception_handler(BadRequest)
def on_bad_request(request: HttpRequest, error: Exception) -> HttpResponse:
    return _refuse(request, 400, "bad_request", _("请求看不懂，请检查地址。"))


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _refuse(request, error.status_code, "refused", str(error))


api.add_router("", router)
for config in apps.get_app_configs():
    if config.name.startswith("apps.") and module_has_submodule(config.module, "api"):
        room = import_module(f"{config.name}.api")
        if hasattr(room, "router") and hasattr(room, "PREFIX"):
            api.add_router(room.PREFIX, room.router)


@require_safe
@cached_page()
def docs(request: HttpRequest) -> HttpResponse:
    """This will describe the API from its own OpenAPI document, readable without JavaScript."""
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    operations = [
        {"path": path, "method": method.upper(), **operation, "parameters": operation.get("parameters", [])}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    names = {name: str(words) for name, words in FACET_NAMES.items()}
    return render(request, "search/api_docs.html", {"operations": operations, "facet_names": names})
