"""The shop's list (W1-W3): filters, sorts, search by words, pages by key; nothing here counts claims."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import BooleanField, Count, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.text import BOUNDARY, lexeme, marked, units
from apps.wishes.errors import UnknownWish
from apps.wishes.models import MOST_UNITS, SHOWN, Wish, WishTemplate
from apps.wishes.states import PUBLIC, AgeBand, Category, Urgency, WishStatus

Text = str | Promise
S = WishStatus
TABS: dict[str, tuple[Text, tuple[str, ...]]] = {
    "open": (_("等人认领"), (S.OPEN,)),
    "claimed": (_("已认领"), (S.CLAIMED,)),
    "coming": (_("采购和配送中"), (S.IN_PROGRESS, S.DELIVERED)),
    "met": (_("家人已确认"), (S.FULFILLED,)),
    "all": (_("全部"), PUBLIC),
}
PRICES: dict[str, tuple[Text, int, int]] = {
    "100": (_("¥100以内"), 0, 10_000),
    "300": (_("¥100–300"), 10_001, 30_000),
    "1000": (_("¥300–1,000"), 30_001, 100_000),
    "over": (_("¥1,000以上"), 100_001, 10**9),
}
"""Bands of the price cap, fen, both ends included."""
AGES = AgeBand
SORTS: dict[str, tuple[Text, str, bool]] = {
    "new": (_("最新"), "opened_at", True),
    "urgent": (_("最急"), "urgent_rank", True),
    "cheap": (_("便宜的在前"), "cap", False),
    "dear": (_("贵的在前"), "cap", True),
    "nearly": (_("快凑齐的在前"), "left_bp", False),
}
"""Sorts by one column, then the id, both in one direction: an index answers each, and the next page goes on in it."""
PAGE = 12
LONGEST_WORDS = 40


@dataclass(frozen=True, slots=True)
class ShopQuery:
    """What a visitor asked for; every part is one of the known values, or "" for all."""

    tab: str = "open"
    town: str = ""
    category: str = ""
    age: str = ""
    price: str = ""
    urgent: bool = False
    nearly: bool = False
    words: str = ""
    sort: str = "new"
    after: str = ""
    ignored: tuple[str, ...] = field(default=())

    def address(self, **change: object) -> str:
        """This will write the query string of this search with something changed, from its first page on."""
        values: dict[str, object] = {
            "tab": self.tab, "q": self.words, "town": self.town, "category": self.category, "age": self.age,
            "price": self.price, "urgent": "1" if self.urgent else "", "nearly": "1" if self.nearly else "",
            "sort": self.sort, "after": "",
        } | change  # fmt: skip
        plain = {"tab": "open", "sort": "new"}
        return "?" + urlencode({k: v for k, v in values.items() if v and plain.get(k) != v})

    @property
    def narrowed(self) -> bool:
        return any((self.town, self.category, self.age, self.price, self.urgent, self.nearly, self.words))


def read_query(given: Mapping[str, str]) -> ShopQuery:
    """This will read a query string. A value that isn't known is left out and named in `ignored`, never an error."""
    ignored = []

    def one_of(name: str, known: object, default: str = "") -> str:
        value = given.get(name, "")
        if value and value not in known:  # type: ignore[operator]
            ignored.append(name)
            return default
        return value or default

    town = given.get("town", "")
    if town and not (town.replace("-", "").isalnum() and len(town) <= 50):
        ignored.append("town")
        town = ""
    after = given.get("after", "")
    return ShopQuery(
        tab=one_of("tab", TABS, "open"), town=town, category=one_of("category", Category.values),
        age=one_of("age", AgeBand.values), price=one_of("price", PRICES), urgent=given.get("urgent") == "1",
        nearly=given.get("nearly") == "1", words=given.get("q", "").replace("\x00", "").strip()[:LONGEST_WORDS],
        sort=one_of("sort", SORTS, "new"), after=after if after.isalnum() and len(after) == 16 else "",
        ignored=tuple(ignored),
    )  # fmt: skip


