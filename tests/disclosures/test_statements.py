"""The statutory statements and the yearly ratios, from the ledger's own worked entries (D1, D7)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.asserts import assertContains

from apps.core.clock import SHANGHAI
from apps.disclosures import operations as op
from apps.disclosures.models import Duty, Report, YearSum
from apps.disclosures.ratios import count_years, ratios_from, ratios_of
from apps.disclosures.statements import Turnover, figures_from, lines_in_force
from apps.ledger import operations as ledger
from apps.ledger.models import Book, Earmark
from apps.ledger.operations import Credit
from apps.ledger.states import AccountRole, EarmarkKind, EntryKind
from apps.organizations.models import RatioLimit
from apps.organizations.queries import ratio_limit
from tests import world as w
from tests.disclosures import scene

YEAR = dt.datetime(2026, 12, 1, 9, tzinfo=SHANGHAI)
JANUARY = dt.datetime(2027, 1, 5, 9, tzinfo=SHANGHAI)


def total(**given: int) -> YearSum:
    """A year's sums; what isn't named is nothing."""
    names = ("income", "gifts", "programme", "management", "fundraising", "net_assets")
    return YearSum(**{name: given.get(name, 0) for name in names})


def values(figures: list) -> dict[str, int]:
    return {f"{each.section}.{each.key}": each.amount for each in figures}


def checked(found: dict[str, int]) -> None:
    """The sums that the system of accounts asks for, whatever the entries."""
    for column in ("opening", "closing"):
        assert found[f"sheet.assets:{column}"] == found[f"sheet.total:{column}"], "the sheet balances"
    change = found["sheet.net_assets:closing"] - found["sheet.net_assets:opening"]
    assert found["activity.change:total"] == change
    for column in ("restricted", "unrestricted"):
        moved = found[f"sheet.{column}:closing"] - found[f"sheet.{column}:opening"]
        assert found[f"activity.change:{column}"] == moved
    assert found["activity.converted:total"] == 0
    assert found["cash.closing:year"] == found["sheet.money:closing"]
    assert found["cash.opening:year"] == found["sheet.money:opening"]


@pytest.mark.django_db
def test_a_year_by_hand() -> None:
    """Gifts of 20,000.00 with their fee, aid, own income, a payout, a refund, a transfer: every line known by hand."""
    city = w.build()
    book = Book.objects.get(code="federation")
    own = Earmark.objects.get(kind=EarmarkKind.OPERATIONS)
    ledger.post_credit(
        actor=w.SETUP,
        credit=Credit("own", own.pk, 300_000, w.NOW, into=AccountRole.BANK, income=AccountRole.OTHER_INCOME,
                      kind=EntryKind.INCOME, channel="bank"),
    )  # fmt: skip
    w.give(city, 1_500_000)
    back = w.give(city, 500_000)
    fees = 12_000
    for n in range(1, 6):
        w.help_family(city, n, 100_000 + n)
    refunded = 50_000
    ledger.hold_refund(earmark=city.earmark, origin=back.pk, amount=refunded, purpose="r:1", now=w.NOW)
    ledger.settle_refund(
        actor=w.SETUP, purpose="r:1", key="s", now=YEAR, effective_at=YEAR, channel="wechat_pay"
    )
    ledger.transfer(
        actor=w.SETUP, source=own.pk, target=city.earmark, amount=70_000, key="t", effective_at=YEAR
    )
    op.advance_duties(now=JANUARY)
    duty = Duty.objects.get(code="annual_accounts")
    report = op.start_report(actor=city.people["officer"], duty=duty, now=JANUARY)
    found = {f"{line.section}.{line.key}": line.computed for line in report.lines.all()}
    checked(found)
    assert found["activity.gifts:restricted"] == 2_000_000 - refunded
    assert found["activity.other:unrestricted"] == 300_000
    assert found["activity.programme:restricted"] == 500_015
    assert found["activity.fundraising:total"] == fees
    assert found["activity.converted:unrestricted"] == -70_000
    assert found["sheet.unrestricted:closing"] == 230_000
    assert found["sheet.restricted:closing"] == 2_000_000 - refunded - fees - 500_015 + 70_000
    assert found["cash.aid:year"] == 500_015 and found["cash.other_in:year"] == 300_000
    assert found["cash.refunds:year"] == refunded and found["cash.other_out:year"] == fees
    assert found["cash.gifts:year"] == 2_000_000
    assert found["sheet.money:opening"] == found["cash.opening:year"] == 0
    assert book.owner == city.organization.pk

    report = scene.published(city, report, now=JANUARY)
    page = Client().get(f"/disclosures/{report.public_id}/")
    for text in ("资产负债表", "业务活动表", "现金流量表", "限定性净资产", "¥2,300.00"):
        assertContains(page, text)
    assertContains(Client().get(f"/en/disclosures/{report.public_id}/"), "Restricted net assets")
    pdf = Client().get(f"/disclosures/{report.public_id}/report.pdf")
    assert pdf.content.startswith(b"%PDF")
    found_rows = Client().get("/api/v1/disclosures?kind=annual_accounts").json()
    assert found_rows["count"] == 1 and found_rows["results"][0]["report"] == report.public_id
    assert Duty.objects.get(pk=duty.pk).fulfilled_on == dt.date(2027, 1, 5)


@pytest.mark.django_db
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_statements_close_for_any_entries(data: st.DataObject) -> None:
    """Random balanced entries over every account, before and in the year: sheet, activities and cash flow agree."""
    lines = lines_in_force(dt.date(2026, 12, 31))
    assets = ["cash", "bank", "clearing", "receivable", "inventory"]
    earmarked = [
        "gift_income",
        "gift_in_kind",
        "other_income",
        "programme",
        "management",
        "fundraising",
        "net_assets",
    ]
    kinds = ["gift", "income", "fee", "payout", "refund", "dispute", "payment", "something_new"]
    rows: list[list[Turnover]] = [[], []]
    for part in rows:
        for _ in range(data.draw(st.integers(0, 12))):
            amount, kind = data.draw(st.integers(1, 10**12)), data.draw(st.sampled_from(kinds))
            if data.draw(st.booleans()):
                role = data.draw(st.sampled_from(earmarked[:-1]))
                mark = data.draw(st.sampled_from(["project", "general", "operations", "reserve", "goods"]))
                pair = [(data.draw(st.sampled_from(assets)), "", amount), (role, mark, -amount)]
            else:
                first, second = data.draw(
                    st.sampled_from([("operations", "project"), ("project", "reserve")])
                )
                pair = [("net_assets", first, amount), ("net_assets", second, -amount)]
            part += [Turnover(role, mark, kind, n) for role, mark, n in pair]
    checked(values(figures_from(lines, rows[0], rows[1])))


@pytest.mark.django_db
def test_accounts_of_another_year_and_of_one_who_keeps_none_here() -> None:
    city = w.build()
    w.give(city, 10_000)
    city.organization.first_report_year = 2025
    city.organization.save()
    op.advance_duties(now=w.NOW)
    report = op.start_report(
        actor=city.people["officer"], duty=Duty.objects.get(code="annual_accounts"), now=w.NOW
    )
    assert (report.period_start, report.last_day) == (dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    assert report.lines.exists() and set(report.lines.values_list("computed", flat=True)) == {0}
    assert Report.objects.get().duty.due_on == dt.date(2026, 5, 31)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "licensed", "yuan", "spending", "management"),
    [
        ("foundation", True, 0, 7000, 1000), ("association", True, 99_990_000, 7000, 1300),
        ("service", True, 1, 7000, 1300), ("foundation", False, 60_000_000, 600, 1200),
        ("foundation", False, 59_999_999, 600, 1300), ("foundation", False, 8_000_000, 600, 1300),
        ("foundation", False, 4_000_000, 700, 1500), ("foundation", False, 3_999_999, 800, 2000),
        ("service", False, 10_000_000, 600, 1300), ("association", False, 5_000_000, 700, 1400),
        ("association", False, 1_000_000, 800, 1500), ("service", False, 999_999, 800, 2000),
        ("service", False, -5, 800, 2000),
    ],
)  # fmt: skip
def test_the_laws_classes(kind: str, licensed: bool, yuan: int, spending: int, management: int) -> None:
    found = ratio_limit(kind=kind, licensed=licensed, net_assets=yuan * 100, day=dt.date(2026, 12, 31))
    assert found and (found.spending_bp, found.management_bp) == (spending, management)
    assert found.of_income == licensed and found.management_free_below == 20_000_000
    assert ratio_limit(kind=kind, licensed=licensed, net_assets=0, day=dt.date(2025, 12, 31)) is None


def test_ratios_measure_against_the_year_before_or_three_years() -> None:
    limit = RatioLimit(of_income=True, spending_bp=7000, management_bp=1300, fundraising_bp=300,
                       management_free_below=20_000_000)  # fmt: skip
    sums = {
        2026: total(income=1, programme=700, management=104, fundraising=3),
        2025: total(income=1_000, gifts=90), 2024: total(income=4_000, gifts=100),
        2023: total(income=1_000, gifts=110),
    }  # fmt: skip
    spending, management, fundraising = ratios_from(2026, sums, limit)
    assert (spending.base, spending.share_bp, spending.kept) == (1_000, 7000, True), "the kinder of the two"
    assert management.free and management.kept, "under ¥200,000 the percentage doesn't bind"
    assert (fundraising.base, fundraising.kept) == (100, True)
    sums[2026] = total(programme=69_900_000, management=20_000_000)
    sums[2025] = total(income=100_000_000)
    spending, management, fundraising = ratios_from(2026, sums, limit)
    assert spending.base == (100_000_000 + 4_000 + 1_000) // 3 and spending.kept
    assert (management.kept, management.share_bp) == (False, 2224)
    sums[2024] = sums[2023] = total(income=100_000_000)
    assert ratios_from(2026, sums, limit)[0].kept is False
    poor = RatioLimit(of_income=False, spending_bp=800, also_of_income_bp=5000, management_bp=2000, fundraising_bp=300,
                      management_free_below=20_000_000)  # fmt: skip
    sums = {2026: total(programme=100), 2025: total(income=201, net_assets=1_000)}
    sums |= {year: total() for year in (2024, 2023)}
    assert ratios_from(2026, sums, poor)[0].kept is False, (
        "8% of net assets are kept, half of the income isn't"
    )


@pytest.mark.django_db
def test_ratios_on_the_organizations_page() -> None:
    city = scene.helped()
    assert ratios_of(city.organization) == [], "not counted yet"
    assert count_years(organization=city.organization, now=w.NOW) == 1
    [year] = ratios_of(city.organization)
    assert (year.year, year.complete) == (2026, False)
    assert {one.name: one.amount for one in year.ratios}["spending"] == 500_015
    page = Client().get(f"/organizations/{city.organization.uscc}/")
    assertContains(page, "¥5,000.15")
    assertContains(page, "民发〔2026〕12号")
