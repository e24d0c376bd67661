"""All addresses. Chinese at /, English under /en/; machines' addresses have no language.

A room's urls.py may offer `public_urlpatterns` and `workbench_urlpatterns` (pages, in both languages; the latter under
/workbench/) and `machine_urlpatterns` (webhooks, feeds, JSON).
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from apps.core.pages import look
from charity_site import health, status

handler403 = "charity_site.refusals.permission_denied"
handler404 = "charity_site.refusals.page_not_found"

OWN = ("apps.", "cms", "search", "charity_site")


def offered(name: str) -> list[Any]:
    """This will gather one kind of addresses from all rooms, upper rooms first (a Django view wins over a page)."""
    found: list[Any] = []
    for config in reversed(list(apps.get_app_configs())):
        if config.name.startswith(OWN) and config.name != "charity_site" and find_spec(f"{config.name}.urls"):
            found += getattr(import_module(f"{config.name}.urls"), name, [])
    return found


urlpatterns = [
    # Answered by charity_site.middleware.Probes already; here so that they have names.
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("look/", look, name="look"),
    path("cms/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("cms/", include(wagtailadmin_urls)),
    path("admin/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("admin/", admin.site.urls),
    path("cms-documents/", include(wagtaildocs_urls)),
    *offered("machine_urlpatterns"),
    *i18n_patterns(
        path("status/", status.status, name="status"),
        *offered("public_urlpatterns"),
        path("workbench/", include(offered("workbench_urlpatterns"))),
        path("accounts/", include("allauth.urls")),
        # Wagtail's own sign-in form would skip the second step.
        path("_util/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
        path("", include(wagtail_urls)),
        prefix_default_language=False,
    ),
]
if settings.DEBUG:
    from django.conf.urls.static import static

    urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
