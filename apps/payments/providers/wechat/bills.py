"""WeChat's daily bills: what each payment and refund moved and cost (tradebill), and what left for the bank
(fundflowbill). CSV with a backtick before every cell, amounts in yuan, ended by a summary that must agree."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import structlog

from apps.core.clock import SHANGHAI, civil_day, start_of_day
from apps.payments.provider import BalanceItem, PayoutItem, ProviderUnavailable
from apps.payments.providers.wechat.client import Client, Refused
from apps.payments.states import BalanceKind, PayoutStatus

log = structlog.get_logger(__name__)

READY = dt.timedelta(hours=10)
"""Bills of a day are made in the next morning, until ten."""

LONGEST = 89
"""Days back for which bills can be had (three months)."""

KEPT = 200
TRADE, FUNDS = "tradebill", "fundflowbill"
ONE_DAY = dt.timedelta(days=1)
Row = dict[str, str]
PAID_OUT = ("提现", "结算到银行")
OF_TRADES = ("交易", "退款", "扣除交易手续费", "交易手续费", "退还交易手续费", "手续费退还")
"""Kinds of business in the funds' bill that the trades' bill states payment by payment."""


class Bills:
    """The bills of one merchant. A bill never changes once it is made, so a process asks for each once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: OrderedDict[tuple[str, dt.date], list[Row]] = OrderedDict()

    def lines(self, since: dt.datetime, now: dt.datetime) -> Iterator[BalanceItem]:
        """This will list payments and refunds of whole days with their fees, and what else moved the balance."""
        for day in _days(since, now):
            for row in self._rows(TRADE, day):
                yield _trade(row)
            for row in self._rows(FUNDS, day):
                found = _flow(row)
                if found is not None:
                    yield found

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterator[PayoutItem]:
        """This will list what left for the bank. Empty where WeChat settles straight to a bank account without a
        balance: then its bill has no such rows."""
        for day in _days(since, now):
            for row in self._rows(FUNDS, day):
                if _leaves(row):
                    yield PayoutItem(
                        row["资金流水单号"],
                        fen(row["收支金额(元)"]),
                        "CNY",
                        PayoutStatus.PAID,
                        _at(row["记账时间"]),
                    )

    def known_until(self, now: dt.datetime) -> dt.datetime:
        """This will give the end of the last day whose bill is ready."""
        return start_of_day(civil_day(now - READY))

    def _rows(self, kind: str, day: dt.date) -> list[Row]:
        key = (kind, day)
        if key not in self._kept:
            self._kept[key] = self._fetch(kind, day)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _fetch(self, kind: str, day: dt.date) -> list[Row]:
        more = {"bill_type": "ALL"} if kind == TRADE else {"account_type": "BASIC"}
        try:
            answer = self._client.get(f"/v3/bill/{kind}", bill_date=day.isoformat(), **more)
        except Refused as refused:
            if refused.code == "NO_STATEMENT_EXIST":
                return []
            # STATEMENT_CREATING, INVALID_REQUEST on a day too far back: asked again next time.
            log.warning("payments.no_bill", provider="wechatpay", kind=kind, code=refused.code)
            raise ProviderUnavailable() from refused
        if answer.get("hash_type") != "SHA1":
            raise ProviderUnavailable()
        content = self._client.download(str(answer["download_url"]), str(answer["hash_value"]))
        try:
            return read_bill(content, kind)
        except (ValueError, KeyError) as error:
            log.error("payments.bill_unreadable", provider="wechatpay", kind=kind, day=day.isoformat())
            raise ProviderUnavailable() from error


