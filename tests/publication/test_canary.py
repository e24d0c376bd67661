"""A canary: the name, ID number, phone, account and address of one family that is helped and paid, looked for in
everything the site shows, sends, caches, logs and stores in the clear. None may be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest
from django.core import mail
from django.db import connection
from django.test import Client, override_settings

from apps.casework import operations as casework
from apps.core.actors import Actor
from apps.disbursements.models import Disbursement, DisbursementStatusChange
from apps.publication.releases import release_due
from charity_site.celery import PatientCelery
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.casework.people import add_member, number
from tests.conftest import Broker, Database

BORN = w.dt.date(1971, 3, 9)
CANARY = {
    "name": "夔凤鸾", "id_number": number(BORN, 31), "phone": "0799-71903468", "address": "石桥镇夔门巷77号",
    "bank_name": "某银行", "bank_account": "6222009988776655441",
}  # fmt: skip
CHILD = number(w.dt.date(2013, 4, 5), 33)
NEEDLES = (
    "夔凤鸾",
    "夔小鸾",
    CANARY["id_number"],
    CHILD,
    "71903468",
    "0799-71903468",
    "6222009988776655441",
    "夔门巷",
)
PDF = "%PDF-1.4 夔凤鸾的诊断 \n%%EOF\n".encode()
HREF = re.compile(r'href="([^"]+)"')
LEFT_OUT = ("/static/", "/accounts/logout", "/cms/", "/admin/", "mailto:", "tel:", "/look/", "javascript:")
EXTRA = (
    "/stories/", "/stories/feed.atom", "/sitemap.xml", "/robots.txt", "/status/", "/disclosures/?q=%E6%95%91%E5%8A%A9",
    "/receipts/check/", "/en/", "/en/projects/dabing/", "/api/v1/uses", "/api/v1/disclosures", "/api/v1/openapi.json",
    "/disclosures/export.csv", "/disclosures/feed.atom", "/disclosures/?view=reports",
)  # fmt: skip


def hits(words: str) -> set[str]:
    return {needle for needle in NEEDLES if needle in words}


def helped(city: w.World) -> Disbursement:
    """The canary's whole way: file, member, evidence, visit of two, application, four eyes, paid; with five more
    families, so that it is released."""
    actor = city.people["caseworker_shiqiao"]
    family = casework.register_household(
        actor=actor,
        town=city.towns[0],
        income_tier="dibao",
        people=2,
        private=CANARY,
        consented_at=w.NOW,
        now=w.NOW,
    )
    add_member(city, family, name="夔小鸾", id_number=CHILD)
    casework.add_attachment(actor=actor, household=family, kind="diagnosis", content=PDF, now=w.NOW)
    form = casework.newest_form(w.NOW.date())
    visit = casework.record_assessment(
        actor=actor, household=family, visited_on=w.NOW.date(), now=w.NOW,
        answers={question["key"]: question["answers"][0]["key"] for question in form.questions},
    )  # fmt: skip
    casework.confirm_assessment(actor=city.people["caseworker2_shiqiao"], assessment=visit, now=w.NOW)
    # The same person in the other town: both are alerted.
    casework.register_household(
        actor=city.people["caseworker_hengxi"], town=city.towns[1], income_tier="dibao", people=1,
        private=CANARY | {"bank_account": "6222009988776655442"}, consented_at=w.NOW, now=w.NOW,
    )  # fmt: skip
    item = w.approve(city, w.apply_aid(city, family, 88_800))
    others = [w.approve(city, w.apply_aid(city, w.household(city, n), 10_000 + n)) for n in range(1, 6)]
    w.pay_out(city, [item, *others])
    w.work()
    release_due(now=w.NOW)
    item.refresh_from_db()
    assert item.status == "paid"
    return item


def crawl(
    client: Client, start: tuple[str, ...], most: int, each: int = 3, within: str = "/"
) -> Iterator[tuple[str, str]]:
    """This will follow links from page to page below an address, each shape of address at most a few times: more of a
    shape tell nothing that the first ones don't."""
    waiting, seen, shapes = list(start), set(start), dict[str, int]()
    while waiting and most > 0:
        path = waiting.pop(0)
        most -= 1
        answer = client.get(path)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
        words = content.decode(errors="replace")
        yield path, f"{headers}\n{words}"
        if "html" not in answer.headers.get("Content-Type", ""):
            continue
        for link in HREF.findall(words):
            where = urldefrag(urljoin(path, link.replace("&amp;", "&"))).url
            shape = re.sub(r"[0-9a-z]*\d[0-9a-z]*", "#", where.partition("?")[0])
            if (
                where.startswith(within)
                and not any(part in where for part in LEFT_OUT)
                and where not in seen
                and shapes.get(shape, 0) < each
            ):
                seen.add(where)
                shapes[shape] = shapes.get(shape, 0) + 1
                waiting.append(where)


