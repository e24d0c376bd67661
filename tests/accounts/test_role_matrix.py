from __future__ import annotations

import csv
import io

import pytest

from tests.accounts import role_matrix

EVERYBODYS = {"donations.open_gift", "donations.ask_own_refund", "donations.redirect_gift", "donations.open_team",
              "donations.change_monthly_gift", "disbursements.answer_code", "search.take_export",
              "search.save_search", "wishes.claim_wish", "wishes.change_own_claim", "wishes.answer_code"}  # fmt: skip
"""Giving and meeting a wish, what an address or a code is itself the permission for (G2, P5, W5), taking away what is
public, and keeping a search of one's own (S4, S6)."""

CITYWIDE = {
    # A second person must be found where a town has one reviewer only; the city's reviewer belongs to no town.
    "casework.approve_erasure": {"city_reviewer"},
    # The shop is one for all towns: the city's second look, and what is given for a wish comes to any warehouse.
    "wishes.accept_goods": {"storekeeper"},
    "wishes.publish_thanks": {"city_reviewer"},
    "wishes.review_in_city": {"city_reviewer"},
    # A wish names nobody; what is given for it comes to any warehouse.
    "wishes.see_wish": {"city_reviewer", "storekeeper"},
}


@pytest.fixture(autouse=True)
def every_policy() -> None:
    role_matrix.load()


def test_matrix_is_the_committed_one() -> None:
    """A new policy, or another answer of an old one, has to be read and committed by a person."""
    committed = list(csv.reader(io.StringIO(role_matrix.FILE.read_text())))
    computed = list(role_matrix.rows())
    assert [row[:2] for row in computed] == [row[:2] for row in committed], "policies and matrix differ"
    assert computed == committed


def test_the_public_and_sessions_without_a_second_factor_may_nothing_but_give() -> None:
    head, *rows = role_matrix.rows()
    for name in ("public", "donor", "all roles, no second factor"):
        column = head.index(name)
        assert {row[0] for row in rows if row[column]} <= EVERYBODYS


def test_administrators_act_on_no_record() -> None:
    head, *rows = role_matrix.rows()
    column = head.index("administrator")
    assert all(
        row[0].startswith(("accounts.", "organizations.register", "places.manage")) or row[0] in EVERYBODYS
        for row in rows if row[column]
    )  # fmt: skip


def test_no_role_reaches_another_town_or_organization() -> None:
    """But the supervisor, whose scope is the city, and what is written down here with its reason."""
    head, *rows = role_matrix.rows()
    for row in rows:
        if row[1].startswith("other") and row[0] not in EVERYBODYS:
            reach = {role for role, answer in zip(head[2:], row[2:], strict=True) if answer}
            assert reach <= {"supervisor", "system"} | CITYWIDE.get(row[0], set()), (row[0], row[1], reach)
