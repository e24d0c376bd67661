"""Who may do what with a wish. That three different people write and review it, the database holds as well (W2)."""

from __future__ import annotations

from apps.core.actors import CITY, Actor
from apps.core.policies import policy
from apps.wishes.models import Errand, Wish


@policy("wishes.draft_wish")
def can_draft_wish(actor: Actor, town_id: int) -> bool:
    """A caseworker of the town."""
    return actor.has("caseworker", "town", town_id)


@policy("wishes.change_wish")
def can_change_wish(actor: Actor, wish: Wish) -> bool:
    """Any caseworker of the wish's town: write it anew, submit it, withdraw it, hand its goods over."""
    return actor.has("caseworker", "town", wish.town_id)


@policy("wishes.review_in_town")
def can_review_in_town(actor: Actor, wish: Wish) -> bool:
    return actor.has("town_reviewer", "town", wish.town_id) and actor.person_id != wish.caseworker_id


@policy("wishes.review_in_city")
def can_review_in_city(actor: Actor, wish: Wish) -> bool:
    return actor.has("city_reviewer", "city", CITY) and actor.person_id not in (
        wish.caseworker_id,
        wish.town_reviewer_id,
    )


@policy("wishes.see_wish")
def can_see_wish(actor: Actor, wish: Wish) -> bool:
    """The town's caseworkers and reviewers, the city's reviewers, the supervisor, and storekeepers: what is given for a
    wish comes to any warehouse. Who buys and pays for it asks `can_see_shop`."""
    return any(actor.has(role, "town", wish.town_id) for role in ("caseworker", "town_reviewer")) or any(
        actor.has(role) for role in ("city_reviewer", "storekeeper", "supervisor")
    )


@policy("wishes.see_shop")
def can_see_shop(actor: Actor, organization_id: int) -> bool:
    """Every wish and order, for those who buy and pay for them in the organization whose project the shop is, and for
    the supervisor."""
    return actor.has("supervisor") or any(
        actor.has(role, "organization", organization_id)
        for role in ("purchaser", "project_officer", "manager")
    )


@policy("wishes.claim_wish")
def can_claim_wish(actor: Actor) -> bool:
    """Anybody may meet a wish (W4), but for those who wrote or reviewed it, which the operation looks at."""
    return True


@policy("wishes.change_own_claim")
def can_change_own_claim(actor: Actor) -> bool:
    """Whoever holds the gift's or the promise's address is its donor (G2)."""
    return True


@policy("wishes.buy")
def can_buy(actor: Actor, organization_id: int) -> bool:
    """A purchaser of the organization whose project the shop is: quotes, orders, swaps."""
    return actor.has("purchaser", "organization", organization_id)


@policy("wishes.apply_for_purchase")
def can_apply_for_purchase(actor: Actor, organization_id: int) -> bool:
    """A project officer, who begins the four steps of the expense (P8); never who bought."""
    return actor.has("project_officer", "organization", organization_id)


@policy("wishes.accept_goods")
def can_accept_goods(actor: Actor, wish: Wish) -> bool:
    """Who looks at the goods first: the town's caseworkers, or a storekeeper."""
    return actor.has("caseworker", "town", wish.town_id) or actor.has("storekeeper")


@policy("wishes.answer_code")
def can_answer_code(actor: Actor) -> bool:
    """Whoever holds the link and the six digits: the family, on its own phone."""
    return True


@policy("wishes.send_code")
def can_send_code(actor: Actor, wish: Wish) -> bool:
    return actor.is_system or actor.has("caseworker", "town", wish.town_id)


@policy("wishes.publish_thanks")
def can_publish_thanks(actor: Actor, wish: Wish) -> bool:
    """A reviewer of the town or the city, never who wrote the thanks down (C5)."""
    return actor.has("town_reviewer", "town", wish.town_id) or actor.has("city_reviewer", "city", CITY)


@policy("wishes.keep_volunteers")
def can_keep_volunteers(actor: Actor) -> bool:
    """Who works with volunteers: caseworkers and storekeepers: the list, naming, certificates."""
    return actor.has("caseworker") or actor.has("storekeeper")


@policy("wishes.run_errand")
def can_run_errand(actor: Actor, errand: Errand) -> bool:
    """A caseworker of the wish's town, or a storekeeper of the dispatch's warehouse."""
    if errand.town_id is not None:
        return actor.has("caseworker", "town", errand.town_id)
    return errand.warehouse_id is not None and actor.has("storekeeper", "warehouse", errand.warehouse_id)


@policy("wishes.confirm_hours")
def can_confirm_hours(actor: Actor, errand: Errand) -> bool:
    """Who may run the errand, or the town's reviewer; never who recorded the hours."""
    if actor.person_id is not None and actor.person_id == errand.recorded_by_id:
        return False
    in_town = errand.town_id is not None and actor.has("town_reviewer", "town", errand.town_id)
    return in_town or can_run_errand(actor, errand)


@policy("wishes.run_shop")
def can_run_shop(actor: Actor, organization_id: int) -> bool:
    """The shop's project and the templates of common wishes: a manager of the organization."""
    return actor.has("manager", "organization", organization_id)


@policy("wishes.follow_money")
def can_follow_money(actor: Actor) -> bool:
    """Only the handlers of money's own events: never a person (G5)."""
    return actor.is_system


@policy("wishes.follow_consent")
def can_follow_consent(actor: Actor) -> bool:
    """Only the handler of a withdrawn consent: the person who withdraws does so in the family's file."""
    return actor.is_system


@policy("wishes.keep_time")
def can_keep_time(actor: Actor) -> bool:
    """Only the clock."""
    return actor.is_system