def shop_page(query: ShopQuery, *, size: int = PAGE) -> tuple[list[Wish], str]:
    """This will give a page of the shop and the public id that the next one goes on after ("" at the end)."""
    rows = _narrowed(query).filter(_status(TABS[query.tab][1]))
    _label, column, down = SORTS[query.sort]
    sign = "-" if down else ""
    if query.after:
        last = Wish.objects.filter(public_id=query.after).first()
        if last is not None:
            key = getattr(last, column)
            order = "lt" if down else "gt"
            beyond = {f"{column}__{order}e": key} if key is not None else {}
            rows = rows.filter(**beyond).exclude(**{column: key, f"pk__{'gte' if down else 'lte'}": last.pk})
    order_by = (f"{sign}{column}", f"{sign}id")
    # Found in an index that holds all filters, then read: a filter that fits few wishes fetches no others.
    page = list(rows.order_by(*order_by).values_list("pk", flat=True)[: size + 1])
    found = list(Wish.objects.filter(pk__in=page).select_related("town").defer("words").order_by(*order_by))
    return found[:size], found[size - 1].public_id if len(found) > size else ""


def tab_counts(query: ShopQuery) -> dict[str, int]:
    """This will count the wishes of each tab that fit the other filters, in one statement."""
    rows = _narrowed(query).filter(_status(PUBLIC)).order_by().values_list("status").annotate(n=Count("*"))
    by_status = dict(rows)
    return {name: sum(by_status.get(status, 0) for status in of) for name, (_label, of) in TABS.items()}


def public_wish(public_id: str) -> Wish:
    """This will find a wish that the public may see. Raises UnknownWish for drafts, reviews and what was taken back."""
    found = Wish.objects.select_related("town").defer("words").filter(SHOWN, public_id=public_id).first()
    if found is None:
        raise UnknownWish()
    return found


def basket_lines(basket: object) -> tuple[dict[Wish, int], list[str]]:
    """This will turn what a session remembers into {wish: pieces}: open wishes only, never more than are free. Also the
    titles of those that fell out or shrank. What is forged or unknown is dropped in silence."""
    wanted: dict[str, int] = {}
    if isinstance(basket, dict):
        for key, count in list(basket.items())[:40]:
            if isinstance(key, str) and type(count) is int and 1 <= count <= MOST_UNITS:
                wanted[key] = count
    rows = {
        w.public_id: w
        for w in Wish.objects.select_related("town").defer("words").filter(public_id__in=wanted)
    }
    lines: dict[Wish, int] = {}
    gone: list[str] = []
    for key, count in wanted.items():
        wish = rows.get(key)
        if wish is None or wish.status not in PUBLIC or wish.hidden_at is not None:
            continue
        fits = min(count, wish.free) if wish.status == WishStatus.OPEN else 0
        if fits < count:
            gone.append(str(wish))
        if fits:
            lines[wish] = fits
    return lines, gone


def active_templates() -> QuerySet[WishTemplate]:
    """This will list the templates a caseworker may start from."""
    return WishTemplate.objects.filter(retired_at=None).order_by("category", "item", "id")


def _status(wanted: tuple[str, ...]) -> Q:
    return Q(status=wanted[0]) if len(wanted) == 1 else Q(status__in=wanted)


def _narrowed(query: ShopQuery) -> QuerySet[Wish]:
    rows = Wish.objects.filter(hidden_at=None)
    if query.town:
        rows = rows.filter(town__code=query.town)
    if query.category:
        rows = rows.filter(category=query.category)
    if query.age:
        rows = rows.filter(age_band=query.age)
    if query.price:
        _label, least, most = PRICES[query.price]
        rows = rows.filter(cap__gte=least, cap__lte=most)
    if query.urgent:
        rows = rows.filter(urgency=Urgency.URGENT)
    if query.nearly:
        rows = rows.filter(left_bp__gt=0, left_bp__lte=5_000)
    return with_words(rows, query.words) if query.words else rows


def with_words(rows: QuerySet[Wish], words: str) -> QuerySet[Wish]:
    """This will narrow wishes to those that hold all the words, through their index; signs alone find nothing."""
    wanted = _tsquery(words)
    return rows.filter(_has(wanted)) if wanted else rows.none()


def _has(wanted: str) -> RawSQL:
    """The words' own operator; what was typed is a parameter, quoted lexeme by lexeme."""
    return RawSQL("wishes_wish.words @@ %s::tsquery", [wanted], output_field=BooleanField())


def _tsquery(words: str) -> str:
    """Every run of units must stand in the wish, in this order: its adjacent pairs, or one unit as the start of one."""
    parts: list[str] = []
    run: list[str] = []
    for unit in [*units(words), BOUNDARY]:
        if unit != BOUNDARY:
            run.append(unit)
            continue
        tokens = [marked(a) + b for a, b in itertools.pairwise(run)]
        if run:
            tokens.append(marked(run[-1]) if len(run) == 1 else "")
        end = ":*" if len(run) == 1 else ""
        parts += [lexeme(token) + end for token in tokens if token]
        run = []
    return " & ".join(parts)
