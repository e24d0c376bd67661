"""The wish shop of the demonstration: some forty wishes in every state, made by the operations in the story's time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from apps.casework import operations as casework
from apps.casework.models import Purpose
from apps.core.actors import PUBLIC, system
from apps.core.clock import civil_day
from apps.core.money import Money
from apps.disbursements import operations as disbursements
from apps.donations.models import Gift
from apps.donations.operations import GiftRequest, start_gift_checkout
from apps.funds import operations as funds
from apps.funds.models import Project
from apps.inventory.operations import ask_not_to_send
from apps.wishes import operations as ops
from apps.wishes.models import Wish
from apps.wishes.operations import OrderDraft, Promise, QuoteDraft, WishDraft
from charity_site.demonstration.clockwork import work
from charity_site.demonstration.facts import Plan
from charity_site.demonstration.story import City, make_project, moment, pay, register_family, settle_all

ACTOR = system("demo")
PLAN = Plan(
    "wish-shop", "raindrop", "博爱商城微心愿", "Bo'ai wish shop", "为困难家庭实现一个小小的心愿，每件都由家人自己确认。",  # noqa: E501
    "Small wishes of families in need, each confirmed by the family itself.", "community", -5, 24, 300_000, "raising",
    families=1, expenses=1,
)  # fmt: skip

Row = tuple[str, str, str, str, str, int, int, str, str, str, int]
WISHES: Sequence[Row] = (
    # category, title, English, item, specification, yuan, delivery, age band, alias, why, urgency
    ("learning", "想要一张能写字的桌子", "A table to write at", "折叠书桌", "80×50厘米，可调高度", 189, 12, "10-12", "小满",  # noqa: E501
     "现在趴在床沿写作业。", 1),
    ("appliance", "奶奶夜里咳，想装个暖风机", "A heater for grandmother's nights", "暖风机", "2000瓦，防倾倒断电", 259, 15, "60+",  # noqa: E501
     "阿山", "屋子朝北，入冬很冷。", 2),
    ("mobility", "一辆能推着走的助行车", "A walker to lean on", "四轮助行车", "带坐垫和手刹，承重100公斤", 428, 25, "60+", "林伯",  # noqa: E501
     "想自己走到巷口。", 1),
    ("appliance", "电饭煲坏了三个月", "The rice cooker broke", "电饭煲", "3升，机械按键", 159, 12, "35-59", "秋姨", "", 0),  # noqa: E501
    ("learning", "能看清黑板的眼镜", "Glasses to see the blackboard", "配镜", "验光后定度数，含镜架", 360, 0, "13-15", "阿芷", "", 2),  # noqa: E501
    ("clothing", "冬天上学的棉鞋", "Warm shoes for school", "儿童棉鞋", "35码，防滑底", 119, 8, "10-12", "小北", "", 1),
    ("mobility", "助听器的电池", "Batteries for a hearing aid", "锌空气电池", "A13型，60粒", 126, 8, "60+", "老周", "", 0),  # noqa: E501
    ("food", "术后要补的奶粉", "Milk powder after surgery", "中老年奶粉", "无糖，800克两罐", 198, 0, "60+", "竹婶", "", 1),  # noqa: E501
    ("daily", "洗澡怕滑，想要扶手和防滑垫", "Grip and mat for the bath", "浴室扶手和防滑垫", "免打孔，承重150公斤", 145, 30, "60+", "石叔",  # noqa: E501
     "上个月滑过一次。", 2),
    ("learning", "想学画画，缺一盒水彩", "A box of watercolours", "水彩颜料套装", "24色，带笔和纸", 98, 6, "7-9", "小荷", "", 0),  # noqa: E501
    ("clothing", "弟弟妹妹共用一床被子", "A quilt of their own", "冬被", "150×200厘米，3公斤", 168, 12, "7-9", "小安", "", 2),  # noqa: E501
    ("appliance", "夏天药要冷藏", "A small fridge for medicine", "小冰箱", "90升，单门", 699, 40, "35-59", "阿良", "胰岛素要冷藏。", 1),  # noqa: E501
)  # fmt: skip
DICTIONARIES: Row = (
    "learning", "班里四个同学都想要字典", "Four pupils want a dictionary", "现代汉语词典", "第7版，纸质", 109, 0, "7-9",
    "四人小组", "", 0,
)  # fmt: skip
WAYS = (
    "open", "open", "open", "claimed", "met", "open", "bought", "promised", "open", "late", "met", "open", "arrived",
    "town", "open", "met", "city", "open", "handed", "open", "rejected", "met", "open", "bought", "open", "expired",
    "met", "open", "withdrawn", "open", "claimed", "met", "draft", "open", "open", "met", "brought", "open",
)  # fmt: skip


def open_shop(city: City) -> Project:
    """This will file the shop's project, open the shop, and take each wish as far as its row says."""
    project = make_project(city, PLAN)
    start = moment(city, PLAN.start, 1)
    project = funds.start_raising(actor=city.staff["officer1"], project=project, now=start)
    ops.choose_shop_project(actor=city.staff["manager1"], project=project, now=start)
    for category, title, english, item, spec, yuan, delivery, *_rest in WISHES:
        ops.add_template(
            actor=city.staff["manager1"], organization=city.federation, category=category, title=title,
            title_en=english, item=item, spec=spec, item_price=yuan * 100, delivery_price=delivery * 100,
        )  # fmt: skip
    for n, way in enumerate(WAYS):
        done_long_ago = way in ("met", "handed", "expired", "late")
        at = moment(city, -4 if way == "expired" else -2 if done_long_ago else 0, 1 + n % 8, 9 + n % 8)
        if way in ("claimed", "promised"):
            at = city.now - dt.timedelta(days=3 + n % 5)
        _wish(city, project, WISHES[n % len(WISHES)], way, n, at)
    _group(city, project)
    town = city.towns[1]
    until = civil_day(city.now) + dt.timedelta(days=40)
    ask_not_to_send(actor=city.staff[f"caseworker1.{town.code}"], town=town, category="clothing",
                    reason="旧衣物已经够用", until=until, now=city.now)  # fmt: skip
    ops.free_overdue(actor=ACTOR, now=city.now)
    ops.expire_wishes(actor=ACTOR, now=city.now)
    work(city.now)
    return project


