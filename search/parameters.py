"""The query string, the same for the page and the API, as a SearchRequest. What is unknown or unreadable is refused."""

from __future__ import annotations

import calendar
import datetime as dt
import re

from django.core import signing
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput
from apps.core.money import Money
from search.contract import FACETS, MAX_LIMIT, PAGE, SORTS, SearchAnswer, SearchRequest

PLAIN = ("q", "amount_min", "amount_max", "from", "to", "sort", "cursor")
KNOWN = (*PLAIN, *FACETS)
"""What every door takes; the page adds `view`, the API `limit`."""

MOST_VALUES = 50
LONGEST_VALUE = 200
SALT = "search.cursor"
_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)


class UnknownParameter(BadInput):
    code = "unknown_parameter"
    status = 400
    message = _("地址里有不认识的参数。请检查拼写；可用的参数见开放数据说明。")


class BadParameter(BadInput):
    code = "bad_parameter"
    message = _("地址里有看不懂的参数值，请改正后再查。")


class BadCursor(BadInput):
    code = "bad_cursor"
    message = _("翻页地址已经失效，或条件改过了。请从第一页重新看。")
    field = "cursor"


def read(given: QueryDict, *, extra: tuple[str, ...] = ()) -> tuple[SearchRequest, int]:
    """This will read a query string into a request and the number of rows before its page.

    Raises UnknownParameter, BadParameter, BadCursor, BadAmount and the limits of search.language, each with its field.
    """
    for name in given:
        if name not in KNOWN and name not in extra:
            raise UnknownParameter(field=name[:40])
        if name not in FACETS and len(given.getlist(name)) > 1:
            raise BadParameter(_("这个参数只能写一次。"), field=name)
    sort = given.get("sort") or "relevance"
    view = given.get("view") or "uses"
    if sort not in SORTS:
        raise BadParameter(_("排序只能是relevance、date或amount。"), field="sort")
    if view not in ("uses", "reports"):
        raise BadParameter(_("view只能是uses或reports。"), field="view")
    request = SearchRequest(
        view="use" if view == "uses" else "report",
        query=given.get("q", "").strip(),
        facets={name: keys for name in FACETS if (keys := _values(given, name))},
        amount_min=_amount(given, "amount_min"),
        amount_max=_amount(given, "amount_max"),
        day_from=_day(given, "from", last=False),
        day_to=_day(given, "to", last=True),
        sort=sort,  # type: ignore[arg-type]
        limit=_limit(given),
    )
    request.tree()
    return turned(request, given.get("cursor", ""))


def turned(request: SearchRequest, cursor: str) -> tuple[SearchRequest, int]:
    """This will turn a request to the page a cursor names."""
    if not cursor:
        return request, 0
    try:
        fingerprint, before, *after = signing.loads(cursor, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadCursor() from error
    if fingerprint != request.fingerprint():
        raise BadCursor()
    values = {name: getattr(request, name) for name in request.__dataclass_fields__}
    return SearchRequest(**{**values, "after": tuple(after)}), before


def cursor_after(request: SearchRequest, answer: SearchAnswer, before: int) -> str | None:
    """This will sign the address of the next page, or give None at the end."""
    if answer.next is None:
        return None
    return signing.dumps([request.fingerprint(), before + len(answer.ids), *answer.next], salt=SALT)


def _values(given: QueryDict, name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(value for value in given.getlist(name) if value))
    if len(values) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in values):
        raise BadParameter(_("同一个条件最多选50个值。"), field=name)
    return values


def _amount(given: QueryDict, name: str) -> int | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        return Money.parse(text).minor
    except BadInput as error:
        raise BadParameter(_("金额请写成数字（元），例如 200 或 200.50。"), field=name) from error


def _day(given: QueryDict, name: str, *, last: bool) -> dt.date | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    found = _DAY.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month = int(found[1]), int(found[2])
        day = int(found[3]) if found[3] else (calendar.monthrange(year, month)[1] if last else 1)
        return dt.date(year, month, day)
    except ValueError as error:
        raise BadParameter(_("日期请写成2026-03-31或2026-03。"), field=name) from error


def _limit(given: QueryDict) -> int:
    text = given.get("limit", "")
    if not text:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_LIMIT):
        raise BadParameter(_("limit是1到100的整数。"), field="limit")
    return int(text)
