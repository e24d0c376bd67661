"""Donors' own claims, and what waits for whom on the workbench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum

from apps.casework.models import Consent
from apps.core.actors import Actor
from apps.core.policies import allowed
from apps.donations.models import Gift, Refund
from apps.donations.states import REFUND_LIVE, GiftStatus
from apps.funds.models import Project
from apps.wishes.errors import UnknownClaim
from apps.wishes.models import Claim, Pledge, Purchase, Shop, Thanks, Wish
from apps.wishes.policies import can_see_shop
from apps.wishes.states import WAITING, ClaimStatus, WishStatus


@dataclass(frozen=True, slots=True)
class ClaimedWish:
    """A wish as its giver sees it: how many pieces are how far; the words of thanks once they are public."""

    wish: Wish
    claims: Sequence[Claim]
    thanks: str

    @property
    def live(self) -> list[Claim]:
        return [claim for claim in self.claims if claim.ended_at is None]

    @property
    def amount(self) -> int:
        return sum(claim.amount for claim in self.live)

    @property
    def newest(self) -> Claim:
        return (self.live or list(self.claims))[-1]

    @property
    def may_cancel(self) -> bool:
        return bool(self.live) and all(claim.status in WAITING for claim in self.live)

    @property
    def handed(self) -> Claim | None:
        """This will give a piece that the caseworker says was handed over, if any."""
        return next((claim for claim in self.live if claim.handed_at), None)

    @property
    def confirmed(self) -> Claim | None:
        """This will give a piece that the family itself confirmed, if any."""
        return next((claim for claim in self.live if claim.confirmed_at), None)


def shop_project() -> Project | None:
    """This will give the filed project that wishes are met under now, or None before one is chosen."""
    row = Shop.objects.select_related("project__fund__organization").order_by("-id").first()
    return row.project if row else None


def claims_of_gift(gift: Gift) -> list[ClaimedWish]:
    """This will list the wishes a gift was given for, with each claim's way, in three statements at most."""
    claims = list(Claim.objects.filter(gift=gift).select_related("wish__town", "purchase").order_by("id"))
    return _by_wish(claims)


def claims_of_pledge(pledge: Pledge) -> list[ClaimedWish]:
    """This will list the wishes a promise of goods is for."""
    return _by_wish(list(Claim.objects.filter(pledge=pledge).select_related("wish__town").order_by("id")))


def left_of_gift(gift: Gift) -> int:
    """This will give what of a gift stands for no wish, fen: its amount less what goes back and what its live claims
    hold. Below 0 after a refund: then claims have to end."""
    held = Claim.objects.filter(gift=gift, ended_at=None).aggregate(n=Sum("amount"))["n"] or 0
    back = Refund.objects.filter(gift=gift, status__in=REFUND_LIVE).aggregate(n=Sum("amount"))["n"] or 0
    return gift.amount - int(held) - int(back)


def offers_for(gift: Gift, *, size: int = 6) -> list[Wish]:
    """This will offer open wishes that a received gift's rest would meet, the nearest in price first; none for a gift
    that is not the shop's."""
    if gift.status != GiftStatus.RECEIVED or not Claim.objects.filter(gift=gift).exists():
        return []
    left = left_of_gift(gift)
    rows = Wish.objects.filter(status=WishStatus.OPEN, cap__lte=left).select_related("town").defer("words")
    return list(rows.order_by("-cap", "-id")[:size]) if left > 0 else []


def pledge_of_token(token: str) -> Pledge:
    """This will find a promise of goods by its unguessable token (G2). Raises UnknownClaim."""
    found = Pledge.objects.select_related("warehouse").filter(token=token).first()
    if found is None:
        raise UnknownClaim()
    return found


def sees_shop(actor: Actor) -> bool:
    """This will say whether an actor buys or pays for wishes in the organization whose project the shop is."""
    project = shop_project()
    return project is not None and allowed(can_see_shop, actor, project.fund.organization_id)


