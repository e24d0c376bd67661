from __future__ import annotations

import copy
import csv
import io
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from tests import world as w
from tests.accounts import addresses
from tests.accounts.signing import account_for, with_session

pytestmark = pytest.mark.django_db
SKIPPED_POST = {"healthz", "readyz", "metrics"}


def _ask(client: Client, method: str, address: str) -> str:
    """One visit, rolled back, cookies as well; its status, or where it sends the visitor."""
    cache.clear()
    before = copy.deepcopy(client.cookies)
    with transaction.atomic():
        answer = getattr(client, method)(address)
        transaction.set_rollback(True)
    client.cookies = before
    where = answer.headers.get("Location", "")
    for part, words in (("/accounts/login/", "sign in"), ("/accounts/2fa/", "second factor")):
        if part in where and part not in address:
            return words
    return str(answer.status_code)


SHARDS = 4
"""The matrix is asked for in parts, so that workers share it."""


def _matrix(shard: int) -> list[list[str]]:
    objects = addresses.Objects()
    visitors = addresses.visitors(objects)
    rows = [["address", "method", *visitors]]
    for route, name in sorted(set(addresses.routes()))[shard::SHARDS]:
        address = objects.address(route, name)
        for method in ("get", "post"):
            rows.append(
                [
                    f"{route} {name}".strip(),
                    method,
                    *(_ask(one, method, address) for one in visitors.values()),
                ]
            )
    return rows


@pytest.mark.parametrize("shard", range(SHARDS))
def test_matrix_is_the_committed_one(shard: int, request: pytest.FixtureRequest) -> None:
    """A new address, or another answer of an old one, has to be read and committed by a person."""
    with time_machine.travel(addresses.later(), tick=True):
        head, *rows = _matrix(shard)
    committed_head, *committed = csv.reader(io.StringIO(addresses.FILE.read_text()))
    if request.config.getoption("--write-addresses"):
        _write(head, rows, committed)
        return
    live = sorted({f"{route} {name}".strip() for route, name in addresses.routes()})
    assert live == sorted({row[0] for row in committed}), "addresses and matrix differ"
    known = {(row[0], row[1]): row for row in committed}
    assert head == committed_head
    wrong = [(row[0], row[1], who, was, now)
             for row in rows for who, now, was in zip(head, row, known[row[0], row[1]], strict=True)
             if now != was]  # fmt: skip
    assert not wrong
    assert not [row for row in rows if any(answer.startswith("5") for answer in row[2:])], "a 500"


def _write(head: list[str], rows: list[list[str]], committed: list[list[str]]) -> None:
    live = {f"{route} {name}".strip() for route, name in addresses.routes()}
    merged = {(row[0], row[1]): row for row in committed if row[0] in live}
    merged |= {(row[0], row[1]): row for row in rows}
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *(merged[key] for key in sorted(merged))])
    addresses.FILE.write_text(out.getvalue())


EVERY_OFFICERS = {
    "workbench/rules/<int:pk>/ disbursements_rule", "workbench/volunteers/<str:public_id>/ wishes_volunteer",
    "workbench/volunteers/<str:public_id>/<str:number>/ wishes_hours",
    "workbench/volunteers/<str:public_id>/<str:number>.pdf wishes_hours_pdf",
}  # fmt: skip
"""A published rule table is for every officer to read, whatever town they are of; publishing asks its policy (C6). A
volunteer carries for all towns and warehouses."""

FAR_STOREKEEPERS = {
    "workbench/wishes/<str:public_id>/ wishes_one", "workbench/wishes/orders/<str:number>/ wishes_order",
}  # fmt: skip
"""What is given or bought for a wish comes to any warehouse (wishes.see_wish, wishes.accept_goods)."""


def test_nobody_elsewhere_reaches_an_object() -> None:
    head, *rows = csv.reader(io.StringIO(addresses.FILE.read_text()))
    far = [n for n, who in enumerate(head) if who.endswith(" elsewhere")]
    for row in rows:
        if row[0].startswith("workbench/") and "<" in row[0] and row[0] not in EVERY_OFFICERS:
            held = [n for n in far if row[0] not in FAR_STOREKEEPERS or not head[n].startswith("storekeeper")]
            assert {row[n] for n in held} <= {"403", "404", "405"}, row[:2]


def _filled(route: str) -> str:
    import re

    filled = re.sub(r"<[^>]*>|\(\?P<\w+>[^)]*\)|\([^)]*\)", "1", route).replace("^", "").replace("$", "")
    return "/" + filled.replace("\\", "").replace("?", "")


@pytest.mark.parametrize("method", ["get", "post"])
def test_tools_are_behind_the_door(method: str) -> None:
    """Every address of Wagtail and Django's admin, for those who may not edit: never a page, never a 500."""
    half = with_session(account_for(None, "half@example.org", ("editor", "city", 0)), second=False)
    donor = with_session(account_for(None, "donor@example.org", mfa=False), second=False)
    manager = with_session(account_for(None, "m@example.org", ("manager", "organization", 1)), second=True)
    seen = 0
    for route, _name in addresses.tool_routes():
        address = _filled(route)
        if address in ("/cms/login/", "/admin/login/") or address.startswith(("/cms/users/", "/cms/groups/")):
            continue
        seen += 1
        assert _ask(Client(), method, address) == "sign in", address
        assert _ask(donor, method, address) == "403", address
        assert _ask(half, method, address) == "second factor", address
        assert _ask(manager, method, address) == "403", address
    assert seen > 150


IDS = ["x", "0", "-1", "999999999999999999999", "%00", "a" * 300, "'; DROP TABLE x;--", "..%2f..%2fetc%2fpasswd", "<b>",
       "１", "%F0%9F%92%A9", "null", "None", "%ff"]  # fmt: skip


@pytest.mark.parametrize("nonsense", IDS)
def test_made_up_ids_are_answered(nonsense: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = _cheap()
    clients: list[Any] = [Client()]
    asking = IDS.index(nonsense)
    staff = (("manager", "organization", objects.organization.pk), ("administrator", "city", 0),
                              ("caseworker", "town", objects.towns[0].pk), ("cashier", "organization",
                              objects.organization.pk),
                              ("supervisor", "city", 0), ("auditor", "audit_firm", 1))  # fmt: skip
    # Each id is asked by the public and by one of the roles in turn: every role meets several ids.
    role, kind, scope = staff[asking % len(staff)]
    clients.append(with_session(account_for(None, f"{role}@example.org", (role, kind, scope)), second=True))
    import re

    for route, _name in set(addresses.routes()):
        if "<" not in route or "confirm-email" in route:
            continue
        address = "/" + re.sub(r"<[^>]*>|\(\?P<\w+>[^)]*\)", lambda _found: nonsense, route).replace(
            "^", ""
        ).replace("$", "")
        for client in clients:
            for method in ("get", "post"):
                assert not _ask(client, method, address).startswith("5"), (address, method)


def _cheap() -> w.World:
    return w.build()
