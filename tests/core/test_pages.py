"""The full-page cache and the look: correct for everybody, with and without a cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import RequestFactory, override_settings

from apps.core import pages
from apps.core.pages import PageCache, bump_epoch, cached_page, local_path, look, mark_private, plain_path


class Counted:
    def __init__(self, **plan: Any) -> None:
        self.made = 0
        self.private = False
        self.view = cached_page(**plan)(self.answer)

    def answer(self, request: HttpRequest) -> HttpResponse:
        self.made += 1
        response = HttpResponse(f"page {self.made} {request.GET.get('q', '')}")
        return mark_private(response) if self.private else response


@pytest.fixture(autouse=True)
def outside_transactions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Outside:
        in_atomic_block = False

    class Now:
        @staticmethod
        def on_commit(function: Any, robust: bool = False) -> None:
            function()

    monkeypatch.setattr(pages, "connection", Outside)
    monkeypatch.setattr(pages, "transaction", Now)
    cache.clear()
    yield
    cache.clear()


def ask(
    counted: Counted,
    address: str = "/p/",
    cookies: dict[str, str] | None = None,
    method: str = "get",
    **headers: str,
) -> Any:
    request = getattr(RequestFactory(), method)(address, headers=headers)
    request.COOKIES.update(cookies or {})
    return PageCache(counted.view)(request)


def test_the_second_visitor_gets_the_kept_page_until_the_epoch_turns() -> None:
    counted = Counted()
    assert ask(counted).content == ask(counted).content
    assert counted.made == 1
    bump_epoch()
    assert ask(counted).content == b"page 2 "


def test_known_parameters_in_any_order_and_unknown_ones_bypass() -> None:
    counted = Counted(params=("q", "sort"))
    ask(counted, "/p/?q=a&sort=b")
    ask(counted, "/p/?sort=b&q=a")
    assert counted.made == 1
    ask(counted, "/p/?q=b")
    assert counted.made == 2
    for made in (3, 4):
        ask(counted, "/p/?q=a&sort=b&utm=1")
        assert counted.made == made


@pytest.mark.parametrize(
    "cookies",
    [{"theme": "dark"}, {"size": "large"}, {"theme": "light", "size": "large"}, {"sessionid": "x"}, {"csrftoken": "x"}],
)  # fmt: skip
def test_looks_and_visitors_do_not_share(cookies: dict[str, str]) -> None:
    counted = Counted()
    ask(counted, cookies=cookies)
    ask(counted)
    assert counted.made == 2


def test_a_made_up_theme_shares_the_plain_page() -> None:
    counted = Counted()
    ask(counted)
    ask(counted, cookies={"theme": "<script>"})
    assert counted.made == 1


def test_private_pages_posts_tokens_and_other_answers_are_not_kept() -> None:
    counted = Counted()
    counted.private = True
    assert ask(counted)["Cache-Control"] == "private, no-store"
    ask(counted)
    assert counted.made == 2
    counted.private = False
    ask(counted, method="post")
    ask(counted, **{"HX-Request": "true"})
    ask(counted, Authorization="x")
    assert counted.made == 5
    made = []

    @cached_page()
    def with_token(request: HttpRequest) -> HttpResponse:
        made.append(get_token(request))
        return HttpResponse("form")

    @cached_page()
    def missing(request: HttpRequest) -> HttpResponse:
        made.append("404")
        return HttpResponse("no", status=404)

    for view in (with_token, missing):
        for _ in range(2):
            PageCache(view)(RequestFactory().get("/other/" + view.__name__))
    assert len(made) == 4


def test_a_page_made_while_the_epoch_turned_is_not_served() -> None:
    made = []

    @cached_page()
    def slow(request: HttpRequest) -> HttpResponse:
        made.append(1)
        if len(made) == 1:
            bump_epoch()
        return HttpResponse("page")

    for _ in range(3):
        PageCache(slow)(RequestFactory().get("/slow/"))
    assert len(made) == 2


def test_not_modified() -> None:
    counted = Counted()
    tag = ask(counted)["ETag"]
    answer = ask(counted, **{"If-None-Match": tag})
    assert answer.status_code == 304 and not answer.content and counted.made == 1


@override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}})
def test_without_a_cache_every_page_is_made() -> None:
    counted = Counted()
    assert [ask(counted).status_code for _ in range(2)] == [200, 200]
    assert counted.made == 2


def test_a_broken_cache_costs_only_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_more: Any) -> Any:
        raise ConnectionError

    for name in ("get", "get_many", "set", "add"):
        monkeypatch.setattr(cache, name, away, raising=False)
    counted = Counted()
    assert ask(counted).status_code == 200
    bump_epoch()


def test_the_look_is_an_address_that_goes_back_only_to_this_site() -> None:
    answer = look(
        RequestFactory().get("/look/", {"theme": "dark", "size": "large", "next": "/en/funds/?a=1"})
    )
    assert answer["Location"] == "/en/funds/?a=1"
    assert answer.cookies["theme"].value == "dark" and answer.cookies["size"].value == "large"
    for target in (
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "evil",
    ):
        assert look(RequestFactory().get("/look/", {"theme": "light", "next": target}))["Location"] == "/"
    plain = look(RequestFactory().get("/look/", {"theme": "system", "size": "normal"}))
    assert plain.cookies["theme"]["max-age"] == 0 and plain.cookies["size"]["max-age"] == 0
    assert not look(RequestFactory().get("/look/", {"theme": "<b>"})).cookies


def test_paths_and_languages() -> None:
    assert local_path("/funds/", "en") == "/en/funds/" and local_path("/funds/", "zh-hans") == "/funds/"
    assert local_path("/api/v1/docs", "en") == "/api/v1/docs"
    assert [plain_path(path) for path in ("/en/funds/", "/en", "/energy/")] == ["/funds/", "", "/energy/"]
