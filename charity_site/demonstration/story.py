"""The story of one project: gifts arrive over its months, families are helped in batches, expenses are paid."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass

from apps.casework.models import Household
from apps.casework.operations import register_household
from apps.core.actors import PUBLIC, system
from apps.core.clock import SHANGHAI, add_months
from apps.core.money import Money
from apps.disbursements import operations as disbursements
from apps.disbursements.models import Disbursement
from apps.disbursements.states import FlagKind
from apps.donations.models import Gift
from apps.donations.operations import GiftRequest, open_gift, start_gift_checkout
from apps.funds import operations as funds
from apps.funds.models import BudgetLine, MicroFund, Project
from apps.funds.operations import BudgetDraft
from apps.funds.queries import project_earmarks
from apps.organizations.models import Organization
from apps.payments.models import SandboxSession
from apps.payments.operations import receive_event
from apps.payments.providers.sandbox import make_event, settle
from apps.places.models import Town
from apps.publication.releases import release_due
from charity_site.demonstration.clockwork import work
from charity_site.demonstration.facts import ALIASES, EXPENSES, MESSAGES, Plan
from charity_site.demonstration.people import Staff

SENDER = system("demo")
ANSWERS: dict[str, str] = {
    FlagKind.FIRST_PAYMENT: "电话核对过户名和账号，是户主本人。",
    FlagKind.ABOVE_USUAL: "本次住院时间长，单据已核。",
    FlagKind.SAME_ACCOUNT: "同一户主的两份档案，已核实。",
    FlagKind.DUPLICATE_AID: "已与对方社工电话核实，两次困难不同。",
}
METHODS = ("wechat_pay", "wechat_pay", "alipay", "card")


@dataclass
class City:
    """What the story has so far."""

    federation: Organization
    partners: dict[str, Organization]
    towns: list[Town]
    funds: dict[str, MicroFund]
    staff: Staff
    rng: random.Random
    now: dt.datetime
    families: int = 0
    invoices: int = 0


def moment(city: City, month: int, day: int, hour: int = 10) -> dt.datetime:
    """This will give a moment `month` months from the present month, never in the future."""
    first = city.now.astimezone(SHANGHAI).date().replace(day=1)
    at = dt.datetime.combine(
        add_months(first, month).replace(day=min(day, 28)), dt.time(hour), tzinfo=SHANGHAI
    )
    return min(at, city.now - dt.timedelta(minutes=5))


def make_project(city: City, plan: Plan, *, starts_on: dt.date | None = None) -> Project:
    """This will take a project from its draft to `filed`."""
    start = starts_on or moment(city, plan.start, 1).date()
    at = dt.datetime.combine(start, dt.time(9), tzinfo=SHANGHAI)
    drafted = at - dt.timedelta(days=14)
    fen = plan.target * 100
    town = next((town for town in city.towns if town.code == plan.town), None)
    parts = _budget(plan, fen)
    project = funds.draft_project(
        actor=city.staff["officer1"], fund=city.funds[plan.fund], now=drafted, budget=parts, slug=plan.slug,
        name=plan.name, name_en=plan.name_en, summary=plan.summary, summary_en=plan.summary_en, category=plan.category,
        purpose=plan.summary, purpose_en=plan.summary_en, starts_on=start, ends_on=add_months(start, plan.months),
        area="澜江市", town=town, partner=city.partners.get(plan.partner), person_in_charge="项目负责人",
        office_address="澜江市博爱路16号3楼", phone="0799-8866 1207", beneficiaries="澜江市低保、低收入和特困家庭",
        cost_rate_bp=300, surplus_rule="有结余时，转入同一微基金，用于同类项目。", is_emergency=plan.emergency,
        target=fen,
    )  # fmt: skip
    funds.submit_project(actor=city.staff["officer1"], project=project, now=drafted + dt.timedelta(days=1))
    return funds.file_project(
        actor=city.staff["manager1"], project=project, filing_number=f"51449900MJK614024DEMO{project.pk:03d}",
        now=drafted + dt.timedelta(days=4),
    )  # fmt: skip


def _budget(plan: Plan, fen: int) -> list[BudgetDraft]:
    """Fees, management and the rest; what a plan pays to families is one line."""
    fees, management = fen * 6 // 1000, fen * 5 // 100
    rest = fen - fees - management
    lines = [
        BudgetDraft("management", "项目管理", management, "Management", cost="management"),
        BudgetDraft("fees", "支付手续费", fees, "Payment fees", cost="fundraising", is_fee_line=True),
    ]
    if plan.families or not plan.expenses or plan.category == "housing":
        materials = rest // (2 if plan.category == "housing" else 5) if plan.expenses else 0
        lines.insert(
            0, BudgetDraft("aid", "发给家庭的救助金", rest - materials, "Aid to families", is_aid_line=True)
        )
        rest = materials
    if rest and plan.expenses:
        lines.insert(1, BudgetDraft("materials", "物资和材料", rest * 7 // 10, "Materials"))
        lines.insert(2, BudgetDraft("labour", "人工和运输", rest - rest * 7 // 10, "Labour and transport"))
    return lines


def give(city: City, project: Project, count: int, months: list[int], tick: Callable[[], None]) -> None:
    """This will let `count` gifts arrive over the months, in batches of a day, some with a name, most without."""
    rng = city.rng
    days = sorted((rng.choice(months), rng.randint(1, 27)) for _ in range(count))
    waiting: list[tuple[Gift, dt.datetime]] = []
    for month, day in days:
        at = moment(city, month, day, rng.randint(8, 21))
        yuan = rng.choice([10, 20, 50, 50, 100, 100, 100, 200, 200, 500, 500, 1_000, 2_000, 3_000, 6_000])
        named = rng.random() < 0.2
        request = GiftRequest(
            money=Money(yuan * 100 + (rng.randint(0, 99) if rng.random() < 0.1 else 0)), method=rng.choice(METHODS),
            key=f"demo-{project.pk}-{len(waiting)}-{rng.getrandbits(60):x}", shown_as="alias" if named else "anonymous",
            shown_name=rng.choice(ALIASES) if named else "", message=rng.choice(MESSAGES) if named else "",
        )  # fmt: skip
        gift = open_gift(actor=PUBLIC, request=request, fund=project.fund, project=project, now=at)
        start_gift_checkout(
            actor=PUBLIC, gift=gift, return_url=f"/gifts/{gift.token}/", cancel_url="/", now=at
        )
        waiting.append((gift, at))
        tick()
        if len(waiting) == 12:
            settle_all(waiting)
    settle_all(waiting)


def settle_all(waiting: list[tuple[Gift, dt.datetime]]) -> None:
    """This will pay opened gifts at the test cashier and work off the inbox."""
    for gift, at in waiting:
        assert gift.payment is not None
        session = SandboxSession.objects.get(reference=str(gift.payment.uuid))
        settle(session, at + dt.timedelta(minutes=2))
        headers, body = make_event(session, "session.paid", at + dt.timedelta(minutes=2))
        receive_event(provider_name="sandbox", headers=headers, body=body, now=at + dt.timedelta(minutes=2))
    if waiting:
        work(waiting[-1][1] + dt.timedelta(minutes=3))
        waiting.clear()


def help_families(
    city: City, project: Project, plan: Plan, months: list[int], tick: Callable[[], None]
) -> None:
    """This will help families month by month: most in groups of a town, a few alone, which wait (C4)."""
    line = project.budget_lines.get(is_aid_line=True)
    towns = [project.town] if project.town else city.rng.sample(city.towns, 4)
    share = max(plan.families // max(len(months), 1), 1)
    left = plan.families
    for month in months:
        now = moment(city, month, 22)
        items: list[Disbursement] = []
        town = city.rng.choice(towns)
        for n in range(min(share, left)):
            where = town if n < 6 or len(towns) == 1 else city.rng.choice(towns)
            items.append(_aid(city, project, line, register_family(city, where, now), plan, now))
            tick()
        left -= len(items)
        pay(city, [item for item in items if _approve(city, item, now)], now + dt.timedelta(days=1))
        release_due(
            now=min(now + dt.timedelta(days=2), city.now), earmarks=project_earmarks([project.pk]).values()
        )
    release_due(now=city.now)


def register_family(city: City, town: Town, now: dt.datetime, *, same_as: int = 0) -> Household:
    """This will register the next fictional family of a town; `same_as`: its head is that of an earlier one."""
    city.families += 1
    n = city.families
    return register_household(
        actor=city.staff[f"caseworker1.{town.code}"], town=town, people=city.rng.randint(1, 6), now=now,
        income_tier=city.rng.choice(["dibao", "low_income", "tekun", "child", "expense"]),
        private={"name": f"演示户{n}", "id_number": demo_id_number(same_as or n), "phone": f"1390000{n:04d}",
                 "address": f"{town.name_zh}演示路{n}号", "bank_name": "演示银行",
                 "bank_account": f"6200000000{n:06d}"},
        consented_at=now,
    )  # fmt: skip


def _aid(
    city: City, project: Project, line: BudgetLine, family: Household, plan: Plan, now: dt.datetime
) -> Disbursement:
    low, high = plan.aid_yuan
    yuan = (
        city.rng.choice([8_000, 3_000, 1_000])
        if plan.category == "education"
        else city.rng.randint(low, high)
    )
    purpose = {"illness": "自费药与陪护", "education": "学费", "emergency": "临时生活安置"}.get(
        plan.category, "困难补助"
    )
    return disbursements.apply_for_aid(
        actor=city.staff[f"caseworker1.{family.town.code}"], project=project, household=family, budget_line=line,
        money=Money(yuan * 100), purpose=purpose, need="两名社工入户核实，材料齐全。", now=now,
    )  # fmt: skip


def _approve(city: City, item: Disbursement, now: dt.datetime) -> bool:
    """Verified by the town's reviewer, approved by the manager; what money there isn't for stays verified."""
    from apps.core.errors import DomainError

    assert item.town is not None
    reviewer = city.staff[f"reviewer1.{item.town.code}"]
    item = disbursements.verify_disbursement(
        actor=reviewer, disbursement=item, note="材料齐全，无重复。", answers=ANSWERS, now=now
    )
    try:
        disbursements.approve_disbursement(
            actor=city.staff["manager1"], disbursement=item, answers=ANSWERS, now=now
        )
    except DomainError:
        return False
    return True


def spend(city: City, project: Project, plan: Plan, months: list[int], tick: Callable[[], None]) -> None:
    """This will pay the project's expenses: applied, verified by the second officer, approved, paid."""
    from apps.core.errors import DomainError

    lines = {line.code: line for line in project.budget_lines.filter(is_aid_line=False, is_fee_line=False)}
    officers = ("officer1", "officer2")
    if project.partner_id:
        officers = (f"officer1.partner{project.partner_id}", f"officer2.partner{project.partner_id}")
    for n in range(plan.expenses):
        what, code, (low, high) = city.rng.choice([each for each in EXPENSES if each[1] in lines])
        now = moment(city, months[n % len(months)], 15)
        city.invoices += 1
        item = disbursements.apply_for_expense(
            actor=city.staff[officers[0]], project=project, budget_line=lines[code],
            money=Money(city.rng.randint(low, high) * 100), purpose=what, payee_name="演示建材商行",
            payee_bank="演示银行", payee_account="62000000000000001",
            invoice_number=f"DEMO{city.invoices:08d}", now=now,
        )  # fmt: skip
        item = disbursements.verify_disbursement(
            actor=city.staff[officers[1]], disbursement=item, note="已到货，数量相符。", now=now
        )
        try:
            disbursements.approve_disbursement(actor=city.staff["manager2"], disbursement=item, now=now)
        except DomainError:
            continue
        pay(city, [item], now + dt.timedelta(days=2))
        tick()


