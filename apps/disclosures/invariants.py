"""What must always hold of duties, reports and their public rows (quality.md 6, 8, 10)."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import clock, invariants
from apps.core.invariants import Finding
from apps.disclosures import attachments
from apps.disclosures.goods import MONTH, MOVED
from apps.disclosures.models import Duty, DutyLateness, Report, ReportAttachment, ReportUse
from apps.disclosures.operations.duties import due_of, is_late
from apps.disclosures.states import FINAL
from apps.publication.models import PublicRowText

GRACE = dt.timedelta(days=1)


def duties_are_kept() -> Finding:
    """This will check that every duty has an owner, and that each overdue one has its row and shows at its project."""
    now, broken = clock.now(), []
    duties = list(Duty.objects.select_related("project", "organization"))
    noted = set(DutyLateness.objects.values_list("duty", "due_on"))
    for duty in duties:
        if not duty.organization_id:
            broken.append(f"duty {duty.pk} has no owner")
        if is_late(duty, now - GRACE):
            if (duty.pk, due_of(duty)) not in noted:
                broken.append(f"duty {duty.pk} is overdue and not written down")
            if (duty.project or duty.organization).overdue_since is None:
                broken.append(f"duty {duty.pk} is overdue and its page doesn't say so")
    return Finding(str(len(duties)), broken)


def reports_hash() -> Finding:
    """This will hash every published report's bytes, and every file that belongs to one, and compare with the printed
    value."""
    count, broken = 0, []
    rows = Report.objects.filter(status__in=FINAL).only("public_id", "frozen", "sha256")
    for report in rows.iterator(chunk_size=100):
        count += 1
        if report.frozen is None or hashlib.sha256(bytes(report.frozen)).hexdigest() != report.sha256:
            broken.append(f"report {report.public_id}")
    files = ReportAttachment.objects.filter(report__status__in=FINAL).order_by("sha256")
    for digest in files.values_list("sha256", flat=True).distinct():
        count += 1
        if not attachments.is_whole(digest):
            broken.append(f"file {digest}")
    return Finding(str(count), broken[:20])


def rows_are_the_reports() -> Finding:
    """This will check that public rows of uses and reports are exactly those of published reports."""
    reports = set(Report.objects.filter(status="published").values_list("public_id", flat=True))
    wanted = {f"report/{public_id}" for public_id in reports}
    held = ReportUse.objects.filter(report__status__in=FINAL).select_related("release", "expense", "residual")
    wanted |= {f"use/{(use.release or use.expense or use.residual).public_id}" for use in held}  # type: ignore[union-attr]
    found = set(
        PublicRowText.objects.filter(row__alive=True, source__regex=r"^(report|use)/").values_list(
            "source", flat=True
        )
    )
    broken = [f"missing {each}" for each in sorted(wanted - found)] + [
        f"extra {each}" for each in sorted(found - wanted)
    ]
    return Finding(str(len(found)), broken[:20])


SUMS_DIFFER = f"""
SELECT organization_id, month, category, unit, kind FROM (
  SELECT organization_id, month, category, unit, kind, from_kind, to_kind, quantity, value FROM disclosures_goodssum
  UNION ALL
  SELECT w.organization_id, {MONTH}, l.category, l.unit_id, m.kind,
         a.kind, b.kind, -m.quantity, -m.value
  {MOVED}
  WHERE m.kind <> 'store' AND m.id <= (SELECT last FROM disclosures_goodsfold)
) x GROUP BY 1, 2, 3, 4, 5, from_kind, to_kind HAVING sum(quantity) <> 0 OR sum(value) <> 0 LIMIT 20
"""  # noqa: S608  (constants only)


def goods_sums_are_the_movements() -> Finding:
    """This will compare the monthly sums of goods with the movements that were folded into them."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS_DIFFER)
        broken = [f"organization {row[0]}, {row[1]}: {row[2]} {row[3]} {row[4]}" for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM disclosures_goodssum")
        return Finding(str(cursor.fetchone()[0]), broken)


def register_all() -> None:
    """This will register the invariants of disclosures with core."""
    invariants.register(6, "disclosures.rows", _("公开记录就是已公布报告的记录"), rows_are_the_reports)
    invariants.register(
        8, "disclosures.duties", _("报告义务都有责任机构，逾期的都有公开记录"), duties_are_kept
    )
    invariants.register(
        5, "disclosures.goods", _("物资的月度合计就是出入库记录的合计"), goods_sums_are_the_movements
    )
    invariants.register(10, "disclosures.hashes", _("已公布报告的字节和印出的哈希一致"), reports_hash)
