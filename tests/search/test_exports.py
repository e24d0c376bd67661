"""Exports (S4): what is in the file is what the page counts; Excel-right, no formula, one snapshot, flat memory, and a
job that survives a kill."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from python_calamine import CalamineWorkbook

from apps.core.actors import PUBLIC
from apps.core.errors import DomainError
from apps.core.events import deliver_due
from apps.core.money import Money
from apps.publication.drafts import Facet
from apps.publication.rows import publish_rows, withdraw_rows
from search.contract import SearchRequest
from search.exports import jobs, writing
from search.models import ExportJob, ExportStatusChange
from search.states import ExportStatus
from search.views import exports as views
from tests.publication.test_rows import NOW, draft

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "\t=1", '=HYPERLINK("http://x","y")', '"=1"', "好"]


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def published(db: None) -> list[int]:
    rows = [
        draft(n, heading=f"石桥镇危房第{n}期", amount=Money(n * 101, "JPY" if n == 7 else "CNY"),
              day=dt.date(2026, 1 + n % 3, 5), text=FORMULAS[n % len(FORMULAS)])
        for n in range(1, 31)
    ]  # fmt: skip
    return publish_rows(rows=rows, now=NOW)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def lines(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_is_the_matches_in_order_and_sums_to_the_page(client: Client, published: list[int]) -> None:
    page = client.get("/disclosures/?q=危房&sort=amount")
    response = client.get("/disclosures/export.csv?q=危房&sort=amount")
    assert response["Content-Type"].startswith("text/csv") and "attachment" in response["Content-Disposition"]
    rows = lines(body(response))
    assert [row["编号"] for row in rows] == [f"row{n}" for n in range(30, 0, -1)]
    answer = page.context["answer"]
    assert len(rows) == answer.count
    for total in answer.totals:
        exported = sum(float(row["金额"]) for row in rows if row["币种"] == total.currency)
        assert round(exported, 2) == float(total.major)
    assert sum(int(row["户次"]) for row in rows) == answer.household_times
    seventh = next(row for row in rows if row["编号"] == "row7")
    assert (seventh["金额"], seventh["币种"], seventh["日期"]) == ("707", "JPY", "2026-02-05")
    assert rows[0]["金额"] == "30.30" and rows[0]["网址"] == "http://testserver/disclosures/r1/"
    assert lines(body(client.get("/disclosures/export.csv?view=reports"))) == []


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_becomes_a_formula(client: Client, published: list[int], kind: str) -> None:
    content = body(client.get(f"/disclosures/export.{kind}"))
    if kind == "csv":
        cells = [cell for row in lines(content) for name, cell in row.items() if name not in ("金额", "户次")]
        texts = {row["内容"] for row in lines(content)}
    else:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        cells = [str(cell) for row in sheet for cell in row if isinstance(cell, str)]
        texts = {str(row[sheet[0].index("内容")]) for row in sheet[1:]}
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@＝＋－＠\t")]
    assert {"'=1+1", "'-1", "'＝1", '"=1"', "好"} <= texts


@pytest.mark.parametrize("facet", ["organization", "fund", "project", "category", "town", "kind"])
def test_no_label_becomes_a_formula(client: Client, db: None, facet: str) -> None:
    """Labels are neutralised once each, where they are joined; in JSON they stand as they are."""
    label = Facet("evil", "=cmd|'/c calc'!A1")
    publish_rows(rows=[draft(1, **{facet: label})], now=NOW)
    [row] = lines(body(client.get("/disclosures/export.csv")))
    assert "'" + label.zh in row.values() and label.zh not in row.values()
    [plain] = json.loads(body(client.get("/disclosures/export.json")))["rows"]
    assert label.zh in plain.values()


def test_every_currencys_digits(client: Client, db: None) -> None:
    amounts = {
        "CNY": (-1_205, "-12.05"),
        "USD": (7, "0.07"),
        "JPY": (1_500, "1500"),
        "KWD": (1_234_567, "1234.567"),
    }
    rows = [draft(n, amount=Money(fen, code)) for n, (code, (fen, _said)) in enumerate(amounts.items())]
    publish_rows(rows=rows, now=NOW)
    found = {row["币种"]: row["金额"] for row in lines(body(client.get("/disclosures/export.csv")))}
    assert found == {code: said for code, (_fen, said) in amounts.items()}


@pytest.mark.parametrize(
    "query", ["", "town=shiqiao", "q=瓦片", "q=瓦片&town=shiqiao", "sort=amount", "from=2026-02"]
)
def test_with_words_and_without_the_order_is_the_pages(client: Client, db: None, query: str) -> None:
    """With words the matches are fenced, without they are not: the same rows in the same order either way."""
    publish_rows(rows=[draft(n, amount=Money(7_777 * (n % 5)), day=dt.date(2026, 2, 1 + n % 4)) for n in range(12)],
                 now=NOW)  # fmt: skip
    shown = client.get(
        f"/api/v1/uses?{query}&sort=date" if "sort" not in query else f"/api/v1/uses?{query}"
    ).json()
    asked = query if "sort" in query else f"{query}&sort=date"
    rows = lines(body(client.get(f"/disclosures/export.csv?{asked}")))
    assert [row["编号"] for row in rows] == [row["id"] for row in shown["results"]] and len(rows) == 12


def test_json_carries_its_manifest_and_amounts_as_text(client: Client, published: list[int]) -> None:
    told = json.loads(body(client.get("/disclosures/export.json?town=shiqiao")))
    assert told["manifest"]["rows"] == len(told["rows"]) == 30
    assert told["manifest"]["query"] == "town=shiqiao" and len(told["manifest"]["fields"]) == len(
        told["rows"][0]
    )
    assert told["rows"][0]["amount"].replace(".", "").isdigit()
    assert "=1+1" in {row["text"] for row in told["rows"]}


def test_the_manifest_hashes_what_the_stream_gives(client: Client, published: list[int]) -> None:
    response = client.get("/disclosures/export.csv?q=危房")
    assert 'rel="describedby"' in response["Link"]
    content = body(response)
    told = client.get("/disclosures/export.csv-metadata.json?q=危房").json()
    assert told["sha256"] == hashlib.sha256(content).hexdigest() and told["bytes"] == len(content)
    assert told["rows"] == 30 and told["totals"] and "“危房”" in told["reading"]


def test_large_ones_go_to_a_worker(
    client: Client, published: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_STREAMED", 10)
    assert client.get("/disclosures/export.csv").status_code == 409
    page = client.get("/disclosures/export/").content.decode()
    assert "让后台生成" in page and "现在就下载" not in page
    assert client.get("/disclosures/export.pdf", follow=True).status_code == 404
    assert client.get("/disclosures/export.csv?colour=red").status_code == 400


def work(job: ExportJob) -> ExportJob:
    while jobs.work_export(pk=job.pk, now=NOW):
        pass
    job.refresh_from_db()
    return job


def start(kind: str = "csv", query: str = "q=危房", email: str = "") -> ExportJob:
    return jobs.start_export(actor=PUBLIC, kind=kind, query=query, language="zh-hans", email=email, now=NOW)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_a_job_makes_the_stream_part_by_part(
    client: Client, published: list[int], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PART", 7)
    answer = client.post(f"/disclosures/export/?{'q=危房&sort=amount'}", {"kind": kind, "email": ""})
    assert answer.status_code == 302
    job = ExportJob.objects.get()
    waiting = client.get(answer["Location"])
    assert waiting["Refresh"] == "2" and "正在确定" in waiting.content.decode()
    assert jobs.work_export(pk=job.pk, now=NOW) and jobs.work_export(pk=job.pk, now=NOW)
    assert "已写7条，共30条" in client.get(answer["Location"]).content.decode()
    job = work(job)
    assert job.status == ExportStatus.DONE and (job.total, job.made) == (30, 30)
    page = client.get(answer["Location"]).content.decode()
    assert job.sha256 in page and "下载" in page
    content = body(client.get(answer["Location"] + "file"))
    assert hashlib.sha256(content).hexdigest() == job.sha256
    manifest = client.get(answer["Location"] + "manifest.json").json()
    assert manifest["sha256"] == job.sha256 and manifest["rows"] == 30 and manifest["household_times"] == 330
    stream = body(client.get(f"/disclosures/export.{kind}?q=危房&sort=amount"))
    if kind == "csv":
        assert content == stream
    elif kind == "json":
        assert json.loads(content)["rows"] == json.loads(stream)["rows"]
    else:
        sheets = [
            CalamineWorkbook.from_filelike(io.BytesIO(each)).get_sheet_by_index(0).to_python()
            for each in (content, stream)
        ]
        assert sheets[0] == sheets[1] and len(sheets[0]) == 31


def test_a_killed_part_is_written_again_where_progress_says(
    published: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is longer than the kept progress: the worker died after writing, before noting it."""
    monkeypatch.setattr(jobs, "PART", 7)
    job = start()
    jobs.work_export(pk=job.pk, now=NOW)
    jobs.work_export(pk=job.pk, now=NOW)
    with (jobs.folder_of(job) / "rows.csv").open("ab") as file:
        file.write(b"half a line that nobody noted")
    job = work(job)
    assert len(lines(jobs.file_of(job).read_bytes())) == 30