def pay(city: City, items: list[Disbursement], now: dt.datetime) -> None:
    """This will release a batch and record the bank's answers; most families sign within days."""
    if not items:
        return
    now = min(now, city.now - dt.timedelta(minutes=2))
    batch = disbursements.release_batch(
        actor=city.staff["cashier1"],
        organization=city.federation,
        disbursement_ids=[i.pk for i in items],
        now=now,
    )
    outcomes = [disbursements.LineOutcome(line.n, line.amount, True) for line in batch.lines.order_by("n")]
    disbursements.record_results(
        actor=city.staff["cashier1"], batch=batch, outcomes=outcomes, effective_at=now, now=now
    )
    for item in Disbursement.objects.filter(pk__in=[i.pk for i in items], kind="aid").select_related("town"):
        if city.rng.random() < 0.9 and item.town is not None:
            _confirm(item, now)
    work(now)


def _confirm(item: Disbursement, now: dt.datetime) -> None:
    """The family gets its code and types it."""
    asked = disbursements.ask_code(actor=SENDER, disbursement=item, now=now)
    message = disbursements.issue_code(actor=SENDER, code_id=asked.pk, now=now)
    assert message is not None
    disbursements.confirm_by_code(actor=PUBLIC, token=message.token, digits=message.digits, now=now)


def demo_id_number(n: int) -> str:
    """This will make the n-th fictional ID number: well formed, of a day and sequence that mark it as a
    demonstration."""
    born = dt.date(1960, 1, 1) + dt.timedelta(days=n * 7 % 18000)
    body = f"110101{born:%Y%m%d}{n % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]
