"""A small fake of what the servers others wrote lack: Checkout Sessions with delayed methods, expiry and signed events.

Shapes follow Stripe's published API as stripe-mock's fixtures give them (checkout.session, payment_intent, charge,
balance_transaction, event). It keeps state in memory, honours idempotency keys, and signs as Stripe does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET = "whsec_fake_for_tests"
FEE_BP = 220


@dataclass
class FakeStripe:
    """The server's state; `down` makes every call fail with 500."""

    url: str = ""
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    down: bool = False
    livemode: bool = False
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    lose_answer: bool = False
    """The next refund is made, and the answer is an error 500."""

    def refund(self, form: dict[str, str], key: str) -> tuple[dict[str, Any], int]:
        """Makes a refund as the API does: one per key, never past the charge, never of a disputed one."""
        if key and key in self.keys:
            return self.refunds[self.keys[key]], 200
        intent, amount = form["payment_intent"], int(form["amount"])
        session = self.sessions[intent.removeprefix("pi_")]
        made = sum(r["amount"] for r in self.refunds.values()
                   if r["payment_intent"] == intent and r["status"] not in ("failed", "canceled"))  # fmt: skip
        if made + amount > session["amount_total"]:
            return _error("charge_already_refunded" if made >= session["amount_total"] else ""), 400
        if any(d["payment_intent"] == intent and d["status"] in ("needs_response", "under_review", "lost")
               for d in self.disputes.values()):  # fmt: skip
            return _error("charge_disputed"), 400
        ref = f"re_{len(self.refunds) + 1}"
        self.refunds[ref] = {
            "id": ref, "object": "refund", "amount": amount, "currency": session["currency"], "status": "pending",
            "payment_intent": intent, "charge": f"ch_{session['id']}", "created": int(time.time()),
            "failure_reason": None, "balance_transaction": None,
            "metadata": {k[9:-1]: v for k, v in form.items() if k.startswith("metadata[")},
        }  # fmt: skip
        if key:
            self.keys[key] = ref
        if self.lose_answer:
            self.lose_answer = False
            return _error("", "api_error"), 500
        return self.refunds[ref], 200

    def dispute(self, ref: str, amount: int, status: str = "needs_response") -> dict[str, Any]:
        """Opens a dispute of a session's payment; one that is no inquiry withdraws the money and its fee."""
        session = self.sessions[ref]
        made = {
            "id": f"dp_{len(self.disputes) + 1}", "object": "dispute", "amount": amount, "status": status,
            "currency": session["currency"], "payment_intent": f"pi_{ref}", "charge": f"ch_{ref}",
            "reason": "fraudulent", "created": int(time.time()), "livemode": self.livemode,
            "balance_transactions": [], "metadata": {},
            "evidence_details": {"due_by": int(time.time()) + 600_000},
        }  # fmt: skip
        self.disputes[made["id"]] = made
        if not status.startswith("warning"):
            self.withdraw(made["id"])
        return made

    def withdraw(self, ref: str) -> None:
        made = self.disputes[ref]
        made["balance_transactions"].append(_moved(f"txn_{ref}", -made["amount"], 1_500, made["currency"]))

    def reinstate(self, ref: str, amount: int | None = None) -> None:
        made = self.disputes[ref]
        made["balance_transactions"].append(
            _moved(f"txn_{ref}_back", amount or made["amount"], -1_500, made["currency"])
        )
        made["status"] = "won"

    def charge(self, ref: str) -> dict[str, Any]:
        """The charge as events carry it: without its refunds."""
        session = self.sessions[ref]
        return {"id": f"ch_{ref}", "object": "charge", "amount": session["amount_total"], "payment_intent": f"pi_{ref}",
                "livemode": self.livemode}  # fmt: skip

    def create(self, form: dict[str, str], key: str) -> dict[str, Any]:
        if key in self.keys:
            return self.sessions[self.keys[key]]
        ref = f"cs_test_{len(self.sessions) + 1}"
        amount = int(form["line_items[0][price_data][unit_amount]"])
        session = {
            "id": ref, "object": "checkout.session", "mode": form["mode"], "status": "open", "payment_status": "unpaid",
            "client_reference_id": form["client_reference_id"], "amount_total": amount, "livemode": self.livemode,
            "currency": form["line_items[0][price_data][currency]"], "created": int(time.time()),
            "expires_at": int(form["expires_at"]), "url": f"{self.url}/pay/{ref}", "payment_intent": None,
            "metadata": {"payment": form["metadata[payment]"]},
        }  # fmt: skip
        self.sessions[ref] = session
        self.keys[key] = ref
        return session

    def complete(self, ref: str, *, paid: bool = True) -> None:
        session = self.sessions[ref]
        session["status"] = "complete"
        session["payment_status"] = "paid" if paid else "unpaid"
        amount = session["amount_total"]
        balance = {"id": f"txn_{ref}", "object": "balance_transaction", "fee": amount * FEE_BP // 10_000,
                   "amount": amount, "currency": session["currency"], "created": int(time.time())}  # fmt: skip
        charge = {"id": f"ch_{ref}", "object": "charge", "amount": amount, "created": int(time.time()),
                  "balance_transaction": balance if paid else None}  # fmt: skip
        session["payment_intent"] = {
            "id": f"pi_{ref}", "object": "payment_intent", "status": "succeeded" if paid else "processing",
            "latest_charge": charge if paid else None,
        }  # fmt: skip

    def event(
        self, kind: str, ref: str, *, at: float | None = None, **over: Any
    ) -> tuple[dict[str, str], bytes]:
        """An event's headers and raw body, signed at `at`; `ref` is a session's, refund's or dispute's id."""
        stamp = int(at or time.time())
        if ref in self.refunds or ref in self.disputes:
            thing = dict(self.refunds.get(ref) or self.disputes[ref])
        elif kind.startswith("charge."):
            thing = self.charge(ref)
        else:
            thing = {**self.sessions[ref], "payment_intent": f"pi_{ref}"}
        event = {"id": f"evt_{len(self.events) + 1}", "object": "event", "type": kind, "created": stamp,
                 "livemode": self.livemode, "data": {"object": thing}, **over}  # fmt: skip
        self.events.append(event)
        return sign(json.dumps(event).encode(), stamp)


