"""The projection: versions, tombstones, labels, codes."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.db import connection

from apps.core import events
from apps.core.models import OutboxEvent
from apps.core.money import Money
from apps.core.text import TooMuchText
from apps.publication.drafts import Facet, RowDraft
from apps.publication.events import RowsChanged
from apps.publication.models.rows import FacetValue, PublicRow, PublicRowText
from apps.publication.rows import facet_labels, publish_rows, republish_rows, row_units, withdraw_rows

NOW = dt.datetime(2026, 3, 1, 4, 0, tzinfo=dt.UTC)
FUND, PROJECT = Facet("anju", "安居微基金", "Safe Homes"), Facet("shiqiao", "石桥镇危房修缮")


def draft(number: int = 1, **changes: Any) -> RowDraft:
    values: dict[str, Any] = {
        "view": "use", "source": f"report/r1/{number}", "batch": "r1", "public_id": f"row{number}",
        "link": "/disclosures/r1/", "amount": Money(123_400), "day": dt.date(2026, 2, 1),
        "organization": Facet("51449900MJK614024W", "澜江市慈善总会"), "fund": FUND, "project": PROJECT,
        "category": Facet("materials", "建材"), "town": Facet("shiqiao", "石桥镇"),
        "kind": Facet("progress", "实施进展报告"),
        "opinion": "qualified", "heading": "第1期", "text": "采购瓦片", "household_times": 11, "period": "quarter",
    }  # fmt: skip
    return RowDraft(**{**values, **changes})


def test_a_row_is_written_with_its_codes_and_units(db: None) -> None:
    (pk,) = publish_rows(rows=[draft()], now=NOW)
    row = PublicRow.objects.select_related("shown").get(pk=pk)
    assert (row.amount, row.people, row.month, row.day) == (
        123_400,
        11,
        2026 * 12 + 1,
        dt.date(2026, 2, 1).toordinal(),
    )
    assert row.k2 == row.category * 1024 + row.town
    assert row.k3 == row.kind * 128 + 2 * 16 + 3  # qualified; 1,000 to 5,000 yuan
    assert row.k4 == (row.month * 4 + 1) * 64
    assert " 瓦 片 / " in row.units and row.units.startswith("第 1| 期 / 采 购")
    for word in ("安 居 微 基 金", "safe| homes|", "澜 江 市", "建 材", "石 桥 镇"):
        assert word in row.units
    assert row.shown.source == "report/r1/1"


def test_publishing_again_replaces_and_raises_the_version(db: None) -> None:
    (first,) = publish_rows(rows=[draft()], now=NOW)
    before = PublicRow.objects.get(pk=first).version
    (again,) = publish_rows(rows=[draft(text="采购檩条", amount=Money(500))], now=NOW)
    row = PublicRow.objects.get(pk=again)
    assert (again, row.amount) == (first, 500) and row.version > before and "瓦" not in row.units
    assert PublicRowText.objects.get(row=row).text == "采购檩条"


def test_a_withdrawn_row_is_an_empty_tombstone_with_a_higher_version(db: None) -> None:
    (pk,) = publish_rows(rows=[draft()], now=NOW)
    before = PublicRow.objects.get(pk=pk).version
    assert withdraw_rows(batch="r1", now=NOW) == 1
    assert withdraw_rows(batch="r1", now=NOW) == 0
    row = PublicRow.objects.select_related("shown").get(pk=pk)
    assert (row.alive, row.units, row.amount, row.shown.text, row.shown.heading) == (False, "", 0, "", "")
    assert row.version > before
    publish_rows(rows=[draft()], now=NOW)
    assert PublicRow.objects.get(pk=pk).alive


def test_a_correction_republishes_the_whole_batch(db: None) -> None:
    publish_rows(rows=[draft(1), draft(2), draft(3)], now=NOW)
    republish_rows(batch="r1", rows=[draft(2, text="更正"), draft(4)], now=NOW)
    alive = PublicRowText.objects.filter(row__alive=True).values_list("source", flat=True)
    assert sorted(alive) == ["report/r1/2", "report/r1/4"]
    with pytest.raises(ValueError):
        republish_rows(batch="other", rows=[draft()], now=NOW)


def test_a_renamed_label_writes_its_rows_anew(db: None) -> None:
    one, two = publish_rows(rows=[draft(1), draft(2, project=Facet("other", "别的项目"))], now=NOW)
    versions = dict(PublicRow.objects.values_list("pk", "version"))
    publish_rows(rows=[draft(3, fund=Facet("anju", "广厦微基金"))], now=NOW)
    for pk in (one, two):
        row = PublicRow.objects.get(pk=pk)
        assert "广 厦" in row.units and "安 居" not in row.units and row.version > versions[pk]
    labels = facet_labels()
    for shown in PublicRowText.objects.select_related("row"):
        assert shown.row.units == row_units(shown.row, shown, labels)


def test_rows_of_a_fund_or_an_organization_alone(db: None) -> None:
    publish_rows(
        rows=[draft(1, project=None), draft(2, project=None, fund=None, town=None, category=None)], now=NOW
    )
    stand_ins = FacetValue.objects.filter(facet="project").order_by("key")
    assert [(value.key, value.label_zh, bool(value.fund)) for value in stand_ins] == [
        ("~anju", "", True),
        ("~~51449900MJK614024W", "", False),
    ]


def test_the_same_source_never_twice_in_one_call(db: None) -> None:
    with pytest.raises(ValueError):
        publish_rows(rows=[draft(1), draft(1, public_id="another")], now=NOW)


def test_too_long_a_text_is_refused_and_nothing_is_written(db: None) -> None:
    with pytest.raises(TooMuchText):
        publish_rows(rows=[draft(1), draft(2, text="字" * 70_000)], now=NOW)
    assert not PublicRow.objects.exists()


def test_the_lexemes_are_the_pairs_of_the_application(db: None) -> None:
    from apps.core.text import pairs

    text = "危房改造2026年，New York 'a\\b' 1,234.50 " + "很长的叙述" * 300
    (pk,) = publish_rows(rows=[draft(text=text)], now=NOW)
    row = PublicRow.objects.get(pk=pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tsvector_to_array(search_lexemes_v1(units, k2, k3, project))"
            " FROM publication_publicrow WHERE id = %s",
            [pk],
        )
        lexemes = set(cursor.fetchone()[0])
    facets = {lexeme for lexeme in lexemes if lexeme.startswith("#")}
    assert lexemes - facets == set(pairs(row.units.split(" ")))
    assert facets == {"#v0", f"#k{row.kind}", "#o2", f"#c{row.category}", f"#t{row.town}", f"#p{row.project}"}


def test_drafts_refuse_what_the_projection_cannot_hold() -> None:
    for wrong in (
        {"view": "story"},
        {"opinion": "good"},
        {"period": "week"},
        {"household_times": -1},
        {"day": NOW},
    ):
        with pytest.raises(ValueError):
            dataclasses.replace(draft(), **wrong)


def test_rows_tell_only_where_somebody_listens(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index outside the database nothing is written to the outbox: 40 rows are no event."""
    monkeypatch.setitem(events._HANDLERS, RowsChanged.name, {})
    publish_rows(rows=[draft(n) for n in range(1, 41)], now=NOW)
    withdraw_rows(batch="r1", now=NOW)
    assert OutboxEvent.objects.filter(name=RowsChanged.name).count() == 0
    monkeypatch.setitem(events._HANDLERS, RowsChanged.name, {"listener": lambda event, now: None})
    publish_rows(rows=[draft(1)], now=NOW)
    assert OutboxEvent.objects.filter(name=RowsChanged.name).count() == 1


def test_public_rows_are_vacuumed_after_200_changes_however_many_there_are(db: None) -> None:
    """Withdrawn words leave the index by VACUUM only, and time tells of them until then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(reloptions) FROM pg_class WHERE relname = 'publication_publicrow'")
        options = dict(row[0].split("=") for row in cursor.fetchall())
    assert int(options["autovacuum_vacuum_threshold"]) <= 200
    assert float(options["autovacuum_vacuum_scale_factor"]) == 0
    assert "autovacuum_enabled" not in options
