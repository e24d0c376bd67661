from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import ExtractYear, Upper
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import SHANGHAI, start_of_day
from apps.core.errors import NotFound
from apps.donations.models import Gift, GiftCount, GiftRedirect, MonthlyGift, Receipt, Refund, Team
from apps.donations.states import GiftStatus, RefundSource, RefundStatus, RefundWay
from apps.donations.unspent import publicly_unspent
from apps.funds.models import MicroFund, Project
from apps.funds.queries import project_earmarks
from apps.ledger.models import Earmark, Line
from apps.ledger.queries import figures, refundable
from apps.ledger.states import AccountRole, EarmarkKind
from apps.organizations.queries import federation
from apps.payments.models import PaymentDispute, ProviderFact
from apps.payments.queries import refund_way
from apps.payments.states import DisputeStatus, FactKind


def target_room(project: Project) -> int:
    """This will give what a project's target still has room for, minor units: less net raised, less open payments.

    Open payments are read first: a gift that settles in between is counted twice for a moment, never not at all.
    """
    held = Gift.objects.filter(project=project, status=GiftStatus.OPENED).aggregate(n=Sum("amount"))["n"] or 0
    return project.target - held - counted_to_target(project)


def counted_to_target(project: Project) -> int:
    """This will give what counts to a project's target, minor units: net raised, and late gifts that donors gave it."""
    given = GiftRedirect.objects.filter(project=project).aggregate(n=Sum("amount"))["n"] or 0
    return figures(project_earmarks([project.pk]).values()).net_raised + int(given)


def live_team(public_id: str, fund: MicroFund, project: Project | None) -> Team | None:
    """This will find a team that still gives to a project, or to a micro-fund; None for any other id."""
    if not public_id.isascii() or not public_id.isalnum():
        return None
    found = Team.objects.filter(public_id=public_id[:16], fund=fund, project=project).first()
    return found if found and found.is_live else None


def team_roll(team: Team, *, before: int = 0, size: int = 30) -> list[Gift]:
    """This will list a team's received gifts, newest first, `size` and one more; after the gift `before`."""
    rows = Gift.objects.filter(team=team, status=GiftStatus.RECEIVED).order_by("-received_at", "-id")
    last = rows.filter(pk=before).first() if before else None
    if last is not None:
        rows = rows.filter(
            Q(received_at__lt=last.received_at) | Q(received_at=last.received_at, pk__lt=last.pk)
        )
    return list(rows[: size + 1])


def gifts_of_addresses(emails: Iterable[str], *, year: int | None = None) -> QuerySet[Gift]:
    """This will list the gifts whose donors gave one of these verified addresses, newest first (G2); of a year: those
    received in it (Asia/Shanghai)."""
    rows = Gift.objects.annotate(upper_email=Upper("email")).filter(
        upper_email__in=[email.upper() for email in emails if email]
    )
    if year is not None:
        rows = rows.filter(
            status=GiftStatus.RECEIVED, received_at__gte=start_of_day(dt.date(year, 1, 1)),
            received_at__lt=start_of_day(dt.date(year + 1, 1, 1)),
        )  # fmt: skip
    return rows.exclude(email="").select_related("fund", "project", "receipt").order_by("-opened_at", "-id")


def monthly_of_token(token: str) -> MonthlyGift:
    """This will find a monthly gift by its unguessable token (G2). Raises UnknownGift."""
    rows = MonthlyGift.objects.select_related("fund__organization", "project", "subscription")
    found = rows.filter(token=token).first()
    if found is None:
        raise UnknownGift()
    return found


def monthly_of_addresses(emails: Iterable[str]) -> list[MonthlyGift]:
    """This will list the monthly gifts of verified addresses, newest first."""
    rows = MonthlyGift.objects.annotate(upper_email=Upper("email")).filter(
        upper_email__in=[email.upper() for email in emails if email]
    )
    return list(rows.select_related("fund", "project").order_by("-opened_at", "-id")[:50])


def yearly_gifts(emails: Iterable[str]) -> Sequence[Mapping[str, object]]:
    """This will sum received gifts of addresses by year (Asia/Shanghai) and currency, newest year first."""
    return list(
        gifts_of_addresses(emails)
        .filter(status=GiftStatus.RECEIVED)
        .order_by()
        .annotate(year=ExtractYear("received_at", tzinfo=SHANGHAI))
        .values("year", "currency")
        .annotate(total=Sum("amount"), n=Count("id"))
        .order_by("-year", "currency")
    )