def _moved(ref: str, amount: int, fee: int, currency: str) -> dict[str, Any]:
    return {"id": ref, "object": "balance_transaction", "amount": amount, "fee": fee, "currency": currency,
            "created": int(time.time()), "type": "adjustment"}  # fmt: skip


def _error(code: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"type": kind, "message": "no", **({"code": code} if code else {})}}


def sign(body: bytes, stamp: int, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}"}, body


def start() -> tuple[FakeStripe, ThreadingHTTPServer]:
    fake = FakeStripe()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def _answer(self, body: dict[str, Any], status: int = 200) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _down(self) -> bool:
            fake.calls += 1
            if fake.down:
                self._answer({"error": {"type": "api_error", "message": "down"}}, 500)
            return fake.down

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            if self._down():
                return
            key = self.headers.get("Idempotency-Key", "")
            if urlsplit(self.path).path == "/v1/refunds":
                with lock:
                    self._answer(*fake.refund(form, key))
            else:
                self._answer(fake.create(form, key))

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if self._down():
                return
            if place.path == "/v1/checkout/sessions":
                wanted = parse_qs(place.query).get("payment_intent", [""])[0]
                found = [s for s in fake.sessions.values() if not wanted or f"pi_{s['id']}" == wanted]
                self._answer({"object": "list", "data": found, "has_more": False, "url": place.path})
            elif place.path == "/v1/events":
                self._answer(
                    {"object": "list", "data": fake.events[::-1], "has_more": False, "url": place.path}
                )
            elif place.path == "/v1/refunds":
                intent = parse_qs(place.query).get("payment_intent", [""])[0]
                rows = [r for r in fake.refunds.values() if r["payment_intent"] == intent]
                self._answer({"object": "list", "data": rows[::-1], "has_more": False, "url": place.path})
            else:
                ref = place.path.rsplit("/", 1)[-1]
                found_one = fake.sessions.get(ref) or fake.refunds.get(ref) or fake.disputes.get(ref)
                if found_one is None:
                    self._answer(_error("resource_missing"), 404)
                else:
                    self._answer(found_one)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return fake, server
