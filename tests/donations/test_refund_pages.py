"""The pages of refunds: their cost in statements, filters, bad input, and what each person may press."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.donations.models import Refund
from tests import world as w
from tests.accounts.signing import account_for, with_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Any:
    with time_machine.travel(w.NOW, tick=True):
        yield w.build()


def staff(city: w.World, role: str) -> Client:
    account = account_for(None, f"{role}@example.org", (role, "organization", city.organization.pk))
    return with_session(account, second=True)


def test_gift_and_refund_pages_stay_within_their_statements(
    city: w.World, django_assert_max_num_queries: Any
) -> None:
    gift = w.give(city, 20_000)
    for fen in (1_000, 2_000, 3_000):
        w.refund(city, gift, fen)
        w.act(gift, "refund_succeed")
        w.work()
    w.act(gift, "dispute_open", amount=2_000)
    w.work()
    client = Client()
    for address in (f"/gifts/{gift.token}/", f"/gifts/{gift.token}/refund/", f"/gifts/{gift.token}/receipt/",
                    f"/en/gifts/{gift.token}/refund/", f"/projects/{city.project.slug}/"):  # fmt: skip
        with django_assert_max_num_queries(12):
            page = client.get(address)
        assert page.status_code == 200
    assert "减去退款" in page.content.decode() and "−¥60.00" in page.content.decode()


def test_donor_asks_and_withdraws(city: w.World) -> None:
    gift = w.give(city, 20_000)
    client, address = Client(), f"/gifts/{gift.token}/refund/"
    for typed in ("0", "-5", "abc", "", "1e3", "198.81", "9" * 30):
        page = client.post(address, {"amount": typed, "reason": "付重了"})
        assert page.status_code == 422 and "付重了" in page.content.decode(), typed
    assert Refund.objects.count() == 0
    assert client.post(address, {"amount": "198.80", "reason": ""}).status_code == 302
    number = Refund.objects.get().number
    assert client.post(address, {"act": "withdraw", "number": "R-other"}).status_code == 302
    assert Refund.objects.get().status == "requested"
    client.post(address, {"act": "withdraw", "number": number})
    assert Refund.objects.get().status == "withdrawn"
    assert Client().get("/gifts/nobodys-token/refund/").status_code == 404


def test_queue_filters_pages_and_counts(city: w.World, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.donations.views import workbench

    monkeypatch.setattr(workbench, "PAGE", 2)
    numbers = [w.ask_back(city, w.give(city, 20_000), 100).number for _ in range(5)]
    cashier = staff(city, "cashier")
    page = cashier.get("/workbench/refunds/")
    assert [row.number for row in page.context["rows"]] == numbers[:2:-1]
    page = cashier.get(f"/workbench/refunds/?after={page.context['more']}")
    assert [row.number for row in page.context["rows"]] == numbers[2:0:-1]
    assert {value: n for value, _label, n in page.context["statuses"]}["requested"] == 5
    assert not cashier.get("/workbench/refunds/?status=paid").context["rows"]
    found = cashier.get(f"/workbench/refunds/?q={numbers[0]}").context["rows"]
    assert [row.number for row in found] == [numbers[0]]
    for odd in (
        "status=x",
        "source=%00",
        "q=%27%3B--",
        "after=nobody",
        "q=" + "9" * 200,
        "q=%00",
        "after=%00",
    ):
        assert cashier.get("/workbench/refunds/?" + odd).status_code in (200, 400), odd
    for odd in ("after=x", "after=" + "9" * 40, "status=%00", "after=%C2%B2"):
        assert cashier.get("/workbench/disputes/?" + odd).status_code in (200, 400), odd


def test_who_sees_which_button(city: w.World) -> None:
    asked = w.ask_back(city, w.give(city, 20_000), 100)
    address = f"/workbench/refunds/{asked.number}/"
    assert b'value="approve"' in staff(city, "manager").get(address).content
    for role in ("cashier", "project_officer"):
        client = staff(city, role)
        assert b'value="approve"' not in client.get(address).content
        client.post(address, {"act": "approve"})
        client.post(address, {"act": "withdraw"})
        assert Refund.objects.get().status == "requested", role
    supervisor = with_session(account_for(None, "s@example.org", ("supervisor", "city", 0)), second=True)
    assert supervisor.get(address).status_code == 200
    supervisor.post(address, {"act": "refuse", "reason": "x"})
    assert Refund.objects.get().status == "requested"
    assert supervisor.post(address, {"act": "read"}).status_code == 403