def read_bill(content: bytes, kind: str) -> list[Row]:
    """This will read a bill's rows, and check them against its own summary. Raises ValueError."""
    table = [
        row
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig")))
        if any(cell.strip() for cell in row)
    ]
    if len(table) < 3:
        raise ValueError("no summary")
    header, *body, titles, sums = table
    names = [name.strip() for name in header]
    rows = []
    for cells in body:
        if len(cells) != len(names) or not cells[0].startswith("`"):
            raise ValueError("a row of another shape")
        rows.append(dict(zip(names, (_cell(cell) for cell in cells), strict=True)))
    said = dict(zip((title.strip() for title in titles), (_cell(cell) for cell in sums), strict=True))
    if kind == TRADE:
        checks = {"总交易单数": len(rows), "应结订单总金额": _sum(rows, "应结订单金额"),
                  "退款总金额": _sum(rows, "退款金额"), "手续费总金额": _sum(rows, "手续费")}  # fmt: skip
    else:
        ways = {way: [row for row in rows if row["收支类型"] == way] for way in ("收入", "支出")}
        checks = {"资金流水总笔数": len(rows), "收入金额": _sum(ways["收入"], "收支金额(元)"),
                  "支出金额": _sum(ways["支出"], "收支金额(元)")}  # fmt: skip
    for name, found in checks.items():
        counted = name in ("总交易单数", "资金流水总笔数")
        # Fees are rounded per row in the rows and may be kept finer in the sum: up to half a fen a row.
        slack = len(rows) if name == "手续费总金额" else 0
        if abs((int(Decimal(said[name])) if counted else fen(said[name])) - found) > slack:
            raise ValueError(f"{name} does not agree")
    return rows


def fen(yuan: str) -> int:
    """This will turn an amount in yuan into fen; fees with more digits are rounded half up, away from zero. Raises
    ValueError for anything that is no amount."""
    try:
        amount = Decimal(yuan.strip())
    except InvalidOperation as error:
        raise ValueError("no amount") from error
    if not amount.is_finite() or abs(amount) > Decimal("1e12"):
        raise ValueError("no amount")
    return int((amount * 100).quantize(Decimal(1), rounding="ROUND_HALF_UP"))


def _trade(row: Row) -> BalanceItem:
    state, fee = row["交易状态"], fen(row["手续费"])
    if row["货币种类"] != "CNY":
        raise ProviderUnavailable()
    at = _at(row["交易时间"])
    if state == "SUCCESS":
        return BalanceItem(row["微信订单号"], BalanceKind.CHARGE, fen(row["应结订单金额"]), fee, "CNY",
                           row["微信订单号"], at)  # fmt: skip
    kind = BalanceKind.REFUND if state == "REFUND" else BalanceKind.OTHER
    return BalanceItem(row["微信退款单号"] or f"{row['微信订单号']}:{state}", kind, -fen(row["退款金额"]), fee, "CNY",
                       row["商户退款单号"], at)  # fmt: skip


def _flow(row: Row) -> BalanceItem | None:
    """A movement that no payment or refund explains; whatever is unknown is shown, never dropped."""
    if row["业务类型"] in OF_TRADES:
        return None
    amount = fen(row["收支金额(元)"]) * (1 if row["收支类型"] == "收入" else -1)
    kind = BalanceKind.PAYOUT if _leaves(row) else BalanceKind.OTHER
    number = row["资金流水单号"]
    return BalanceItem(f"flow_{number}", kind, amount, 0, "CNY", number, _at(row["记账时间"]))


def _leaves(row: Row) -> bool:
    return row["业务类型"] in PAID_OUT and row["收支类型"] == "支出"


def _days(since: dt.datetime, now: dt.datetime) -> Iterator[dt.date]:
    """Whole days whose bills are ready, the oldest first."""
    day = max(civil_day(since), civil_day(now) - LONGEST * ONE_DAY)
    while start_of_day(day + ONE_DAY) + READY <= now:
        yield day
        day += ONE_DAY


def _cell(cell: str) -> str:
    return cell.strip().removeprefix("`").strip()


def _sum(rows: list[Row], name: str) -> int:
    return sum(fen(row[name]) for row in rows)


def _at(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
