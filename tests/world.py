"""A small city for tests, made by the operations themselves: one federation, one fund, one raising project, two towns,
and enough people for every step. Names are made up."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import Person
from apps.casework.models import Household
from apps.casework.operations import register_household
from apps.core.actors import PUBLIC, Actor, Grant, system
from apps.core.clock import SHANGHAI
from apps.core.events import deliver_due
from apps.core.money import Money
from apps.disbursements import operations as disbursements
from apps.disbursements.models import Disbursement
from apps.disbursements.states import FlagKind
from apps.donations import operations as donations
from apps.donations.models import Gift, Refund
from apps.donations.operations import GiftRequest
from apps.funds import operations as funds
from apps.funds.models import BudgetLine, MicroFund, Project
from apps.funds.operations import BudgetDraft
from apps.funds.queries import project_earmarks
from apps.ledger.models import Book, Earmark
from apps.ledger.operations import open_earmark
from apps.ledger.states import EarmarkKind
from apps.organizations.models import Organization
from apps.organizations.operations import register_organization
from apps.payments.models import SandboxSession
from apps.payments.operations import process_inbox, receive_event, send_refunds
from apps.payments.providers.sandbox import make_event, play, settle
from apps.places.models import Town
from apps.places.operations import add_town

NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
SETUP = system("tests")
ANSWERS = dict.fromkeys(FlagKind.values, "已电话核实。")
"""What an officer of the tests says to every risk flag."""


@dataclass
class World:
    organization: Organization
    fund: MicroFund
    project: Project
    towns: list[Town]
    now: dt.datetime
    people: dict[str, Actor] = field(default_factory=dict)

    @property
    def earmark(self) -> int:
        return project_earmarks([self.project.pk])[self.project.pk]

    @property
    def general(self) -> int:
        return Earmark.objects.get(kind=EarmarkKind.GENERAL, owner=self.fund.pk).pk

    @property
    def line(self) -> BudgetLine:
        return self.project.budget_lines.get(code="aid")


def person(label: str, *grants: tuple[str, str, int]) -> Actor:
    """This will make a person with roles whose session passed MFA."""
    made = Person.objects.create(display_name=label)
    return Actor("person", label, made.pk, None, True, frozenset(Grant(*grant) for grant in grants))


def build(*, now: dt.datetime = NOW, target: int = 50_000_000, raising: bool = True) -> World:
    """This will build the city up to a raising project."""
    organization = register_organization(
        actor=SETUP, name="澜江市慈善总会", uscc="51440000MJK6140241"[:17] + _check("51440000MJK614024"),
        kind="association", address="澜江市博爱路16号", phone="0799-88661200", certificate="澜民慈募证第0003号",
        is_federation=True, is_fictional=True,
    )  # fmt: skip
    towns = [
        add_town(actor=SETUP, code="shiqiao", name_zh="石桥镇", name_en="Shiqiao", position=1),
        add_town(actor=SETUP, code="hengxi", name_zh="横溪镇", name_en="Hengxi", position=2),
    ]
    world = World(organization, None, None, towns, now)  # type: ignore[arg-type]
    org = ("organization", organization.pk)
    for label, role in (("officer", "project_officer"), ("officer2", "project_officer"), ("manager", "manager"),
                        ("manager2", "manager"), ("cashier", "cashier"), ("cashier2", "cashier")):  # fmt: skip
        world.people[label] = person(label, (role, *org))
    for town in towns:
        for label, role in (("caseworker", "caseworker"), ("caseworker2", "caseworker"),
                            ("reviewer", "town_reviewer")):  # fmt: skip
            world.people[f"{label}_{town.code}"] = person(label, (role, "town", town.pk))
    world.people["supervisor"] = person("supervisor", ("supervisor", "city", 0))
    world.fund = funds.open_fund(
        actor=world.people["manager"], organization=organization, now=now, slug="anju", name="安居微基金",
        category="housing", purpose="帮助困难家庭。",
    )  # fmt: skip
    book = Book.objects.get(code=funds.FEDERATION_BOOK)
    open_earmark(book=book, kind=EarmarkKind.OPERATIONS, owner=organization.pk)
    open_earmark(book=book, kind=EarmarkKind.RESERVE, owner=organization.pk)
    world.project = make_project(world, target=target, raising=raising)
    donations.assign_receipt_range(actor=SETUP, code="44990126", first=1, last=999_999, is_demonstration=True)
    return world


def make_project(world: World, *, slug: str = "dabing", target: int = 50_000_000, raising: bool = True,
                 category: str = "illness", town: Town | None = None) -> Project:  # fmt: skip
    """This will draft, submit, file and (if wanted) open a project of the world's fund."""
    day = world.now.date()
    project = funds.draft_project(
        actor=world.people["officer"], fund=world.fund, now=world.now, slug=slug, name=f"大病救助{slug}",
        summary="医保报销之后仍付不起自费药的家庭。", category=category, purpose="发放大病救助金。",
        starts_on=day - dt.timedelta(days=30), ends_on=day + dt.timedelta(days=300), area="澜江市", town=town,
        person_in_charge="负责人", office_address="澜江市博爱路16号3楼", phone="0799-88661207",
        beneficiaries="澜江市困难家庭", cost_rate_bp=300, surplus_rule="转入同一微基金", target=target,
        budget=[
            BudgetDraft("aid", "医疗救助", target * 8 // 10, "Medical aid", is_aid_line=True),
            BudgetDraft("materials", "物资", target // 10, "Materials"),
            BudgetDraft("management", "项目管理", target // 20, "Management", cost="management"),
        ],
    )  # fmt: skip
    funds.submit_project(actor=world.people["officer"], project=project, now=world.now)
    project = funds.file_project(
        actor=world.people["manager"], project=project, filing_number=f"FILE-{slug}", now=world.now
    )
    if raising:
        project = funds.start_raising(actor=world.people["officer"], project=project, now=world.now)
    return project


def open_gift(world: World, fen: int, *, now: dt.datetime | None = None, project: Project | None = None,
              **typed: str) -> Gift:  # fmt: skip
    """This will open a gift with its sandbox checkout."""
    at = now or world.now
    request = GiftRequest(Money(fen), "wechat_pay", secrets.token_hex(8), **typed)
    gift = donations.open_gift(
        actor=PUBLIC, request=request, fund=world.fund, project=project or world.project, now=at
    )
    donations.start_gift_checkout(
        actor=PUBLIC, gift=gift, return_url=f"/gifts/{gift.token}/", cancel_url="/", now=at
    )
    return gift


def pay(gift: Gift, *, now: dt.datetime = NOW, copies: int = 1) -> None:
    """This will pay a gift at the test cashier and send its events to the inbox."""
    session = session_of(gift)
    settle(session, now)
    for kind in ("session.completed", "session.paid"):
        headers, body = make_event(session, kind, now)
        for _ in range(copies):
            receive_event(provider_name="sandbox", headers=headers, body=body, now=now)


def session_of(gift: Gift) -> SandboxSession:
    gift.refresh_from_db()
    assert gift.payment is not None
    return SandboxSession.objects.get(ref=gift.payment.session_ref)


def work(now: dt.datetime = NOW) -> None:
    """This will do what worker and beat do: the inbox, then the outbox, until both are empty."""
    later = now + dt.timedelta(seconds=1)
    while process_inbox(now=later) or deliver_due(now=_far()):
        continue


def give(world: World, fen: int, *, now: dt.datetime | None = None, **typed: str) -> Gift:
    """This will give and let the money arrive."""
    at = now or world.now
    gift = open_gift(world, fen, now=at, **typed)
    pay(gift, now=at)
    work(at)
    gift.refresh_from_db()
    return gift


def act(gift: Gift, action: str, *, now: dt.datetime | None = None, amount: int = 0, copies: int = 1) -> None:
    """This will press a button of the test cashier's page for a paid gift and send its events to the inbox."""
    session = session_of(gift)
    kinds = play(session, action, now or NOW, amount)
    for kind in kinds:
        headers, body = make_event(session, kind, now or NOW)
        for _ in range(copies):
            receive_event(provider_name="sandbox", headers=headers, body=body, now=now or NOW)


def ask_back(world: World, gift: Gift, fen: int, *, now: dt.datetime | None = None, **more: Any) -> Refund:
    """This will ask for a refund as the donor does."""
    return donations.ask_refund(
        actor=PUBLIC, gift=gift, money=Money(fen), reason="付重了", now=now or world.now, **more
    )


def refund(world: World, gift: Gift, fen: int, *, now: dt.datetime | None = None) -> Refund:
    """This will take a refund through the provider: asked by the donor, approved, sent; its event is still to come."""
    at = now or world.now
    asked = ask_back(world, gift, fen, now=at)
    donations.approve_refund(actor=world.people["manager"], refund=asked, now=at)
    send_refunds(now=at)
    asked.refresh_from_db()
    return asked


def household(world: World, n: int, *, town: Town | None = None) -> Household:
    """This will register family number `n`."""
    where = town or world.towns[0]
    return register_household(
        actor=world.people[f"caseworker_{where.code}"], town=where, income_tier="dibao", people=3, now=world.now,
        consented_at=world.now,
        private={"name": f"户主{n}", "id_number": id_number(n), "phone": f"1380000{n:04d}", "address": f"某路{n}号",
                 "bank_name": "某银行", "bank_account": f"62220000{n:08d}"},
    )  # fmt: skip


def apply_aid(world: World, family: Household, fen: int, *, now: dt.datetime | None = None) -> Disbursement:
    return disbursements.apply_for_aid(
        actor=world.people[f"caseworker_{family.town.code}"], project=world.project, household=family,
        budget_line=world.line, money=Money(fen), purpose="自费药与陪护", need="已入户核实。", now=now or world.now,
    )  # fmt: skip


def approve(world: World, item: Disbursement, *, now: dt.datetime | None = None) -> Disbursement:
    at = now or world.now
    assert item.town is not None
    item = disbursements.verify_disbursement(
        actor=world.people[f"reviewer_{item.town.code}"],
        disbursement=item,
        note="材料齐全",
        answers=ANSWERS,
        now=at,
    )
    return disbursements.approve_disbursement(
        actor=world.people["manager"], disbursement=item, answers=ANSWERS, now=at
    )


def pay_out(world: World, items: list[Disbursement], *, now: dt.datetime | None = None) -> None:
    """This will release one batch and let the bank pay every line."""
    at = now or world.now
    batch = disbursements.release_batch(
        actor=world.people["cashier"], organization=world.organization,
        disbursement_ids=[item.pk for item in items], now=at,
    )  # fmt: skip
    outcomes = [disbursements.LineOutcome(line.n, line.amount, True) for line in batch.lines.order_by("n")]
    disbursements.record_results(
        actor=world.people["cashier"], batch=batch, outcomes=outcomes, effective_at=at, now=at
    )


def help_family(
    world: World, n: int, fen: int, *, town: Town | None = None, now: dt.datetime | None = None
) -> Disbursement:
    """This will take one family's aid from file to paid."""
    item = approve(world, apply_aid(world, household(world, n, town=town), fen, now=now), now=now)
    pay_out(world, [item], now=now)
    item.refresh_from_db()
    return item


def undo(
    world: World, item: Disbursement, kind: str, *, amount: int | None = None, now: dt.datetime | None = None
) -> Disbursement:
    """This will take a paid disbursement back, whole or `amount` fen of it: asked for by one cashier, booked by
    another."""
    at = now or world.now
    asked = disbursements.ask_undo(
        actor=world.people["cashier"], disbursement=item, kind=kind, amount=amount, reason="退汇", now=at
    )
    return disbursements.agree_undo(actor=world.people["cashier2"], undo=asked, effective_at=at, now=at)


def id_number(n: int) -> str:
    """This will make the n-th well-formed ID number (born 7 March 1990, an area code that stdnum knows)."""
    body = f"11010119900307{n:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def _check(body: str) -> str:
    from stdnum.cn.uscc import calc_check_digit

    return str(calc_check_digit(body))


def _far() -> dt.datetime:
    return dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