def visible(actor: Actor) -> QuerySet[Wish]:
    """This will list the wishes an actor may see on the workbench, newest first."""
    rows = Wish.objects.select_related("town").defer("words").order_by("-id")
    if any(actor.has(role) for role in ("city_reviewer", "storekeeper", "supervisor")) or sees_shop(actor):
        return rows
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    return rows.filter(town__in=towns)


def queue_for(actor: Actor) -> QuerySet[Wish]:
    """This will list what waits for this person: their reviews, drafts given back, goods to hand over, thanks to look
    at; oldest first."""
    mine = Q(pk__in=[])
    caseworks, reviews = actor.scopes("caseworker"), actor.scopes("town_reviewer")
    if caseworks:
        to_do = Q(status__in=[WishStatus.DRAFT, WishStatus.REJECTED, WishStatus.EXPIRED])
        in_hand = Q(claims__status__in=[ClaimStatus.ARRIVED, ClaimStatus.HANDED])
        mine |= Q(town__in=caseworks) & (to_do | in_hand)
    if reviews:
        mine |= Q(town__in=reviews, status=WishStatus.TOWN_REVIEW) & ~Q(caseworker=actor.person_id)
        mine |= Q(town__in=reviews, thanks__isnull=False, thanks__published_at=None)
    if actor.has("city_reviewer"):
        other = ~Q(caseworker=actor.person_id) & ~Q(town_reviewer=actor.person_id)
        mine |= Q(status=WishStatus.CITY_REVIEW) & other
    if actor.has("purchaser"):
        mine |= Q(claims__status=ClaimStatus.SECURED)
    rows = Wish.objects.filter(mine).select_related("town").defer("words")
    return rows.distinct().order_by("id")


def purchases_for() -> QuerySet[Purchase]:
    """This will list orders, newest first."""
    return Purchase.objects.select_related("wish__town", "disbursement", "purchaser").order_by("-id")


def wishes_on_consent(consent_id: int, *, photo: bool) -> list[Wish]:
    """This will list the wishes that stand on a consent; for photos, those whose photo does, and drafts of the family
    that have a photo, which is not linked yet."""
    if not photo:
        return list(Wish.objects.filter(consent=consent_id).order_by("id"))
    household = Consent.objects.values_list("household", flat=True).get(pk=consent_id)
    draft = Q(household=household, status__in=[WishStatus.DRAFT, WishStatus.REJECTED], photo__isnull=False)
    return list(Wish.objects.filter(Q(consent_for_photo=consent_id) | draft).order_by("id"))


def confirmable(wish: Wish) -> bool:
    """This will tell whether something was handed over that the family has not confirmed."""
    return Claim.objects.filter(wish=wish, status=ClaimStatus.HANDED).exists()


def may_be_one_person(keep: int, other: int) -> bool:
    """This will tell whether two people never took two of the separate steps on the same wish or order (W2, P2)."""
    pair = [keep, other]
    wishes = Wish.objects.filter(
        Q(caseworker__in=pair, town_reviewer__in=pair)
        | Q(caseworker__in=pair, city_reviewer__in=pair)
        | Q(town_reviewer__in=pair, city_reviewer__in=pair)
    )
    return not (
        wishes.exists()
        or Purchase.objects.filter(purchaser__in=pair, applicant__in=pair).exists()
        or Thanks.objects.filter(written_by__in=pair, published_by__in=pair).exists()
    )


def _by_wish(claims: list[Claim]) -> list[ClaimedWish]:
    grouped: dict[int, list[Claim]] = {}
    for claim in claims:
        grouped.setdefault(claim.wish_id, []).append(claim)
    thanks = dict(
        Thanks.objects.filter(wish__in=grouped, published_at__isnull=False, wish__hidden_at=None).values_list(
            "wish", "words"
        )
    )
    return [ClaimedWish(rows[0].wish, rows, thanks.get(pk, "")) for pk, rows in grouped.items()]