def _draft(row: Row, quantity: int = 1) -> WishDraft:
    category, title, english, item, spec, yuan, delivery, age, alias, why, urgency = row
    return WishDraft(
        category=category, title=title, title_en=english, item=item, spec=spec, item_price=yuan * 100,
        delivery_price=delivery * 100, age_band=age, alias=alias, why=why, urgency=urgency, quantity=quantity,
        consent_by="guardian" if age in ("7-9", "10-12", "13-15") else "self",
    )  # fmt: skip


def _wish(
    city: City, project: Project, row: Row, way: str, n: int, at: dt.datetime, quantity: int = 1
) -> Wish:
    town = city.towns[n % len(city.towns)]
    caseworker, reviewer = city.staff[f"caseworker1.{town.code}"], city.staff[f"reviewer1.{town.code}"]
    family = register_family(city, town, at)
    casework.give_consent(actor=caseworker, member=family.members.get(relation="head"), purpose=Purpose.WISH,
                          given_by="office", now=at)  # fmt: skip
    wish = ops.draft_wish(
        actor=caseworker,
        household=family,
        draft=_draft(row, quantity),
        consented=True,
        now=at,
    )
    if way == "draft":
        return wish
    ops.submit_wish(actor=caseworker, wish=wish, now=at)
    if way == "town":
        return wish
    if way == "rejected":
        return ops.reject_wish(actor=reviewer, wish=wish, reason="规格请写清楚尺寸。", now=at)
    ops.approve_in_town(actor=reviewer, wish=wish, now=at)
    if way == "city":
        return wish
    wish = ops.approve_in_city(actor=city.staff["cityreviewer1"], wish=wish, now=at)
    if way == "withdrawn":
        return ops.withdraw_wish(actor=caseworker, wish=wish, reason="亲戚已经送了", now=_later(city, at, 2))
    if way in ("claimed", "bought", "arrived", "handed", "met"):
        _pay(city, project, {wish: 1}, _later(city, at, 1))
    elif way == "late":
        _claim(project, {wish: 1}, _later(city, at, 1), f"demo-wish-{wish.pk}")
    elif way in ("promised", "brought"):
        pledge = ops.promise_goods(
            actor=PUBLIC, wish=wish, count=1, now=_later(city, at, 1),
            promise=Promise("caseworker", "一位街坊", "0799-88660000", f"demo-promise-{wish.pk}"),
        )  # fmt: skip
        if way == "brought":
            ops.accept_pledge(actor=caseworker, pledge=pledge, wish=wish, now=_later(city, at, 2))
    if way in ("bought", "arrived", "handed", "met"):
        _buy(city, project, wish, _later(city, at, 2), pays=way == "met")
    return wish


