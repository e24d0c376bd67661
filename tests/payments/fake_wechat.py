"""A small WeChat Pay, API v3, of our own: it verifies the merchant's signatures, signs its answers, encrypts its
notifications, keeps orders and refunds, and makes bills. Shapes follow the published documentation of native pay.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.core.clock import SHANGHAI

MCHID, APPID, SERIAL = "1900009191", "wxd678efh567hg6787", "3775B6A45ACD588826D15E583A95F5DD0A1B2C3D"
KEY_ID, APIV3 = "PUB_KEY_ID_0119000091912024010100000000000001", "0123456789abcdef0123456789abcdef"
MERCHANT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PLATFORM = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)

TRADE_HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
TRADE_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FLOW_HEADER = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),"
    "账户结余(元),资金变更提交申请人,备注,业务凭证号"
)
FLOW_SUMS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def pem(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption())  # fmt: skip
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(message: bytes, key: rsa.RSAPrivateKey = PLATFORM) -> str:
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def signed(
    body: bytes, *, at: float | None = None, key: rsa.RSAPrivateKey = PLATFORM, serial: str = KEY_ID
) -> dict[str, str]:
    """The headers with which WeChat sends a body."""
    stamp, nonce = str(int(at or time.time())), secrets.token_hex(16)
    return {
        "Wechatpay-Timestamp": stamp, "Wechatpay-Nonce": nonce, "Wechatpay-Serial": serial,
        "Wechatpay-Signature": sign(f"{stamp}\n{nonce}\n".encode() + body + b"\n", key),
    }  # fmt: skip


def encrypted(thing: dict[str, Any], key: str = APIV3) -> dict[str, Any]:
    nonce = secrets.token_hex(6)
    sealed = AESGCM(key.encode()).encrypt(nonce.encode(), json.dumps(thing).encode(), b"transaction")
    return {"algorithm": "AEAD_AES_256_GCM", "ciphertext": base64.b64encode(sealed).decode(), "nonce": nonce,
            "associated_data": "transaction", "original_type": "transaction"}  # fmt: skip


def moment(at: float | None = None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime((at or time.time()) + 8 * 3600))


@dataclass
class FakeWechat:
    url: str = ""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    bills: dict[tuple[str, str], bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """What it didn't accept of our requests."""
    down: bool = False
    signs_with: rsa.RSAPrivateKey = PLATFORM
    refuses_refunds: str = ""
    lose_answer: bool = False
    spoils_bills: bool = False

    def pay(self, number: str, at: float | None = None) -> None:
        self.orders[number].update(
            trade_state="SUCCESS", transaction_id=f"42{number[:26]}", success_time=moment(at)
        )

    def finish(self, number: str, status: str = "SUCCESS") -> None:
        self.refunds[number].update(status=status, success_time=moment())

    def notify(
        self, kind: str, thing: dict[str, Any], *, at: float | None = None, **how: Any
    ) -> tuple[dict[str, str], bytes]:
        """A notification's headers and raw body."""
        body = json.dumps(
            {"id": secrets.token_hex(16), "create_time": moment(at), "event_type": kind,
             "resource_type": "encrypt-resource", "summary": "…", "resource": encrypted(thing, how.pop("apiv3", APIV3))}
        ).encode()  # fmt: skip
        return signed(body, at=at, **how), body

    def paid_notice(self, number: str, **how: Any) -> tuple[dict[str, str], bytes]:
        return self.notify("TRANSACTION.SUCCESS", self.orders[number], **how)

    def refund_notice(
        self, number: str, kind: str = "REFUND.SUCCESS", **how: Any
    ) -> tuple[dict[str, str], bytes]:
        refund = self.refunds[number]
        thing = {"mchid": MCHID, "refund_status": refund["status"], "amount": refund["amount"],
                 **{name: refund[name] for name in ("out_trade_no", "out_refund_no", "transaction_id")}}  # fmt: skip
        return self.notify(kind, thing, **how)

    def answer(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | None]:
        if (method, path) == ("POST", "/v3/pay/transactions/native"):
            number = body["out_trade_no"]
            if number in self.orders and self.orders[number]["trade_state"] != "NOTPAY":
                return 400, {"code": "OUT_TRADE_NO_USED", "message": "…"}
            self.orders.setdefault(number, {
                "appid": body["appid"], "mchid": body["mchid"], "out_trade_no": number, "trade_state": "NOTPAY",
                "amount": {"total": body["amount"]["total"], "currency": "CNY"}, "notify_url": body["notify_url"],
                "time_expire": body["time_expire"], "trade_type": "NATIVE",
            })  # fmt: skip
            return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={number[:9]}"}
        found = re.fullmatch(r"/v3/pay/transactions/out-trade-no/(\w+)(/close)?", path)
        if found:
            order = self.orders.get(found[1])
            if order is None:
                return 404, {"code": "ORDER_NOT_EXIST", "message": "…"}
            if found[2]:
                if order["trade_state"] != "NOTPAY":
                    return 400, {"code": "ORDER_PAID", "message": "…"}
                order["trade_state"] = "CLOSED"
                return 204, None
            assert query == {"mchid": MCHID}
            return 200, order
        if path == "/v3/refund/domestic/refunds":
            return self._refund(body)
        if path.startswith("/v3/refund/domestic/refunds/"):
            refund = self.refunds.get(path.rpartition("/")[2])
            return (200, refund) if refund else (404, {"code": "RESOURCE_NOT_EXISTS", "message": "…"})
        found = re.fullmatch(r"/v3/bill/(tradebill|fundflowbill)", path)
        if found:
            bill = self.bills.get((found[1], query["bill_date"]))
            if bill is None:
                return 400, {"code": "NO_STATEMENT_EXIST", "message": "…"}
            where = f"{self.url}/v3/billdownload/file?token={found[1]}-{query['bill_date']}"
            return 200, {
                "hash_type": "SHA1",
                "hash_value": hashlib.sha1(bill).hexdigest(),
                "download_url": where,
            }
        return 404, {"code": "NOT_FOUND", "message": "…"}

    def _refund(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        number = body["out_refund_no"]
        if self.refuses_refunds:
            return 403, {"code": self.refuses_refunds, "message": "…"}
        if number not in self.refunds:
            order = next(o for o in self.orders.values() if o.get("transaction_id") == body["transaction_id"])
            made = sum(r["amount"]["refund"] for r in self.refunds.values()
                       if r["transaction_id"] == body["transaction_id"] and r["status"] != "CLOSED")  # fmt: skip
            if (
                body["amount"]["total"] != order["amount"]["total"]
                or made + body["amount"]["refund"] > body["amount"]["total"]
            ):
                return 400, {"code": "INVALID_REQUEST", "message": "…"}
            self.refunds[number] = {
                "refund_id": f"50{number[:26]}", "out_refund_no": number, "transaction_id": body["transaction_id"],
                "out_trade_no": order["out_trade_no"], "status": "PROCESSING", "create_time": moment(),
                "amount": {"refund": body["amount"]["refund"], "total": body["amount"]["total"], "currency": "CNY"},
            }  # fmt: skip
        if self.lose_answer:
            self.lose_answer = False
            return 500, {"code": "SYSTEM_ERROR", "message": "…"}
        return 200, self.refunds[number]

    def accepts(self, method: str, target: str, header: str, body: bytes) -> bool:
        """Whether a request is signed by the merchant, over exactly these bytes, just now."""
        scheme, _, rest = header.partition(" ")
        given = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        message = (
            f"{method}\n{target}\n{given.get('timestamp')}\n{given.get('nonce_str')}\n".encode()
            + body
            + b"\n"
        )
        try:
            MERCHANT.public_key().verify(
                base64.b64decode(given["signature"]), message, padding.PKCS1v15(), hashes.SHA256()
            )
        except (InvalidSignature, KeyError, ValueError):
            return False
        return (scheme == "WECHATPAY2-SHA256-RSA2048" and given["mchid"] == MCHID and given["serial_no"] == SERIAL
                and abs(int(given["timestamp"]) - time.time()) < 300)  # fmt: skip


def bill(header: str, rows: list[list[str]], titles: str, sums: list[str]) -> bytes:
    lines = [
        header,
        *(",".join(f"`{cell}" for cell in row) for row in rows),
        titles,
        ",".join(f"`{s}" for s in sums),
    ]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def trade_row(
    order: dict[str, Any], at: dt.datetime, fee: str, refund: dict[str, Any] | None = None
) -> list[str]:
    back = f"{refund['amount']['refund'] / 100:.2f}" if refund else "0.00"
    total = f"{order['amount']['total'] / 100:.2f}"
    return [
        f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}", APPID, MCHID, "0", "", order["transaction_id"],
        order["out_trade_no"], "o…", "NATIVE", "REFUND" if refund else "SUCCESS", "OTHERS", "CNY",
        "0.00" if refund else total, "0.00", refund["refund_id"] if refund else "0",
        refund["out_refund_no"] if refund else "0",
        back, "0.00", "", "", "gift", "", fee, "0.60%", "0.00" if refund else total, back, "",
    ]  # fmt: skip


def start() -> tuple[FakeWechat, ThreadingHTTPServer]:
    fake = FakeWechat()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def _serve(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            place = urlsplit(self.path)
            fake.calls.append(f"{method} {place.path}")
            if not fake.accepts(method, self.path, self.headers.get("Authorization", ""), body):
                fake.refused.append(self.path)
                self._send(401, b'{"code":"SIGN_ERROR"}', {})
            elif fake.down:
                self._send(500, b'{"code":"SYSTEM_ERROR"}', {})
            elif place.path == "/v3/billdownload/file":
                kind, _, day = parse_qs(place.query)["token"][0].partition("-")
                self._send(200, fake.bills[kind, day] + (b"x" if fake.spoils_bills else b""), {})
            else:
                query = {name: values[0] for name, values in parse_qs(place.query).items()}
                with lock:
                    status, content = fake.answer(method, place.path, query, json.loads(body or b"{}"))
                data = b"" if content is None else json.dumps(content).encode()
                self._send(status, data, signed(data, key=fake.signs_with))

        def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return fake, server
