"""The request as views see it, once the middleware has said who is asking."""

from __future__ import annotations

from django.http import HttpRequest

from apps.core.actors import Actor


class Request(HttpRequest):
    """A request with its actor (PUBLIC for anonymous visitors), set by the middleware of accounts."""

    actor: Actor
