"""The pages of goods as people use them: forms keep what is typed, refusals say what to do, the public sees what C4
allows at a bounded cost."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import activate
from PIL import Image

from apps.inventory import operations as ops
from apps.inventory.models import (
    Consignment,
    Dispatch,
    GoodsImport,
    Lot,
    LotTotal,
    Photo,
    Removal,
    StockCount,
)
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.inventory import goods as g

pytestmark = pytest.mark.django_db
D = Decimal


def client(actor: Any, email: str) -> Client:
    """This will sign somebody in with the second factor."""
    return with_session(account_of(actor, email), second=True)


@pytest.fixture
def store() -> g.Store:
    return g.build()


def lines(*rows: dict[str, str]) -> dict[str, str]:
    made = {"lot-TOTAL_FORMS": str(len(rows)), "lot-INITIAL_FORMS": "0"}
    for n, row in enumerate(rows):
        base = {"spec": "", "per_unit": "", "inner_unit": "", "unit_value": "", "basis": "", "basis_source": "",
                "expires_on": "", "category": "clothing", "unit": "床"}  # fmt: skip
        made |= {f"lot-{n}-{name}": value for name, value in (base | row).items()}
    return made


def test_from_the_gate_to_the_family(store: g.Store) -> None:
    keeper, worker = client(store.keeper, "k@x.org"), client(store.caseworker, "c@x.org")
    giver = {"warehouse": store.warehouse.public_id, "donor_name": "澜江纺织厂", "shown": "name",
             "received_on": "2026-01-05"}  # fmt: skip
    new = reverse("inventory_consignment_new")
    more = keeper.post(new, giver | lines({"item": "棉被", "quantity": "１０"}) | {"act": "more"})
    assert more.status_code == 200 and "第2批" in more.text and 'value="棉被"' in more.text
    bad = keeper.post(new, giver | lines({"item": "棉被", "quantity": "1.5"}))
    assert bad.status_code == 422 and "小数" in bad.text and 'value="棉被"' in bad.text
    assert not Consignment.objects.exists()
    good = giver | lines({"item": "棉被", "quantity": "１０", "unit_value": "120", "basis": "invoice"})
    page = keeper.post(new, good, follow=True)
    lot = Lot.objects.get()
    assert page.status_code == 200 and lot.quantity == 10 and lot.unit_value == 12_000
    assert lot.consignment is not None
    one, key = reverse("inventory_consignment", args=[lot.consignment.number]), lot.public_id
    part = {
        f"{key}-passed": "8",
        f"{key}-failed": "2",
        f"{key}-shelf": str(store.shelf.pk),
        "act": f"inspect:{key}",
    }
    assert keeper.post(one, part).status_code == 422, "failed goods need a reason"
    assert keeper.post(one, part | {f"{key}-note": "受潮"}).status_code == 302
    out = reverse("inventory_dispatch_new")
    stock = lot.stock.get(location=store.shelf)
    over = keeper.post(out, {"town": "shiqiao", f"s{stock.pk}": "9"})
    assert over.status_code == 422 and 'value="9"' in over.text and "只有8，要拣9" in over.text
    assert keeper.post(out, {"town": "shiqiao", f"s{stock.pk}": "5"}).status_code == 302
    dispatch = reverse("inventory_dispatch", args=[Dispatch.objects.get().number])
    assert worker.get(dispatch).status_code == 200
    assert (
        keeper.get(reverse("inventory_picking", args=[Dispatch.objects.get().number])).content[:4] == b"%PDF"
    )
    assert keeper.post(dispatch, {"act": "send", "carrier": "本会车队"}).status_code == 302
    late = worker.post(dispatch, {"act": "hand", "q1": "6", "households": "1"})
    assert late.status_code == 422 and "没有这么多" in late.text and 'value="6"' in late.text
    assert (
        worker.post(dispatch, {"act": "hand", "q1": "5", "households": "5", "slip": "QS-1"}).status_code
        == 302
    )
    other = client(store.city.people["caseworker_hengxi"], "o@x.org")
    assert other.get(dispatch).status_code == 403
    total = LotTotal.objects.get()
    assert (total.in_stock, total.delivered) == (5, 5)
    public = Client()
    board = public.get("/goods/").text
    assert "衣被鞋帽" in board and "¥600.00" in board
    way = public.get(f"/goods/{lot.public_id}/").text
    assert "石桥镇" in way and "澜江纺织厂" in way and "受助方都已确认" in way and "QS-1" not in way
    mine = public.get(f"/goods/mine/{lot.consignment.token}/")
    assert "棉被" in mine.text and "no-store" in mine["Cache-Control"]
    assert public.get("/goods/mine/" + "x" * 43 + "/").status_code == 404
    labels = keeper.get(reverse("inventory_labels", args=[lot.consignment.number]))
    assert "<svg" in labels.text
    g.check()


def test_town_of_few_named_families_stays_hidden(store: g.Store) -> None:
    lot = g.stored(store)
    dispatch = g.sent(store, lot, "6")
    for n in range(4):
        ops.record_handover(
            actor=store.caseworker, dispatch=dispatch, quantities={1: D(1)}, household=w.household(store.city, n + 1),
            now=g.NOW,
        )  # fmt: skip
    address = f"/goods/{lot.public_id}/"
    assert "石桥镇" not in Client().get(address).text
    ops.bring_back(actor=store.keeper, dispatch=dispatch, quantities={1: D(2)}, reason="x", now=g.NOW)
    text = Client().get(address).text
    assert "石桥镇" not in text and text.count("交到受助方") == 1, "four families, one stop, no town"
    second = g.sent(store, lot, "5")
    for n in range(5):
        ops.record_handover(
            actor=store.caseworker, dispatch=second, quantities={1: D(1)},
            household=w.household(store.city, n + 11), now=g.NOW,
        )  # fmt: skip
    assert "石桥镇" in Client().get(address).text
    assert "户主" not in Client().get(address).text


def test_public_pages_cost_a_few_statements(store: g.Store) -> None:
    lot = g.stored(store, g.draft(fen=100), g.draft("口罩", "9", "盒", category="medical"))
    g.sent(store, lot, "3")
    assert lot.consignment is not None
    for address in ("/goods/", "/goods/lots/", "/goods/lots/?q=棉&category=clothing&state=in_stock",
                    f"/goods/{lot.public_id}/", f"/goods/mine/{lot.consignment.token}/", "/en/goods/",
                    "/api/v1/goods", "/api/v1/goods/lots?q=口罩"):  # fmt: skip
        with CaptureQueriesContext(connection) as seen:
            assert Client().get(address).status_code == 200, address
        assert len(seen) <= 12, (address, len(seen))


def test_lists_files_and_open_data(store: g.Store) -> None:
    lot = g.stored(store, g.draft("=危险", "2.5", "公斤", category="food"))
    assert "没有符合" in Client().get("/goods/lots/?q=没有的").text
    file = b"".join(Client().get("/goods/lots.csv").streaming_content)  # type: ignore[attr-defined]
    assert b"'=\xe5\x8d\xb1" in file and b",2.5," in file
    assert b"food" in b"".join(Client().get("/goods/board.csv").streaming_content)  # type: ignore[attr-defined]
    row = Client().get("/api/v1/goods").json()["results"][0]
    assert (row["received"], row["in_stock"], row["closes"]) == ("2.5", "2.5", True)
    one = Client().get("/api/v1/goods/lots?limit=1").json()
    assert one["results"][0]["id"] == lot.public_id and one["results"][0]["giver"] == "" and one["next"] == ""
    assert Client().get("/api/v1/goods?x=1").status_code == 422
    assert Client().get("/api/v1/goods/lots?category=gold").status_code == 422


def test_unknown_and_foreign_codes(store: g.Store, settings: Any) -> None:
    settings.SITE_URL = "https://charity.example"
    keeper = client(store.keeper, "k@x.org")
    lot = g.stored(store)
    scan = reverse("inventory_scan")
    for code in (lot.number.upper(), f"https://charity.example/goods/{lot.public_id}/", lot.public_id):
        assert keeper.post(scan, {"code": code})["Location"].endswith(f"/lots/{lot.public_id}/")
    for code in (
        "https://evil.example/goods/" + lot.public_id + "/",
        "L0000-00000000",
        "weixin://x",
        "\x00%",
    ):
        answer = keeper.post(scan, {"code": code})
        assert answer.status_code == 404 and "不是本站的物资" in answer.text, code
    assert "不是本站" not in keeper.get(scan).text
    stranger = client(w.person("far", ("storekeeper", "warehouse", store.warehouse.pk + 9)), "f@x.org")
    assert stranger.post(scan, {"code": lot.number}).status_code == 404


def test_a_photo_loses_its_place_and_no_other_file_gets_in(store: g.Store) -> None:
    keeper = client(store.keeper, "k@x.org")
    came = g.receive(store)
    picture, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "secret"
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (4000, 20), "red").save(picture, "JPEG", exif=exif)
    assert b"secret" in picture.getvalue()
    address = reverse("inventory_consignment", args=[came.number])
    picture.seek(0)
    picture.name = "x.jpg"
    assert keeper.post(address, {"act": "photo", "photo": picture}).status_code == 302
    kept = Photo.objects.get()
    with Image.open(io.BytesIO(bytes(kept.content))) as made:
        assert made.format == "JPEG" and not made.getexif() and made.width == 1600
    assert b"secret" not in bytes(kept.content)
    for bad in (b"<svg onload=alert(1)>", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"%PDF-1.4", b""):
        file = io.BytesIO(bad)
        file.name = "y.jpg"
        assert keeper.post(address, {"act": "photo", "photo": file}).status_code == 422
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    bomb.seek(0)
    bomb.name = "bomb.png"
    assert keeper.post(address, {"act": "photo", "photo": bomb}).status_code == 422
    assert Photo.objects.count() == 1
    photo = reverse("inventory_photo", args=[kept.public_id])
    assert keeper.get(photo)["Content-Type"] == "image/jpeg" and Client().get(photo).status_code == 302


def test_a_count_and_a_write_off_on_their_pages(store: g.Store) -> None:
    keeper, manager = client(store.keeper, "k@x.org"), client(store.manager, "m@x.org")
    lot = g.stored(store)
    keeper.post(reverse("inventory_counts"), {"warehouse": store.warehouse.public_id})
    page = reverse("inventory_count", args=[StockCount.objects.get().number])
    field = f"{lot.public_id}-{store.shelf.pk}"
    act = f"line:{lot.public_id}:{store.shelf.pk}"
    assert "可能的原因" in keeper.post(page, {"act": act, f"counted-{field}": "8"}, follow=True).text
    keeper.post(page, {"act": act, f"counted-{field}": "8", f"note-{field}": "少两床"})
    keeper.post(page, {"act": "submit"})
    assert "批准，按差异调整" not in keeper.get(page).text
    assert "批准，按差异调整" in manager.get(page).text
    manager.post(page, {"act": "approve"})
    assert g.at(lot, "shelf") == 8
    one = reverse("inventory_lot", args=[lot.public_id])
    asked = {
        "act": "remove",
        "remove-location": str(store.shelf.pk),
        "remove-quantity": "1",
        "remove-kind": "write_off",
    }
    assert keeper.post(one, asked).status_code == 422
    assert keeper.post(one, asked | {"remove-reason": "鼠咬"}).status_code == 302
    removals = reverse("inventory_removals")
    answer = {"removal": Removal.objects.get().public_id, "act": "approve"}
    assert "没有做这一步的权限" in keeper.post(removals, answer, follow=True).text
    manager.post(removals, answer)
    assert g.at(lot, "shelf") == 7
    g.check()


def test_a_list_is_asked_about_and_recorded_on_its_page(store: g.Store) -> None:
    keeper = client(store.keeper, "k@x.org")
    form = {"warehouse": store.warehouse.public_id, "kind": "received", "source": "某会", "category": "medical",
            "day": "2020-01-28"}  # fmt: skip
    with g.slice_of().open("rb") as file:
        assert keeper.post(reverse("inventory_list_new"), form | {"file": file}).status_code == 302
    listing = GoodsImport.objects.get()
    page = reverse("inventory_list", args=[listing.public_id])
    shown = keeper.get(page).text
    assert "不认识单位“提”" in shown and 'name="answer:unit:提"' in shown and "记入" not in shown
    assert "还有没回答的问题" in keeper.post(page, {"act": "record"}, follow=True).text
    assert not Lot.objects.exists()
    keeper.post(page, {"act": "answer", "answer:unit:提": "包"})
    keeper.post(page, {"act": "record"})
    assert Lot.objects.count() == 6 and Lot.objects.get(item="手套").unit_id == "包"
    assert keeper.get(reverse("inventory_lists")).status_code == 200


def test_every_workbench_page_opens_in_both_languages(store: g.Store) -> None:
    lot = g.stored(store)
    keeper, manager = client(store.keeper, "k@x.org"), client(store.manager, "m@x.org")
    names = ["home", "scan", "consignments", "consignment_new", "dispatches", "dispatch_new", "removals", "counts",
             "kits", "lists", "list_new", "wants", "warehouses"]  # fmt: skip
    pages = [reverse(f"inventory_{name}") for name in names]
    assert lot.consignment is not None
    pages.append(reverse("inventory_lot", args=[lot.public_id]))
    pages.append(reverse("inventory_consignment", args=[lot.consignment.number]))
    for page in pages:
        for prefix in ("", "/en"):
            assert keeper.get(prefix + page).status_code == 200, page
    activate("zh-hans")
    assert manager.get(reverse("inventory_home")).status_code == 200
    assert manager.get(reverse("inventory_consignment_new")).status_code == 403
    assert manager.get(reverse("inventory_lot", args=[lot.public_id])).status_code == 200


def test_needs_and_please_dont_send(store: g.Store) -> None:
    worker = client(store.caseworker, "c@x.org")
    page = reverse("inventory_wants")
    dont = {"act": "dont", "dont-town": "shiqiao", "dont-category": "clothing", "dont-until": "2027-01-31"}
    assert worker.post(page, dont).status_code == 422
    import time_machine

    with time_machine.travel(g.NOW, tick=False):
        assert worker.post(page, dont | {"dont-reason": "仓库已满"}).status_code == 302
        need = {"act": "need", "need-town": "shiqiao", "need-category": "food", "need-until": "2026-12-31",
                "need-item": "大米", "need-quantity": "500", "need-unit": "公斤"}  # fmt: skip
        assert worker.post(page, need).status_code == 302
        assert worker.post(page, need | {"need-town": "hengxi"}).status_code == 422, "not their town"
        board = Client().get("/goods/").text
        assert "仓库已满" in board and "大米" in board
        assert "仓库已满" in client(store.keeper, "k@x.org").get(reverse("inventory_consignment_new")).text
    with time_machine.travel("2027-02-01T10:00:00+08:00", tick=False):
        later = Client().get("/goods/").text
        assert "仓库已满" not in later and "大米" not in later


def test_a_given_out_list_offers_what_it_came_from_before_anything_is_written(store: g.Store) -> None:
    keeper = client(store.keeper, "k@x.org")
    long_ago = dt.datetime(2020, 1, 20, tzinfo=dt.UTC)
    lot = g.stored(store, g.draft("口罩", "20", "箱", category="medical"), now=long_ago)
    page = reverse("inventory_list", args=[g.start_list(store, "given", day=None).public_id])
    first = keeper.get(page).text
    name = re.search(r'name="(answer:lot:\d+)"', first)
    assert name and "有1行和库里唯一的一批对得上" in first and f"从{lot.number}发出" in first
    assert keeper.post(page, {"act": "answer", name[1]: lot.number}).status_code == 302
    said = keeper.get(page).text
    assert f'name="{name[1]}"' not in said and f"从{lot.number}发出" in said, (
        "the answer stands, and can be taken back"
    )
    assert LotTotal.objects.get(lot=lot).in_stock == 20, "a preview moves nothing"
    undo = re.search(r'value="(undo:lot:\d+)"', said)
    assert undo and keeper.post(page, {"act": undo[1]}).status_code == 302
    assert f'name="{name[1]}"' in keeper.get(page).text
    assert keeper.post(page, {"act": "answer", name[1]: "L2001-00000000"}, follow=True).status_code == 200
    keeper.post(page, {"act": "answer", name[1]: lot.number})
    assert keeper.post(page, {"act": "record"}).status_code == 302
    total = LotTotal.objects.get(lot=lot)
    assert (total.in_stock, total.delivered) == (5, 15) and "已记入" in keeper.get(page).text
    assert "Recorded" in keeper.get("/en" + page).text
