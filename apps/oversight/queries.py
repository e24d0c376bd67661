"""Figures of the whole city, live, beside the published starting line (O6)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.donations.queries import gift_counts
from apps.funds.models import MicroFund, Project
from apps.funds.states import PUBLIC
from apps.ledger.models import Earmark
from apps.ledger.queries import figures_by_earmark
from apps.ledger.states import EarmarkKind
from apps.publication.queries import PublicMoney, public_money

GIVEN = (EarmarkKind.GENERAL, EarmarkKind.PROJECT, EarmarkKind.WISH)
"""Earmarks that donors give to; the federation's own operations and reserve stand apart."""

SOURCE = _("中山市“十四五”慈善事业发展规划（2021—2025年）公布的数字")
STARTING_LINE = (
    (_("微基金"), 71, _("个")),
    (_("慈善项目"), 542, _("个")),
    (_("网上捐赠"), 156_000, _("人次")),
    (_("网上募集"), 2_465, _("万元")),
    (_("博爱商城收到物品"), 121_700, _("件")),
    (_("博爱商城发出物品"), 102_700, _("件")),
)
"""The plan's own published figures: label, number, unit. They are quoted, never mixed with this site's sums."""


@dataclass(frozen=True, slots=True)
class CityFigures:
    """The city's figures now; money in fen."""

    money: PublicMoney
    gifts: int
    projects: int
    funds: int
    by_category: list[tuple[str, int, int]]


def given_earmarks(currency: str = "CNY") -> list[int]:
    """This will list the earmarks that donors give to, in one currency."""
    rows = Earmark.objects.filter(currency=currency, kind__in=GIVEN)
    return list(rows.order_by("id").values_list("pk", flat=True))


def city_figures() -> CityFigures:
    """This will sum the city from balances and counters; no gift is scanned."""
    marks = given_earmarks()
    return CityFigures(
        money=public_money(marks), gifts=gift_counts(marks), projects=Project.objects.filter(status__in=PUBLIC).count(),
        funds=MicroFund.objects.count(), by_category=_by_category(),
    )  # fmt: skip


def _by_category() -> list[tuple[str, int, int]]:
    """[(category, projects, net raised in fen)] of public projects."""
    projects = dict(Project.objects.filter(status__in=PUBLIC).values_list("pk", "category"))
    owners = dict(
        Earmark.objects.filter(kind=EarmarkKind.PROJECT, owner__in=projects, currency="CNY").values_list(
            "pk", "owner"
        )
    )
    sums: dict[str, list[int]] = {}
    for category in projects.values():
        sums.setdefault(category, [0, 0])[0] += 1
    for mark, figures in figures_by_earmark(owners).items():
        sums[projects[owners[mark]]][1] += figures.net_raised
    return sorted(((name, n, raised) for name, (n, raised) in sums.items()), key=lambda row: -row[2])
