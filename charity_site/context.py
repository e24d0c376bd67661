"""What every page's frame needs, with one SQL statement an epoch: names, navigation, look, language."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from apps.core.pages import current_epoch, local_path, plain_path, size_of, theme_of
from apps.organizations.models import Organization

NAV = (("/", gettext_lazy("首页")), ("/projects/", gettext_lazy("项目")), ("/shop/", gettext_lazy("博爱商城")),
       ("/funds/", gettext_lazy("微基金")), ("/disclosures/", gettext_lazy("查善款")))  # fmt: skip
FOOT_SEARCH = (("/disclosures/", gettext_lazy("查善款用到哪里")),
               ("/disclosures/?view=reports", gettext_lazy("经审计的报告")),
               ("/duties/", gettext_lazy("报告期限")),
               ("/receipts/check/", gettext_lazy("核对捐赠票据")),
               ("/goods/", gettext_lazy("物资去向")),
               ("/statistics/", gettext_lazy("全市统计")))  # fmt: skip
FOOT_DATA = (("/api/v1/docs", gettext_lazy("开放数据与接口")), ("/status/", gettext_lazy("每日自检")))


@dataclass(frozen=True, slots=True)
class Entry:
    href: str
    label: str
    current: str = ""


@functools.lru_cache(maxsize=256)
def exists(path: str) -> bool:
    """This will tell whether an address is served at all: no link stands for what doesn't work."""
    try:
        with override("zh-hans"):
            return resolve(path.partition("?")[0]).view_name != "wagtail_serve"
    except Resolver404:
        return False


def _entries(items: Any, here: str) -> list[Entry]:
    entries = []
    for path, label in items:
        if path == "/" or exists(path):
            bare = path.partition("?")[0]
            current = "page" if here == bare else ("true" if bare != "/" and here.startswith(bare) else "")
            entries.append(Entry(local_path(path), str(label), current))
    return entries


_kept: dict[str, Organization | None] = {}


def _operator() -> Organization | None:
    """The federation, read once an epoch; None before it is registered, or while the database is away."""
    epoch = current_epoch()
    if epoch and epoch in _kept:
        return _kept[epoch]
    try:
        found = Organization.objects.filter(is_federation=True).first()
    except DatabaseError:
        return None
    if epoch:
        _kept.clear()
        _kept[epoch] = found
    return found


def _federation() -> dict[str, Any]:
    """The operator's legal facts (F4) for the foot of every page."""
    operator = _operator()
    if operator is None:
        return {"name": _("澜江慈善"), "uscc": "", "certificate": "", "contact": (), "operators": ""}
    return {
        "name": str(operator),
        "uscc": operator.uscc,
        "certificate": operator.certificate,
        "contact": tuple(line for line in (operator.address, operator.phone) if line),
        "operators": _("%(name)s主办，民政部门监督") % {"name": str(operator)},
    }


def _refused(request: HttpRequest) -> bool:
    """An error page repeats no query: it may hold what nobody should read over a shoulder or in a copy of the page."""
    return getattr(request, "refused", False)


def _look(request: HttpRequest) -> dict[str, Any]:
    theme, size = theme_of(request), size_of(request)
    here = request.path if _refused(request) else request.get_full_path()

    def to(**choice: str) -> str:
        return "/look/?" + urlencode({**choice, "next": here})

    return {
        "size_href": to(size="normal" if size else "large"),
        "size_label": _("普通字号") if size else _("长者版"),
        "themes": [
            {
                "href": to(theme=value),
                "label": label,
                "current": theme == ("" if value == "system" else value),
            }
            for value, label in (("system", _("跟随系统")), ("light", _("浅色")), ("dark", _("深色")))
        ],
    }


def site(request: HttpRequest) -> dict[str, Any]:
    """This will give templates `site`: the frame of the page."""
    language = get_language() or settings.LANGUAGE_CODE
    english = language.startswith("en")
    here = plain_path(request.path)
    query = "" if _refused(request) else request.META.get("QUERY_STRING", "")
    tail = f"{here}?{query}" if query else here
    other = local_path(tail, "zh-hans" if english else "en")
    base = str(getattr(settings, "SITE_URL", "")).rstrip("/")
    return {
        "site": {
            "name": _("澜江慈善"),
            "lang_tag": "en" if english else "zh-Hans",
            "demonstration": getattr(settings, "MODE", "production") == "demonstration",
            "theme": theme_of(request),
            "size": size_of(request),
            "look": _look(request),
            "switch": {
                "href": other,
                "lang": "zh-Hans" if english else "en",
                "label": "中文" if english else "English",
            },
            "alternates": {"zh": base + here, "en": base + local_path(here, "en")} if base else None,
            "nav": _entries(NAV, here),
            "foot_search": _entries(FOOT_SEARCH, ""),
            "foot_data": _entries(FOOT_DATA, ""),
            "mine_path": local_path("/me/") if exists("/me/") else "",
            "home_path": local_path("/"),
            "search_path": local_path("/disclosures/"),
            "workbench_path": local_path("/workbench/"),
            "federation": _federation(),
        }
    }
