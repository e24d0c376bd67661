"""Django's admin, closed: administrators with a second factor may read the record of refused sign-ins, and nothing can
be changed here. Every other write goes through an operation, so whatever a package registers is not let in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.db.models import Model
from django.http import HttpRequest
from django.urls import path
from django.views.generic import RedirectView

READABLE = frozenset({"axes.accessattempt", "axes.accessfailurelog"})
CLOSED = frozenset({"password_change", "password_change_done", "autocomplete", "view_on_site"})
"""Addresses of the admin that would change or reach something."""


class ReadOnly:
    """Mixed into every admin of the site, before it: look, and nothing else."""

    actions = None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.actor.has("administrator"))  # type: ignore[attr-defined]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.actor.has("administrator"))  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_add_permission
    has_delete_permission = has_add_permission


class ClosedAdminSite(AdminSite):
    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models: Iterable[type[Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        base = admin_class or ModelAdmin
        for model in models:
            if model._meta.label_lower in READABLE:
                super().register(model, type(f"ReadOnly{base.__name__}", (ReadOnly, base), {}), **options)

    def unregister(self, model_or_iterable: Any) -> None:
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        super().unregister([model for model in models if model in self._registry])

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.actor.has("administrator"))  # type: ignore[attr-defined]

    def get_urls(self) -> list[Any]:
        kept = [item for item in super().get_urls() if getattr(item, "name", None) not in CLOSED]
        change = RedirectView.as_view(pattern_name="account_change_password")
        return [path("password_change/", change, name="password_change"), *kept]


class ClosedAdminConfig(AdminConfig):
    default_site = "apps.accounts.admin_site.ClosedAdminSite"