def _buy(city: City, project: Project, wish: Wish, at: dt.datetime, *, pays: bool) -> None:
    """Two quotes and an order a little below the cap; for those that are met: expense, delivery, the family's word."""
    caseworker = city.staff[f"caseworker1.{wish.town.code}"]
    item = wish.item_price * city.rng.randint(85, 96) // 10_000 * 100
    total = item + wish.delivery_price
    quotes = [QuoteDraft("澜江百货", total), QuoteDraft("惠民商行", total + city.rng.randint(3, 20) * 100)]
    purchase = ops.order_purchase(
        actor=city.staff["purchaser1"], wish=wish, now=at,
        order=OrderDraft("澜江百货", item, wish.delivery_price, quotes),
    )  # fmt: skip
    if wish.pk % 2 and not pays:
        return
    ops.accept_purchase(actor=caseworker, purchase=purchase, now=_later(city, at, 1))
    if not pays:
        return
    city.invoices += 1
    purchase = ops.apply_for_purchase(
        actor=city.staff["officer1"], purchase=purchase, budget_line=project.budget_lines.get(code="materials"),
        payee_bank="演示银行", payee_account="62000000000000002", invoice_number=f"DEMO{city.invoices:08d}",
        now=_later(city, at, 1),
    )  # fmt: skip
    expense = purchase.disbursement
    assert expense is not None
    disbursements.verify_disbursement(
        actor=city.staff["officer2"], disbursement=expense, note="货与发票一致", now=_later(city, at, 2)
    )
    disbursements.approve_disbursement(
        actor=city.staff["manager1"], disbursement=expense, now=_later(city, at, 2)
    )
    pay(city, [expense], _later(city, at, 3))
    ops.hand_over(actor=caseworker, wish=wish, now=_later(city, at, 4))
    ops.confirm_by_slip(
        actor=caseworker, wish=wish, slip=f"{wish.town.code.upper()}-{wish.pk:04d}", now=_later(city, at, 4)
    )
    if wish.pk % 3:
        ops.write_thanks(actor=caseworker, wish=wish, words=city.rng.choice(THANKS), now=_later(city, at, 5))
        ops.publish_thanks(
            actor=city.staff[f"reviewer1.{wish.town.code}"], wish=wish, now=_later(city, at, 6)
        )


THANKS = (
    "东西很好用，家里人都记着。",
    "冬天不那么难了，谢谢。",
    "用上了，正合适。",
    "想对不认识的您说一声谢谢。",
)


def _group(city: City, project: Project) -> None:
    """A wish of four pieces, two of them claimed by one giver together with another wish: one payment."""
    at = moment(city, 0, 2, 10)
    group = _wish(city, project, DICTIONARIES, "open", 2, at, quantity=4)
    other = _wish(city, project, WISHES[9], "open", 3, at)
    _pay(city, project, {group: 2, other: 1}, _later(city, at, 1))


def _claim(project: Project, lines: dict[Wish, int], at: dt.datetime, key: str) -> Gift:
    request = GiftRequest(Money(ops.basket_total(lines)), "wechat_pay", key, email="")
    gift = ops.claim_by_money(actor=PUBLIC, lines=lines, request=request, now=at)
    start_gift_checkout(actor=PUBLIC, gift=gift, return_url=f"/gifts/{gift.token}/", cancel_url="/", now=at)
    return gift


def _pay(city: City, project: Project, lines: dict[Wish, int], at: dt.datetime) -> Gift:
    first = min(wish.pk for wish in lines)
    gift = _claim(project, lines, at, f"demo-wish-{first}")
    settle_all([(gift, at)])
    return gift


def _later(city: City, at: dt.datetime, days: int) -> dt.datetime:
    return min(at + dt.timedelta(days=days), city.now - dt.timedelta(minutes=1))
