"""The reconciler finds a row whose units were changed behind the operations' back, and the command says so."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.core.invariants import REGISTRY
from apps.publication.models.rows import PublicRow
from apps.publication.rows import publish_rows, withdraw_rows
from search.engines import engine
from tests.publication.test_rows import NOW, draft


def test_agreement_and_difference(db: None) -> None:
    ids = publish_rows(rows=[draft(1), draft(2), draft(3, view="report")], now=NOW)
    withdraw_rows(sources=["report/r1/2"], now=NOW)
    assert engine().reconcile() == []
    assert not REGISTRY["search_index"].check().broken
    PublicRow.objects.filter(pk=ids[0]).update(units="别 的 字")
    assert [line.split(":")[0] for line in engine().reconcile()] == ["report/r1/1"]
    assert REGISTRY["search_index"].check().broken


def test_the_command(db: None) -> None:
    ids = publish_rows(rows=[draft(1)], now=NOW)
    said = StringIO()
    call_command("search", "status", stdout=said)
    assert "uses           1" in said.getvalue()
    call_command("search", "reconcile", stdout=said)
    assert "agree" in said.getvalue()
    PublicRow.objects.filter(pk=ids[0]).update(units="")
    with pytest.raises(CommandError, match="1 rows differ"):
        call_command("search", "reconcile", stdout=said)


def test_a_slow_search_is_refused_with_words(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from search.contract import SearchRequest, SearchUnavailable
    from search.engines import postgres

    def away(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(postgres.Statement, "whole", away)
    with pytest.raises(SearchUnavailable):
        engine().search(SearchRequest(query="危房"))
