"""Who is at the other end of a request, as far as limits need it: an address, a device, a session, never a name.

A device is a random value in a signed cookie that a form's page sets. A client without a valid one shares one device
with all others of its address that have none.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.core.http import client_address

COOKIE = "device"
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Visitor:
    """What limits go by; "" is not limited by. Only keyed hashes of these are ever kept (`core.limits.hidden`)."""

    address: str = ""
    device: str = ""
    session: str = ""


NOBODY = Visitor()
"""No visitor: the demonstration and tests. Edges always say who is asking (tests/architecture holds it)."""


def visitor_of(request: HttpRequest) -> Visitor:
    """This will say who is asking. An IPv6 address counts by its network (/64): a household has 2^64 of them."""
    address = network(client_address(request))
    known = signing.get_cookie_signer(salt=COOKIE)
    try:
        device = known.unsign(request.COOKIES.get(COOKIE, ""), max_age=YEAR)
    except signing.BadSignature:
        device = f"none@{address}"
    session = getattr(request, "session", None)
    return Visitor(address, device, (session.session_key or "") if session is not None else "")


def remember_device(request: HttpRequest, response: HttpResponse) -> None:
    """This will give a browser its device cookie where it has no valid one; the page must be private."""
    signer = signing.get_cookie_signer(salt=COOKIE)
    try:
        signer.unsign(request.COOKIES.get(COOKIE, ""), max_age=YEAR)
    except signing.BadSignature:
        response.set_cookie(
            COOKIE, signer.sign(secrets.token_urlsafe(16)), max_age=YEAR, secure=request.is_secure(), httponly=True,
            samesite="Lax",
        )  # fmt: skip


def network(address: str) -> str:
    """This will give an IPv4 address as it is and an IPv6 one as its /64; an IPv4 one written as IPv6 is IPv4."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
