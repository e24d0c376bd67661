"""Who is asking, and the second factor at every staff door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from apps.accounts.queries import actor_for, has_mfa, passed_mfa
from apps.core.actors import PUBLIC, Actor
from apps.core.errors import DomainError, NotFound, PermissionRefused
from apps.core.middleware import refusal

DOORS = ("/workbench/", "/cms/", "/admin/")
"""Everything behind these needs a signed-in member of staff whose session passed MFA."""


TOOLS = {"/cms/": "editor", "/admin/": "administrator"}
"""Whose tools these are; Wagtail itself would send other staff round in a circle of sign-in pages."""
SIGN_IN = ("/cms/login/", "/admin/login/")
OWN_SECRETS = ("/accounts/2fa/", "/accounts/password/", "/accounts/email/")
OPEN = ("/accounts/2fa/authenticate/", "/accounts/2fa/reauthenticate/", "/accounts/password/reset/")
"""Where an account's second factor, password and mail are changed: whoever has a second factor passes it first, so that
a password alone, however it came into a session, never takes the factor off or shows its recovery codes."""
CLOSED = ("/cms/users/", "/cms/groups/")
"""Wagtail's editors of accounts: they would give rights beside the operations of this room."""


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor(request))  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        path = request.path_info.removeprefix("/en")
        if path.startswith(OWN_SECRETS) and not path.startswith(OPEN):
            return check_own_secrets(request)
        if path in SIGN_IN or not path.startswith(DOORS):
            return None
        if path.startswith(CLOSED):
            return refusal(request, NotFound())
        try:
            return check_door(request)
        except DomainError as error:
            # Django hands only exceptions of views to process_exception.
            return refusal(request, error)

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """Allauth's pages name a `site` of their own, which would hide the one every page's frame needs."""
        context = response.context_data
        if context and "site" in context and request.path_info.removeprefix("/en").startswith("/accounts/"):
            del context["site"]
        return response


def check_door(request: HttpRequest) -> HttpResponse | None:
    """This will let staff with MFA in, send others where they can get it, and refuse accounts without a role."""
    after = urlencode({"next": request.get_full_path()})
    if not request.user.is_authenticated:
        return HttpResponseRedirect(f"{reverse('account_login')}?{after}")
    actor = actor_for(request.user, mfa=passed_mfa(request))  # type: ignore[arg-type]
    if not actor.is_staff:
        raise PermissionRefused()
    if not has_mfa(request.user):  # type: ignore[arg-type]
        return HttpResponseRedirect(f"{reverse('mfa_activate_totp')}?{after}")
    if not actor.mfa:
        return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{after}")
    for door, role in TOOLS.items():
        if request.path_info.startswith(door) and not actor.has(role):
            raise PermissionRefused()
    return None


def check_own_secrets(request: HttpRequest) -> HttpResponse | None:
    """This will ask a signed-in account that has a second factor for it, where its session didn't pass it."""
    if not request.user.is_authenticated or not has_mfa(request.user) or passed_mfa(request):  # type: ignore[arg-type]
        return None
    return HttpResponseRedirect(
        f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}"
    )


def _actor(request: HttpRequest) -> Actor:
    if not request.user.is_authenticated:
        return PUBLIC
    return actor_for(request.user, mfa=passed_mfa(request))  # type: ignore[arg-type]
