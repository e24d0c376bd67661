"""Public pages: bounded SQL, sums that close, nothing that shouldn't be there, and clear answers to bad input."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.donations.models import Gift
from apps.funds import operations as funds
from apps.ledger.queries import figures
from apps.publication.releases import release_due
from tests import world as w

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> w.World:
    import datetime as dt

    now = dt.datetime.now(w.SHANGHAI)
    built = w.build(now=now)
    built.now = now
    return built


def form(client: Client, slug: str, **typed: str) -> Any:
    page = client.get(f"/projects/{slug}/give/")
    key = page.context["form"].fields["key"].initial
    data = {
        "preset": "10000",
        "amount": "",
        "method": "wechat_pay",
        "shown_as": "anonymous",
        "key": key,
    } | typed
    return client.post(f"/projects/{slug}/give/", data)


@pytest.mark.parametrize("path", ["/", "/projects/", "/projects/dabing/", "/funds/", "/funds/anju/", "/statistics/",
                                  "/status/", "/projects/dabing/give/", "/tracing/rules/",
                                  "/api/v1/projects"])  # fmt: skip
@pytest.mark.parametrize("language", ["", "/en"])
def test_bounded_statements(client: Client, city: w.World, django_assert_max_num_queries: Any, path: str,
                            language: str) -> None:  # fmt: skip
    if language and path.startswith("/api"):
        return
    for n in range(1, 4):
        w.make_project(city, slug=f"other{n}")
    w.give(city, 10_000_000, now=city.now)
    for n in range(1, 6):
        w.help_family(city, n, 1_000 * n, now=city.now)
    release_due(now=city.now)
    cache.clear()
    with django_assert_max_num_queries(12):
        assert client.get(language + path).status_code == 200


def test_gift_page_costs_the_same_however_much_it_did(
    client: Client, city: w.World, django_assert_max_num_queries: Any
) -> None:
    gift = w.give(city, 10_000_000, now=city.now)
    for n in range(1, 11):
        w.help_family(city, n, 1_000 * n, now=city.now)
    release_due(now=city.now)
    with django_assert_max_num_queries(12):
        page = client.get(f"/gifts/{gift.token}/")
    trace = page.context["trace"]
    assert trace.fee + trace.refunded + trace.disputed + trace.used + trace.unspent == gift.amount
    assert page.headers["Cache-Control"] == "private, no-store"


AMOUNTS = [
    "0",
    "-5",
    "0.001",
    "1e9",
    "1,00",
    "abc",
    "",
    "999999999999",
    "１００元整",
    "$5",
    "NaN",
    "0.5",
    "\x00",
    "5;DROP",
]


@pytest.mark.parametrize("typed", AMOUNTS)
def test_bad_amounts_get_words_and_keep_what_was_typed(client: Client, city: w.World, typed: str) -> None:
    page = form(client, "dabing", preset="other", amount=typed, message="我的留言")
    assert page.status_code in (409, 422), typed
    assert page.context["form"].errors
    assert "我的留言" in page.content.decode()
    assert Gift.objects.count() == 0


def test_full_width_digits_are_understood(client: Client, city: w.World) -> None:
    assert form(client, "dabing", preset="other", amount="￥１２３．４５").status_code == 302
    assert Gift.objects.get().amount == 12_345


def test_unusual_gift_is_asked_again(client: Client, city: w.World) -> None:
    page = form(client, "dabing", preset="other", amount="10000.01")
    assert page.status_code == 422 and Gift.objects.count() == 0
    again = form(client, "dabing", preset="other", amount="10000.01", confirmed="1000001")
    assert again.status_code == 302


def test_gift_past_the_target_says_what_fits(client: Client, city: w.World) -> None:
    w.make_project(city, slug="small", target=100_000)
    page = form(client, "small", preset="other", amount="1000.01")
    assert page.status_code == 409 and "¥1,000.00" in page.content.decode()
    assert form(client, "small", preset="other", amount="1000").status_code == 302
    assert form(client, "small", preset="2000").status_code == 409, "the open payment holds its amount"


def test_form_left_open_while_the_campaign_closes(client: Client, city: w.World) -> None:
    page = client.get("/projects/dabing/give/")
    key = page.context["form"].fields["key"].initial
    funds.close_raising(actor=city.people["officer"], project=city.project, now=city.now)
    late = client.post("/projects/dabing/give/", {"preset": "10000", "method": "card", "shown_as": "alias",
                                                  "shown_name": "老街坊", "key": key})  # fmt: skip
    assert late.status_code == 409 and "老街坊" in late.content.decode()
    assert Gift.objects.count() == 0


def test_double_click_opens_one_gift(client: Client, city: w.World) -> None:
    first = form(client, "dabing", key="same-key-from-one-form-000000")
    again = form(client, "dabing", key="same-key-from-one-form-000000")
    assert first.headers["Location"] == again.headers["Location"]
    assert Gift.objects.count() == 1


@pytest.mark.parametrize("field", ["message", "shown_name"])
def test_personal_details_are_not_published(client: Client, city: w.World, field: str) -> None:
    typed = {"shown_as": "name", "shown_name": "某人"} | {field: "电话 138 0000 1234"}
    assert form(client, "dabing", **typed).status_code == 422
    assert Gift.objects.count() == 0


@pytest.mark.parametrize("path", ["/projects/x/", "/projects/x/give/", "/funds/x/", "/gifts/x/", "/gifts/x/receipt/",
                                  "/payments/sandbox/cashier/x/", "/payments/nobody/webhook/", "/projects/%00/",
                                  "/gifts/%F0%28%8C%28/", "/en/projects/x/"])  # fmt: skip
def test_what_is_not_there_is_a_clear_404(client: Client, city: w.World, path: str) -> None:
    assert client.get(path).status_code in (400, 404, 405)


QUERIES = [
    "?after=%00",
    "?after=zzz&category=x",
    "?status[]=1",
    "?category=" + "x" * 9000,
    "?%ff=%fe",
    "?after=-1",
]


@pytest.mark.parametrize(
    ("path", "query"), itertools.product(["/", "/projects/", "/funds/", "/statistics/"], QUERIES)
)
def test_fuzzed_query_strings(client: Client, city: w.World, path: str, query: str) -> None:
    assert client.get(path + query).status_code in (200, 400, 404, 414)


@pytest.mark.parametrize("status", ["draft", "in_review", "rejected"])
def test_unfiled_project_has_no_page(client: Client, city: w.World, status: str) -> None:
    project = w.make_project(city, slug="hidden", raising=False)
    type(project).objects.filter(pk=project.pk).update(status=status)
    assert client.get("/projects/hidden/").status_code == 404
    assert client.get("/projects/hidden/give/").status_code == 404


def test_webhook_answers(client: Client, city: w.World) -> None:
    def post(body: bytes, **headers: str) -> Any:
        return client.post(
            "/payments/sandbox/webhook/", body, content_type="application/json", headers=headers
        )

    assert post(b"{}").status_code == 400
    assert post(b"\xff\xfe", **{"Sandbox-Signature": "1,2"}).status_code == 400
    assert post(b"x" * 600_000).status_code == 413
    assert client.get("/payments/sandbox/webhook/").status_code == 405
    gift = w.open_gift(city, 5_000, now=city.now)
    from apps.payments.providers.sandbox import make_event

    headers, body = make_event(w.session_of(gift), "session.paid", city.now)
    assert post(body, **headers).status_code == 200
    assert post(body, **headers).status_code == 200


def test_api_agrees_with_the_ledger(client: Client, city: w.World) -> None:
    w.give(city, 12_345, now=city.now)
    [row] = client.get("/api/v1/projects?limit=1").json()["results"]
    assert row["money"]["raised"] == {"amount": figures([city.earmark]).raised, "currency": "CNY"}
    assert row["gifts"] == 1
    for bad in ("?limit=0", "?limit=1e9", "?nobody=1", "?cursor=nowhere", "?status=x"):
        answer = client.get("/api/v1/projects" + bad)
        assert answer.status_code in (400, 422) and answer.json()["code"], bad


def test_cached_pages_carry_no_post_form(client: Client, city: w.World) -> None:
    for path in (
        "/",
        "/projects/",
        "/projects/dabing/",
        "/funds/",
        "/funds/anju/",
        "/statistics/",
        "/status/",
    ):
        assert 'method="post"' not in client.get(path).content.decode(), path
