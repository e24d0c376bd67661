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
        """An event's headers and raw body, signed at `at`."""
        stamp = int(at or time.time())
        thing = {**self.sessions[ref], "payment_intent": f"pi_{ref}"}
        event = {"id": f"evt_{len(self.events) + 1}", "object": "event", "type": kind, "created": stamp,
                 "livemode": self.livemode, "data": {"object": thing}, **over}  # fmt: skip
        self.events.append(event)
        return sign(json.dumps(event).encode(), stamp)


def sign(body: bytes, stamp: int, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}"}, body


def start() -> tuple[FakeStripe, ThreadingHTTPServer]:
    fake = FakeStripe()

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
            if not self._down():
                self._answer(fake.create(form, self.headers.get("Idempotency-Key", "")))

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
            else:
                session = fake.sessions.get(place.path.rsplit("/", 1)[-1])
                if session is None:
                    self._answer(
                        {"error": {"type": "invalid_request_error", "message": "No such session"}}, 404
                    )
                else:
                    self._answer(session)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return fake, server
