"""The check against all families' files (C5): by keyed hashes, in one query, without stopping ordinary words; and what
a second person may let through."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.casework import operations as casework
from apps.casework.queries import traces_in
from apps.core import crypto
from apps.core.errors import PermissionRefused, WrongState
from apps.publication import overrides
from apps.publication.models import PrivacyOverride
from apps.publication.privacy import (
    NotPublishable,
    check_publishable,
    check_typed_in_public,
    find_all,
)
from tests import world as w

pytestmark = pytest.mark.django_db


def family(city: w.World, n: int = 1, **private: str) -> Any:
    values = {"name": "覃小满", "id_number": w.id_number(n), "phone": f"0799-8866{n:04d}",
              "address": "石桥镇沙溪东路37号2栋",
              "bank_name": "某银行", "bank_account": f"6222000088{n:04d}"} | private  # fmt: skip
    return casework.register_household(
        actor=city.people["caseworker_shiqiao"], town=city.towns[0], income_tier="dibao", people=2, private=values,
        consented_at=w.NOW, now=w.NOW,
    )  # fmt: skip


def kinds(text: str, **more: Any) -> set[str]:
    return {hit.kind for hit in find_all(text, **more)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("覃小满，今年9岁，喜欢画画", "case_name"),
        ("谢谢大家帮助覃 小满同学", "case_name"),
        ("患者覃小满已经出院", "case_name"),
        ("石桥镇的覃小满收到了药费", "case_name"),
        ("覃\u200b小满的妈妈来信", "case_name"),
        ("请打0799 8866 0001联系", "case_number"),
        ("账号 6222 0000 8800 01", "case_number"),
        ("住在沙溪东路３７号", "case_address"),
        ("他家在溪东路37号二楼", "case_address"),
    ],
)
def test_what_stands_in_a_file_is_found_however_it_is_written(text: str, kind: str) -> None:
    city = w.build()
    family(city)
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "志愿者覃小满整理了票据",
        "沙溪东路的路灯修好了",
        "沙溪东路38号院的活动室",
        "今年9岁以下儿童免费",
        "共发放6222元，0799户次",
    ],
)
def test_a_name_alone_and_other_places_pass(text: str) -> None:
    city = w.build()
    family(city)
    assert not {kind for kind in kinds(text) if kind.startswith("case_")}


def test_common_words_that_are_names_do_not_stop_everything() -> None:
    """A two-sign name blocks only beside kin or an age, even in a text about the family's town."""
    city = w.build()
    family(city, name="和平")
    assert kinds("石桥镇和平路的和平社区，和平安定") == set()
    assert kinds("和平同学成绩好", town_ids=[city.towns[0].pk]) == {"case_name"}


def test_the_town_counts_when_the_caller_knows_it() -> None:
    city = w.build()
    family(city)
    assert kinds("覃小满收到了药费") == set()
    assert kinds("覃小满收到了药费", town_ids=[city.towns[0].pk]) == {"case_name"}
    assert kinds("覃小满收到了药费", town_ids=[city.towns[1].pk]) == set()


def test_one_query_however_many_families_and_nothing_is_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    city = w.build()
    for n in range(1, 6):
        family(city, n)

    def never(*_: object) -> str:
        raise AssertionError("decrypted")

    monkeypatch.setattr(crypto, "decrypt", never)
    monkeypatch.setattr(crypto, "unwrap_data_key", never)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert traces_in("覃小满" * 50)
    assert len(asked) == 1
    assert "覃小满" not in str(asked.captured_queries)
    with CaptureQueriesContext(connection) as asked:
        find_all("石桥镇的一户家庭收到了药费")
    assert len(asked) <= 2


def test_an_erased_family_is_forgotten_here_too() -> None:
    city = w.build()
    made = family(city)
    asked = casework.ask_erasure(
        actor=city.people["caseworker_shiqiao"], household=made, ground="asked", now=w.NOW
    )
    casework.approve_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)
    assert kinds("覃小满，今年9岁") == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("车牌粤T·12345", "plate"), ("来信请寄a.b@example.org", "mail"), ("在博爱路16号领取", "address"),
        ("石桥镇一名9岁的孩子得了白血病", "rare_combination"), ("沙边村12岁的学生在澜江第一小学", "rare_combination"),
    ],
)  # fmt: skip
def test_patterns_and_rare_combinations(text: str, kind: str) -> None:
    w.build()
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text", ["为白血病患儿募捐", "石桥镇发放了9万元", "修缮澜江第一小学的围墙", "一名9岁的孩子学会了骑车"]
)
def test_ordinary_combinations_pass(text: str) -> None:
    w.build()
    assert kinds(text) == set()