def test_a_change_in_the_middle_starts_anew_so_that_the_file_is_one_moment(
    published: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PART", 7)
    job = start(query="q=危房&sort=amount")
    jobs.work_export(pk=job.pk, now=NOW)
    jobs.work_export(pk=job.pk, now=NOW)
    withdraw_rows(sources=["report/r1/3"], now=NOW)
    publish_rows(rows=[draft(30, heading="石桥镇危房改了", amount=Money(5))], now=NOW)
    job = work(job)
    rows = lines(jobs.file_of(job).read_bytes())
    assert job.begun == 2 and len(rows) == job.total == 29
    assert {row["编号"]: row["标题"] for row in rows}["row30"] == "石桥镇危房改了"
    assert "row3" not in {row["编号"] for row in rows}


def test_a_set_that_never_rests_fails_with_words(
    client: Client, published: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start()
    for turn in range(20):
        publish_rows(rows=[draft(1, heading=f"石桥镇危房{turn}")], now=NOW)
        if not jobs.work_export(pk=job.pk, now=NOW):
            break
        publish_rows(rows=[draft(1, heading=f"石桥镇危房{turn}又")], now=NOW)
    job.refresh_from_db()
    assert job.status == ExportStatus.FAILED and job.begun == jobs.TRIES
    assert "没有做成" in client.get(f"/disclosures/exports/{job.token}/").content.decode()


def test_cancel_deletes_and_a_second_worker_stays_away(
    client: Client,
    published: list[int],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(jobs, "PART", 7)
    job = start()
    jobs.work_export(pk=job.pk, now=NOW)
    assert jobs.folder_of(job).exists()
    assert client.post(f"/disclosures/exports/{job.token}/").status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.work_export(pk=job.pk, now=NOW) is False
    job.refresh_from_db()
    assert job.status == ExportStatus.CANCELLED and not jobs.folder_of(job).exists()
    assert client.post(f"/disclosures/exports/{job.token}/").status_code == 409
    assert [change.to_status for change in ExportStatusChange.objects.order_by("id")] == [
        "making",
        "cancelled",
    ]
    assert client.get(f"/disclosures/exports/{job.token}/file").status_code == 404


def test_old_files_go(published: list[int], django_capture_on_commit_callbacks: Any) -> None:
    job = work(start())
    assert jobs.delete_old_exports(now=NOW + dt.timedelta(days=1)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.delete_old_exports(now=NOW + dt.timedelta(days=3)) == 1
    job.refresh_from_db()
    assert job.status == ExportStatus.EXPIRED and not jobs.folder_of(job).exists()


def test_a_mail_is_sent_once_and_the_address_forgotten(client: Client, published: list[int]) -> None:
    job = work(start(email="reporter@example.org"))
    deliver_due(now=dt.datetime.now(dt.UTC))
    deliver_due(now=dt.datetime.now(dt.UTC))
    assert len(mail.outbox) == 1 and f"/disclosures/exports/{job.token}/" in mail.outbox[0].body
    job.refresh_from_db()
    assert job.email == ""


def test_bad_input_starts_nothing(client: Client, published: list[int]) -> None:
    answer = client.post("/disclosures/export/?q=危房", {"kind": "csv", "email": "not an address"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "not an address" in page and "邮箱地址不对" in page
    assert client.post("/disclosures/export/", {"kind": "pdf"}).status_code == 404
    with pytest.raises(DomainError):
        start(query="colour=red")
    assert ExportJob.objects.count() == 0


def test_the_database_holds_a_finished_job_whole(published: list[int]) -> None:
    job = work(start())
    for change in ({"made": 5}, {"sha256": ""}, {"finished_at": None}, {"made": 31}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExportJob.objects.filter(pk=job.pk).update(**change)


def test_memory_stays_flat(db: None) -> None:
    """Thirty megabytes in the database, written by COPY: Python holds pieces only."""
    (pk,) = publish_rows(rows=[draft(1, text="瓦")], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO publication_publicrow (id, version, amount, heading_id, people, day, month, project, category,"
            " town, view, kind, opinion, band, period, currency, alive, units)"
            " SELECT %s + n, version + n, amount, heading_id, people, day, month, project, category, town, view, kind,"
            " opinion, band, period, currency, alive, units FROM publication_publicrow, generate_series(1, 7000) n"
            " WHERE id = %s",
            [pk, pk],
        )
        cursor.execute(
            "INSERT INTO publication_publicrowtext (row_id, source, batch, public_id, link, heading, text, more,"
            " published_at) SELECT row_id + n, source || n, batch, public_id || n, link, heading,"
            " repeat('瓦', 1500), more, published_at FROM publication_publicrowtext, generate_series(1, 7000) n"
            " WHERE row_id = %s",
            [pk],
        )
    tracemalloc.start()
    size = sum(len(piece) for piece in writing.csv_pieces(SearchRequest()))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 25_000_000 and peak < 5_000_000
