"""The request as views see it, once the middleware has said who is asking."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from apps.core.actors import Actor


class Request(HttpRequest):
    """A request with its actor (PUBLIC for anonymous visitors), set by the middleware of accounts."""

    actor: Actor


def client_address(request: HttpRequest) -> str:
    """This will give the visitor's address: the one our own proxies (PROXY_HOPS) vouch for, else the peer's."""
    hops: int = settings.PROXY_HOPS
    peer = request.META.get("REMOTE_ADDR") or "0.0.0.0"
    if hops:
        chain = [
            part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()
        ]
        if len(chain) >= hops:
            try:
                return str(ipaddress.ip_address(chain[-hops]))
            except ValueError:
                return str(peer)
    return str(peer)