def stored() -> dict[str, set[str]]:
    """This will look through every table of the database, as text."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            clauses = " OR ".join(["t::text LIKE %s"] * len(NEEDLES))
            cursor.execute(
                f'SELECT t::text FROM "{table}" t WHERE {clauses} LIMIT 5',
                [f"%{needle}%" for needle in NEEDLES],
            )
            for (row,) in cursor.fetchall():
                found.setdefault(table, set()).update(hits(row))
    return found


def client_of(actor: Actor) -> Client:
    return with_session(account_of(actor, f"p{actor.person_id}@example.org"), second=True)


def test_nothing_of_the_family_is_anywhere(
    committed_db: Database, valkey: Broker, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    settings.DATA_DIR = tmp_path
    sent: list[str] = []
    monkeypatch.setattr(
        PatientCelery,
        "send_task",
        lambda _self, name, *args, **kwargs: sent.append(f"{name} {args} {kwargs}"),
    )
    caches = {"default": {"BACKEND": "charity_site.cache.PatientCache", "LOCATION": f"{valkey.url}/3"}}
    with override_settings(CACHES=caches):
        city = w.build()
        gift = w.give(city, 5_000_000, email="donor@example.org")
        item = helped(city)
        city.people |= {
            "auditor": w.person("auditor", ("auditor", "organization", 999)),
            "editor": w.person("editor", ("editor", "city", 0)),
            "administrator": w.person("administrator", ("administrator", "city", 0)),
            "city_reviewer": w.person("city_reviewer", ("city_reviewer", "city", 0)),
        }
        found: dict[str, set[str]] = {}
        pages = 0
        gift_page = f"/gifts/{gift.token}/"
        public = crawl(Client(), ("/", gift_page, *EXTRA), 150)
        for path, words in public:
            pages += 1
            if hits(words):
                found[f"public {path}"] = hits(words)
        roles = ("officer", "manager", "supervisor", "auditor", "editor", "administrator", "city_reviewer", "cashier",
                 "caseworker_hengxi", "reviewer_hengxi", "caseworker_shiqiao", "reviewer_shiqiao")  # fmt: skip
        file_page = f"/workbench/households/{item.household.file_number}/"  # type: ignore[union-attr]
        for role in roles:
            start = ("/workbench/", file_page, f"/workbench/disbursements/{item.number}/")
            for path, words in crawl(client_of(city.people[role]), start, 40, 2, "/workbench/"):
                pages += 1
                # The cashier who pays reads the payee in the bank's file: that is the right itself.
                if hits(words) and not (role == "cashier" and "/file" in path):
                    found[f"{role} {path}"] = hits(words)
        found |= error_pages(monkeypatch)
        import redis

        store = redis.Redis.from_url(f"{valkey.url}/3")
        kept = [(key, store.dump(key) or b"", store.get(key) or b"") for key in store.keys("*")]  # type: ignore[union-attr]
        assert kept, "pages were cached"
        for key, dumped, value in kept:
            words = " ".join(part.decode(errors="replace") for part in (key, dumped, value))
            if hits(words):
                found[f"cache {key!r}"] = hits(words)
    assert pages > 150, pages
    for message in mail.outbox:
        if hits(str(message.message())):
            found[f"mail {message.subject}"] = hits(str(message.message()))
    assert mail.outbox and sent
    for task in sent:
        if hits(task):
            found[f"task {task}"] = hits(task)
    said = capfd.readouterr()
    if hits(said.out + said.err):
        found["log"] = hits(said.out + said.err)
    for path in tmp_path.rglob("*"):
        seen_in = hits(path.read_bytes().decode(errors="replace") + path.name) if path.is_file() else set()
        # The demonstration's stand-in for the SMS gateway: who a message goes to is its address, and nothing else.
        if seen_in - ({CANARY["phone"], "71903468"} if path.name == "messages.jsonl" else set()):
            found[f"file {path.name}"] = seen_in
    found |= {f"table {name}": value for name, value in stored().items()}
    assert found == {}
    # The net has to hold: a name written into a history label is seen by those who read that page, and by the search of
    # the database.
    DisbursementStatusChange.objects.create(
        record=item, from_status="paid", to_status="paid", at=w.NOW, actor_label="夔凤鸾", reason="夔凤鸾"
    )
    assert stored() == {"disbursements_disbursementstatuschange": {"夔凤鸾"}}
    seen = crawl(client_of_again(city.people["manager"]), (f"/workbench/disbursements/{item.number}/",), 1)
    assert any(hits(words) for _path, words in seen)


def error_pages(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """400, 403, 404 and 500 with a value in the query. (The search's own page keeps what was typed, so that nothing is
    lost.)"""
    from apps.accounts.models import Account
    from cms.views import public

    query = f"?x={CANARY['name']}&y={CANARY['id_number']}&cursor={CANARY['phone']}"
    stranger = Client()
    stranger.force_login(
        Account.objects.create_user("stranger@example.org"),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    stranger.raise_request_exception = False

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(public, "public_money", broken)
    found, statuses = {}, set()
    for path in (f"/nope/{query}", f"/{query}&theme=1", f"/workbench/people/{query}"):
        answer = stranger.get(path)
        statuses.add(answer.status_code)
        if answer.status_code >= 400 and hits(answer.content.decode(errors="replace")):
            found[f"error {answer.status_code} {path[:20]}"] = hits(answer.content.decode())
    bad = stranger.get(f"/{query}", headers={"host": "evil.example.org"})
    statuses.add(bad.status_code)
    if hits(bad.content.decode()):
        found["error 400"] = hits(bad.content.decode())
    assert {400, 403, 404, 500} <= statuses, statuses
    return found


def client_of_again(actor: Actor) -> Client:
    from apps.accounts.models import Account

    return with_session(Account.objects.get(person=actor.person_id), second=True)