def test_a_visitor_cannot_ask_the_files() -> None:
    """A public form must not tell who tries whether a name or number is in a file."""
    city = w.build()
    family(city)
    check_typed_in_public("覃小满，今年9岁，沙溪东路37号，0799-88660001")
    with pytest.raises(NotPublishable):
        check_typed_in_public("13800001234")


def test_a_second_person_lets_a_text_through_with_a_reason() -> None:
    city = w.build()
    editor = w.person("editor", ("editor", "city", 0))
    reviewer = w.person("city_reviewer", ("city_reviewer", "city", 0))
    text = "领取处在博爱路16号。"
    with pytest.raises(NotPublishable, match="公布前核对"):
        check_publishable(text)
    with pytest.raises(PermissionRefused):
        overrides.ask_override(actor=city.people["supervisor"], text=text, reason="办公地址", now=w.NOW)
    asked = overrides.ask_override(actor=editor, text=text, reason="办公地址", now=w.NOW)
    assert "博爱路" not in asked.text and overrides.words_of(asked) == text
    with pytest.raises(overrides.OverrideAsked):
        overrides.ask_override(actor=editor, text=text + " ", reason="再来", now=w.NOW)
    with pytest.raises(NotPublishable):
        check_publishable(text)
    overrides.decide_override(actor=reviewer, override=asked, allow=True, why="是机构地址", now=w.NOW)
    check_publishable(text)
    check_publishable(f"第一段。\n{text}\n第三段。")
    for other in ("领取处在博爱路18号。", f"{text}请联系a@example.org", f"{text}\n另在中山路9号"):
        with pytest.raises(NotPublishable):
            check_publishable(other)
    row = PrivacyOverride.objects.get()
    assert row.text == "" and row.decided_why == "是机构地址"
    with pytest.raises(WrongState):
        overrides.decide_override(actor=reviewer, override=asked, allow=False, why="改主意", now=w.NOW)


def test_a_permission_for_one_kind_is_none_for_another() -> None:
    """The text was let through before a family with that name and town was registered."""
    city = w.build()
    both = w.person("manager3", ("manager", "organization", city.organization.pk))
    text = "石桥镇的覃小满：领取处在博爱路16号"
    asked = overrides.ask_override(actor=city.people["officer"], text=text, reason="办公地址", now=w.NOW)
    overrides.decide_override(actor=both, override=asked, allow=True, why="可以", now=w.NOW)
    check_publishable(text)
    family(city)
    with pytest.raises(NotPublishable):
        check_publishable(text)


def test_lines_let_through_one_by_one_never_cover_what_they_say_together() -> None:
    city = w.build()
    manager, other = city.people["manager"], city.people["manager2"]

    def allow(text: str) -> None:
        asked = overrides.ask_override(actor=manager, text=text, reason="办公地址", now=w.NOW)
        overrides.decide_override(actor=other, override=asked, allow=True, why="可以", now=w.NOW)

    one, two = "领取处在博爱路16号", "仓库在博爱路18号"
    allow(one)
    with pytest.raises(NotPublishable):
        check_publishable(f"{one}\n{two}")  # the same kind, in a line that nobody let through
    allow(two)
    check_publishable(f"{two}\n{one}")
    apart = "石桥镇的一名9岁的孩子\n得了白血病"
    assert kinds(apart) == {"rare_combination"} and not any(kinds(line) for line in apart.splitlines())
    with pytest.raises(NotPublishable):
        check_publishable(f"{one}\n{apart}")


def test_nobody_decides_alone_and_numbers_never_pass() -> None:
    city = w.build()
    family(city)
    manager = city.people["manager"]
    asked = overrides.ask_override(actor=manager, text="博爱路16号", reason="办公", now=w.NOW)
    with pytest.raises(overrides.SameReader):
        overrides.decide_override(actor=manager, override=asked, allow=True, why="可以", now=w.NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        PrivacyOverride.objects.filter(pk=asked.pk).update(
            allowed=True, decided_by=manager.person_id, decided_at=w.NOW, decided_why="x", text=""
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        PrivacyOverride.objects.filter(pk=asked.pk).update(
            allowed=True, decided_by=city.people["manager2"].person_id, decided_at=w.NOW, text=""
        )
    for text in (f"证件{w.id_number(9)}", "电话13800001234", "请打0799-88660001"):
        with pytest.raises(NotPublishable):
            overrides.ask_override(actor=manager, text=text, reason="可以", now=w.NOW)
    with pytest.raises(overrides.NothingFound):
        overrides.ask_override(actor=manager, text="修好了屋顶", reason="可以", now=w.NOW)
