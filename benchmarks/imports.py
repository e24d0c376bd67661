"""Importing offline gifts with validation, staging, ledger entries and sums, against django-import-export's defaults.

Each import is a process of its own (`manage.py import_gifts`), so that its peak memory is its own. The baseline is a
plain ModelResource that saves the same gifts and posts each to the ledger, without identity, total or checks of period:
less work than ours. "Gifts only" doesn't even post them. It is measured on a tenth of the rows and multiplied, which
flatters it: its cost grows faster than its rows.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import xlsxwriter

ROOT = Path(__file__).resolve().parent.parent
ROWS = 100_000
BASELINE_ROWS = 10_000
MILLION = 1_000_000
AIM, MEMORY = 20, 150
HEAD = ("日期", "捐赠人", "金额", "备注", "流水号")
CHILD = """
import resource, sys, time
import django
django.setup()
from django.core.management import call_command
began = time.perf_counter()
{body}
print("RESULT", time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
OURS = "call_command('import_gifts', {path!r}, '--project', {project!r}, '--source', {source!r})"
THEIRS = """
from benchmarks.imports import baseline
baseline({path!r}, {project!r}, post={post})
"""


def rows(count: int, seed: int) -> Any:
    """This will make a list's rows: a third with a reference, names that repeat, amounts from one fen on."""
    chance, day = random.Random(seed), dt.date.today()
    for n in range(count):
        yield (
            (day - dt.timedelta(days=n % 28)).isoformat(),
            f"捐赠人{chance.randrange(count)}",
            f"{chance.randrange(1, 2_000_000) / 100:.2f}",
            "抗洪" if n % 5 else "",
            f"T{seed}{n:08d}" if n % 3 == 0 else "",
        )


def write_csv(path: Path, count: int, seed: int) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows(rows(count, seed))


def write_xlsx(path: Path, count: int, seed: int) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    for y, row in enumerate([HEAD, *rows(count, seed)]):
        for x, cell in enumerate(row):
            if x == 2 and y:
                sheet.write_number(y, x, float(cell))
            else:
                sheet.write_string(y, x, cell)
    book.close()


def baseline(path: str, slug: str, *, post: bool) -> None:
    """This will import gifts as django-import-export does it by default: a Dataset, one save a row."""
    import tablib
    from import_export import resources

    from apps.core.actors import system
    from apps.core.ids import new_token
    from apps.donations.models import Gift, GiftList
    from apps.funds.models import Project
    from apps.funds.queries import project_earmarks
    from apps.ledger.operations import Credit, post_credit
    from apps.ledger.states import AccountRole

    project = Project.objects.select_related("fund").get(slug=slug)
    listed = GiftList.objects.create(source="x", file_name="x", sha256="x", rows=0, added=0, total=0, currency="CNY",
                                     imported_at=dt.datetime.now(dt.UTC), imported_by="bench")  # fmt: skip
    mark = project_earmarks([project.pk])[project.pk]

    class GiftResource(resources.ModelResource):  # type: ignore[misc]
        class Meta:
            model = Gift
            fields = ("id", "payer", "amount", "note", "received_at", "offline_key")

        def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
            instance.fund, instance.project, instance.earmark_id = project.fund, project, mark
            instance.source, instance.status, instance.gift_list = "offline", "received", listed
            instance.currency, instance.channel, instance.opened_at = "CNY", "bank", listed.imported_at
            instance.token = new_token()

        def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
            if post:
                post_credit(
                    actor=system("bench"),
                    credit=Credit(
                        f"bench:{instance.pk}",
                        mark,
                        instance.amount,
                        instance.received_at,
                        instance.pk,
                        "bank",
                        AccountRole.BANK,
                    ),
                )

    data = tablib.Dataset(headers=["id", "payer", "amount", "note", "received_at", "offline_key"])
    with open(path, encoding="utf-8-sig", newline="") as file:
        for n, row in enumerate(csv.DictReader(file)):
            data.append(
                [
                    "",
                    row["捐赠人"],
                    round(float(row["金额"]) * 100),
                    row["备注"],
                    row["日期"] + " 00:00:00",
                    f"{Path(path).stem}-{n}",
                ]
            )
    GiftResource().import_data(data, raise_errors=True)


def _child(body: str, url: str, owner: str) -> tuple[float, float]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url,
                   "MIGRATION_DATABASE_URL": owner, "PYTHONPATH": str(ROOT), "MODE": "demonstration"}  # fmt: skip
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", CHILD.format(body=body)], cwd=ROOT, env=environment,
                          capture_output=True, text=True)  # fmt: skip
    found = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    if not found:
        raise RuntimeError(done.stdout[-500:] + done.stderr[-2000:])
    _word, seconds, memory = found[0].split()
    return float(seconds), float(memory)


def run(server: Any, folder: Path, *, million: bool = True) -> dict[str, Any]:
    """This will import 100,000 gifts from CSV and XLSX, a million from CSV, and a tenth by the baseline."""
    from django.db import connections

    from tests import world as w

    begun = dt.datetime.now(w.SHANGHAI) - dt.timedelta(days=31)
    project = w.build(now=begun, target=10**13).project  # raising on every day that a list has

    connections.close_all()
    url, owner = server.url("bench_imports"), server.url("bench_imports", "charity_owner")
    figures: dict[str, Any] = {"idle": (0, *_child("", url, owner))}
    plan = [("CSV", "csv", ROWS, write_csv), ("XLSX", "xlsx", ROWS, write_xlsx)]
    if million:
        plan.append(("CSV, a million", "csv", MILLION, write_csv))
    for n, (label, ending, count, write) in enumerate(plan, start=1):
        path = folder / f"list{n}.{ending}"
        write(path, count, n)
        figures[label] = (
            count,
            *_child(OURS.format(path=str(path), project=project.slug, source=f"s{n}"), url, owner),
        )
        path.unlink()
        print(label, figures[label], time.strftime("%H:%M:%S"), flush=True)
    for n, (label, post) in enumerate((("baseline", True), ("gifts only", False)), start=8):
        path = folder / f"baseline{n}.csv"
        write_csv(path, BASELINE_ROWS, n)
        body = THEIRS.format(path=str(path), project=project.slug, post=post)
        figures[label] = (BASELINE_ROWS, *_child(body, url, owner))
    return figures


def table(figures: dict[str, Any]) -> str:
    """This will write the figures as a table."""
    slow = {label: figures[label][1] * ROWS / figures[label][0] for label in ("baseline", "gifts only")}
    lines = ["import of offline gifts: validated, staged, posted to the ledger, in one transaction"]
    for label, words in (("baseline", "each posted to the ledger"), ("gifts only", "no ledger")):
        count, seconds, memory = figures[label]
        lines.append(
            f"django-import-export's defaults, {words}: {count:,} rows {seconds:.1f} s = {slow[label]:.0f} s for"
            f" {ROWS:,}; peak {memory:.0f} MB at {count:,}"
        )
    for label, (count, took, peak) in figures.items():
        if label not in slow and label != "idle":
            ratio, bare = (slow[name] * count / ROWS / took for name in ("baseline", "gifts only"))
            lines.append(
                f"{label}: {count:,} rows {took:.1f} s, peak {peak:.0f} MB, {peak - figures['idle'][2]:.0f} MB for the"
                f" list (aim <= {MEMORY}); {ratio:.0f} times faster (aim >= {AIM}; {bare:.0f} than no ledger)"
            )
    return "\n".join(lines)
