"""The privacy check (C5): personal details are found however they are written, ordinary texts pass."""

from __future__ import annotations

import pytest

from apps.publication.privacy import NotPublishable, check_publishable, find_personal
from tests.world import id_number

ID = id_number(7)
CARD = "6222020200112230" + next(
    d for d in "0123456789"
    if sum(int(c) if i % 2 == 0 else (int(c) * 2 - 9 if int(c) > 4 else int(c) * 2)
           for i, c in enumerate(reversed("6222020200112230" + d))) % 10 == 0
)  # fmt: skip


def kinds(text: str, private: tuple[str, ...] = ()) -> set[str]:
    return {hit.kind for hit in find_personal(text, private)}


@pytest.mark.parametrize(
    "phone",
    ["13800001234", "138 0000 1234", "138-0000-1234", "１３８００００１２３４", "138\u200b0000\u200b1234",
     "138–0000–1234", "138_0000_1234", "+86 13800001234", "8613800001234",
     "2026-11-23 13800001234", "3号楼12 138 0000 1234"],
)  # fmt: skip
def test_mobile_numbers_are_found(phone: str) -> None:
    assert "phone" in kinds(f"请联系{phone}，谢谢")


@pytest.mark.parametrize(
    "number", [ID, ID.lower(), f"{ID[:6]} {ID[6:14]} {ID[14:]}", f"12 {ID}", f"{ID[:9]}\u200d{ID[9:]}"]
)
def test_id_numbers_are_found(number: str) -> None:
    assert "id_number" in kinds(f"证件{number}。")


@pytest.mark.parametrize(
    "card", [CARD, " ".join(CARD[i : i + 4] for i in range(0, len(CARD), 4)), f"12号 {CARD}"]
)
def test_bank_cards_are_found(card: str) -> None:
    assert "bank_card" in kinds(f"卡号{card}")


def test_a_cases_own_values_are_found() -> None:
    assert kinds("谢谢李小明一家", ("李小明",)) == {"case_value"}
    assert kinds("谢谢大家", ("李小明", "")) == set()


@pytest.mark.parametrize(
    "text",
    ["自费药与陪护", "2026-11-23 共发放 1,234,567.89 元", "票据0000000123", "第3季度 12 户 45,000 元", "0799-88661207",
     "备案号 51440000MJK614024520261234"],
)  # fmt: skip
def test_ordinary_texts_pass(text: str) -> None:
    assert kinds(text) == set()


@pytest.mark.django_db
def test_the_refusal_does_not_repeat_what_it_found() -> None:
    with pytest.raises(NotPublishable) as refused:
        check_publishable(f"电话13800001234，{ID}")
    said = f"{refused.value} {refused.value.message}"
    assert "13800001234" not in said and ID not in said