RECENT = 201
"""So many of a project's newest gifts make its typical one: no page reads all of them."""


def typical_gift(project: Project) -> int | None:
    """This will give the median of a project's newest gifts, minor units; None for fewer than 5 (F5)."""
    newest = Gift.objects.filter(project=project, status=GiftStatus.RECEIVED).order_by("-received_at", "-id")
    amounts = sorted(newest.values_list("amount", flat=True)[:RECENT])
    return amounts[len(amounts) // 2] if len(amounts) >= 5 else None


class UnknownGift(NotFound):
    code = "unknown_gift"
    message = _("没有这笔捐赠。请检查网址是否完整，它是您付款时得到的那一个。")


def gift_of_token(token: str) -> Gift:
    """This will find a gift by its unguessable token (G2). Raises UnknownGift."""
    found = (
        Gift.objects.select_related("fund__organization", "project__town", "payment", "receipt", "earmark")
        .filter(token=token)
        .first()
    )
    if found is None:
        raise UnknownGift()
    return found


def gift_counts_by_earmark(earmarks: Iterable[int]) -> dict[int, int]:
    """This will give {earmark: gifts received} from counters."""
    return dict(GiftCount.objects.filter(earmark__in=list(earmarks)).values_list("earmark", "gifts"))


def gift_counts(earmarks: Iterable[int]) -> int:
    """This will count the gifts of earmarks from counters."""
    return sum(gift_counts_by_earmark(earmarks).values())


def receipt_by_number(number: str, check_code: str) -> Receipt | None:
    """This will find a receipt by its number and check code (G10); both must be right."""
    if not number.isascii() or not number.isdigit():
        return None
    found = Receipt.objects.select_related("gift").filter(number=number.zfill(10)[-10:])
    return next(
        (receipt for receipt in found if compare_digest(receipt.check_code.encode(), check_code.encode())),
        None,
    )


def masked(name: str) -> str:
    """This will hide a name but for its first character, for whoever holds the paper to compare."""
    return name[:1] + "*" * min(len(name) - 1, 3) if name else ""


@dataclass(frozen=True, slots=True)
class RefundOffer:
    """What of a gift can be given back now, minor units, and how: through the provider (until when, if it has a limit)
    or by bank transfer; `disputed` while a dispute is open."""

    amount: int
    through_provider: bool
    until: dt.datetime | None
    days: int | None
    disputed: bool


def refund_offer(
    gift: Gift, now: dt.datetime, *, refunds: Sequence[Refund] | None = None,
    disputes: Sequence[PaymentDispute] | None = None, inside: bool = False,
    unspent: int | None = None,
) -> RefundOffer:  # fmt: skip
    """This will say what of a received gift can be refunded, minor units, and which way (G8).

    For the donor that is `publicly_unspent`, less what was asked for: the true rest would follow single payments of aid
    before their release (C4). `inside` gives staff the true rest: neither spent, held nor asked for. After the provider
    failed once, its way is closed. What the caller has read already (lists, `unspent` of the trace) is not read again.
    """
    refunds = refunds_of_gift(gift) if refunds is None else refunds
    disputes = disputes_of_gift(gift) if disputes is None else disputes
    asked = sum(each.amount for each in refunds if each.status == RefundStatus.REQUESTED)
    if inside:
        free = refundable(gift.earmark_id, gift.pk) if gift.earmark_id else 0
    else:
        free = publicly_unspent(gift, refunds, unspent)
    failed = any(each.status == RefundStatus.FAILED and each.way == RefundWay.PROVIDER for each in refunds)
    way = refund_way(gift.payment, now) if gift.payment else None
    return RefundOffer(
        amount=max(free - asked, 0), through_provider=bool(way and way.open and not failed),
        until=way.until if way else None, days=way.days if way else None,
        disputed=any(each.status == DisputeStatus.OPEN for each in disputes),
    )  # fmt: skip


_CHAIN = """
WITH RECURSIVE chain AS (
  SELECT id FROM donations_receipt WHERE gift_id = %s
  UNION ALL SELECT r.id FROM donations_receipt r JOIN chain ON r.answers_id = chain.id
) SELECT id FROM chain
"""


def receipts_of_gift(gift: Gift) -> QuerySet[Receipt]:
    """This will list a gift's receipts, oldest first: its own, and those that answer it or each other, however often
    money went back and came again."""
    return Receipt.objects.filter(pk__in=RawSQL(_CHAIN, [gift.pk])).order_by("id")  # noqa: S611  (a constant)


def gift_of_receipt(receipt: Receipt) -> Gift | None:
    """This will give the gift that a receipt belongs to, also by way of the receipts it answers; None for goods."""
    while receipt.gift is None:
        if receipt.answers is None:
            return None
        receipt = receipt.answers
    return receipt.gift


def still_given(gift: Gift) -> int:
    """This will give a gift's amount less paid refunds and what lost disputes took, minor units: what its receipts add
    up to."""
    refunded = Refund.objects.filter(gift=gift, status=RefundStatus.PAID).aggregate(n=Sum("amount"))["n"] or 0
    lost = ProviderFact.objects.filter(payment=gift.payment_id, dispute__status=DisputeStatus.LOST)
    taken, back = (
        lost.filter(kind=kind).aggregate(n=Sum("amount"))["n"] or 0
        for kind in (FactKind.DISPUTE, FactKind.DISPUTE_BACK)
    )
    return max(gift.amount - refunded - max(taken - back, 0), 0)


def given_now(gifts: Sequence[Gift]) -> dict[int, int]:
    """This will give {gift: amount less paid refunds and what disputes took}, minor units, in two statements."""
    refunded = dict(
        Refund.objects.filter(gift__in=gifts, status=RefundStatus.PAID)
        .values_list("gift")
        .annotate(total=Sum("amount"))
        .order_by("gift")
    )
    taken: dict[int, int] = {}
    facts = ProviderFact.objects.filter(
        payment__in=[gift.payment_id for gift in gifts if gift.payment_id],
        kind__in=[FactKind.DISPUTE, FactKind.DISPUTE_BACK],
    )
    for payment, kind, amount in facts.values_list("payment", "kind", "amount"):
        taken[payment] = taken.get(payment, 0) + (amount if kind == FactKind.DISPUTE else -amount)
    return {
        gift.pk: max(gift.amount - refunded.get(gift.pk, 0) - max(taken.get(gift.payment_id or 0, 0), 0), 0)
        for gift in gifts
    }


def refunds_of_gift(gift: Gift) -> list[Refund]:
    """This will list a gift's refunds, newest first."""
    return list(Refund.objects.filter(gift=gift).order_by("-id"))


def disputes_of_gift(gift: Gift) -> list[PaymentDispute]:
    """This will list the disputes of a gift's payment, newest first."""
    return (
        list(PaymentDispute.objects.filter(payment=gift.payment_id).order_by("-id"))
        if gift.payment_id
        else []
    )


def visible_refunds(actor: Actor) -> QuerySet[Refund]:
    """This will list the refunds of an actor's organizations (all for the supervisor), newest first."""
    rows = Refund.objects.select_related("gift__fund", "gift__project").order_by("-id")
    if actor.has("supervisor"):
        return rows
    organizations = actor.scopes("project_officer") | actor.scopes("manager") | actor.scopes("cashier")
    return rows.filter(gift__fund__organization__in=organizations)


def may_be_one_person(keep: int, other: int) -> bool:
    """This will tell whether two people, joined, would break no refund's or feed's two persons (P2)."""
    from apps.donations.models import ReserveFeed

    pairs = ((keep, other), (other, keep))
    broken = any(
        Refund.objects.filter(Q(asked_by=a, decided_by=b) | Q(decided_by=a, payer=b)).exists()
        or ReserveFeed.objects.filter(asked_by=a, approved_by=b).exists()
        for a, b in pairs
    )
    return not broken


def reserve_earmarks(currency: str = "CNY") -> tuple[int, int]:
    """This will give the federation's operations and chargeback reserve earmarks."""
    marks = dict(
        Earmark.objects.filter(
            owner=federation().pk, kind__in=[EarmarkKind.OPERATIONS, EarmarkKind.RESERVE], currency=currency
        ).values_list("kind", "pk")
    )
    return marks[EarmarkKind.OPERATIONS], marks[EarmarkKind.RESERVE]


def find_refunds(rows: QuerySet[Refund], *, status: str, source: str, words: str) -> QuerySet[Refund]:
    """This will narrow refunds by state, source, and a part of their number or of the gift's receipt number."""
    if status in RefundStatus.values:
        rows = rows.filter(status=status)
    if source in RefundSource.values:
        rows = rows.filter(source=source)
    if words:
        rows = rows.filter(Q(number__icontains=words) | Q(gift__receipt__number=words.zfill(10)))
    return rows


def refund_counts(rows: QuerySet[Refund]) -> list[tuple[str, str, int]]:
    """This will give (state, its words, how many) for every state, in one statement."""
    counts = dict(rows.order_by().values_list("status").annotate(n=Count("pk")))
    return [(value, str(label), counts.get(value, 0)) for value, label in RefundStatus.choices]


def find_gift(words: str, organizations: set[int]) -> Gift | None:
    """This will find a received gift of some organizations by its receipt's number (with or without its code) or by its
    address."""
    rows = Gift.objects.select_related("fund__organization", "project", "payment", "receipt").filter(
        fund__organization__in=organizations, status=GiftStatus.RECEIVED
    )
    if words.isdigit() and len(words) <= 10:
        return rows.filter(receipt__number=words.zfill(10)).first()
    if words.isdigit() and len(words) == 18:
        return rows.filter(receipt__code=words[:8], receipt__number=words[8:]).first()
    token = words.partition("/gifts/")[2].partition("/")[0] if "/gifts/" in words else words
    return rows.filter(token=token).first()


def visible_disputes(actor: Actor) -> QuerySet[PaymentDispute]:
    """This will list the disputes of gifts of an actor's organizations (all for the supervisor), newest first."""
    rows = PaymentDispute.objects.select_related("payment").order_by("-id")
    if actor.has("supervisor"):
        return rows
    organizations = actor.scopes("project_officer") | actor.scopes("manager") | actor.scopes("cashier")
    gifts = Gift.objects.filter(fund__organization__in=organizations, payment=OuterRef("payment"))
    return rows.filter(Exists(gifts))


@dataclass(frozen=True, slots=True)
class ShownDispute:
    """A dispute with its gift and where its money stands now, minor units."""

    dispute: PaymentDispute
    gift: Gift
    own: int
    reserve: int
    receivable: int


_FELL = """
SELECT f.dispute_id, l.earmark_id, a.role, sum(l.amount) FROM payments_providerfact f
JOIN ledger_entry e ON e.idempotency_key IN (
  'fact:' || f.id || ':dispute', 'fact:' || f.id || ':dispute_back', 'fact:' || f.id || ':dispute_rest')
JOIN ledger_line l ON l.entry_id = e.id JOIN ledger_account a ON a.id = l.account_id
WHERE f.dispute_id = ANY(%s) AND a.role <> 'clearing' GROUP BY 1, 2, 3
"""


def disputes_shown(disputes: Sequence[PaymentDispute]) -> list[ShownDispute]:
    """This will say of each dispute what fell on the gift's own money, on the reserve, and on the federation."""
    gifts = {
        gift.payment_id: gift
        for gift in Gift.objects.select_related("fund", "project", "receipt").filter(
            payment__in=[each.payment_id for each in disputes]
        )
    }
    fell: dict[int, dict[str, int]] = {
        each.pk: {"own": 0, "reserve": 0, "receivable": 0} for each in disputes
    }
    with connection.cursor() as cursor:
        cursor.execute(_FELL, [list(fell)])
        for dispute, earmark, role, amount in cursor.fetchall():
            payment = next(each.payment_id for each in disputes if each.pk == dispute)
            own = earmark is not None and earmark == gifts[payment].earmark_id
            fell[dispute]["receivable" if role == "receivable" else "own" if own else "reserve"] += int(
                amount
            )
    return [
        ShownDispute(dispute=each, gift=gifts[each.payment_id], **fell[each.pk])
        for each in disputes
        if each.payment_id in gifts
    ]


def receivable_of_federation() -> int:
    """This will give what the federation owes its earmarks for fees and chargebacks nothing else could bear, fen."""
    lines = Line.objects.filter(account__role=AccountRole.RECEIVABLE)
    return int(lines.aggregate(n=Sum("amount"))["n"] or 0)
