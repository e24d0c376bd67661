"""A report's life in a browser: late in public, written, returned, resubmitted, qualified, published, found, corrected,
both versions linked."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from apps.core import clock
from apps.core.invariants import ordered
from apps.core.models import OutboxDelivery
from apps.disclosures.models import Audit, DutyLateness, Report
from apps.disclosures.tasks import keep_duties
from apps.funds import operations as funds
from apps.funds.models import Project
from charity_site.demonstration import clockwork, facts
from charity_site.demonstration.story import make_project
from tests.journeys.conftest import Person

SAID = "本期完成了前期走访和名单核对，款项尚未支付，下一期开始发放。"


def work() -> None:
    """What worker and beat do."""
    OutboxDelivery.objects.filter(done_at=None).update(due_at=clock.now())
    clockwork.work(clock.now() + dt.timedelta(seconds=1))


def late_project(city: Any) -> Project:
    """A project whose work began four months ago and whose first progress report nobody wrote."""
    plan = dataclasses.replace(facts.PLANS[0], slug="quiet", start=-6, months=12)
    project = make_project(city, plan)
    officer, now = city.staff["officer1"], clock.now()
    project = funds.start_raising(actor=officer, project=project, now=now - dt.timedelta(days=150))
    project = funds.close_raising(actor=officer, project=project, now=now - dt.timedelta(days=130))
    project = funds.start_executing(actor=officer, project=project, now=now - dt.timedelta(days=120))
    work()
    keep_duties()
    work()
    return project


def audit(someone: Callable[..., Person], report: Report, *, qualified: bool, back: str = "") -> None:
    """The drawn auditor accepts, and returns the report or signs."""
    work()
    drawn = Audit.objects.get(report=report, declined_at=None)
    name = drawn.auditor.accounts.get().email.split("@")[0]
    auditor = someone(name)
    page = auditor.go(f"/workbench/reports/{report.public_id}/audit/")
    page.click("button[value=accept]")
    if back:
        page.fill("#back", back)
        page.click("button[value=return]")
        return
    if qualified:
        page.select_option("[name=finding-severity]", "material")
        page.fill("[name=finding-title]", "走访记录")
        page.fill("[name=finding-text]", "三户的走访记录没有签名。")
        page.click("button[value=finding]")
    page.check(f"[name=opinion-opinion][value={'qualified' if qualified else 'unqualified'}]", force=True)
    page.fill("[name=opinion-text]", "除所述事项外，本报告公允反映了收入、支出和结余。")
    page.click("button[value=opinion]")
    report.refresh_from_db()
    assert report.status == "audited"


def test_a_reports_life(city: Any, someone: Callable[..., Person]) -> None:
    project = late_project(city)
    visitor, phone = someone(), someone(width=360)
    page = visitor.go("/duties/?state=late")
    assert "实施进展报告" in visitor.text() and "已逾期" in visitor.text()
    phone.go("/duties/?state=late")
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "第七十九条" in visitor.go("/duties/kinds/").inner_text("main")
    assert "逾期" in visitor.go(f"/projects/{project.slug}/").inner_text("main")

    officer = someone("officer1")
    page = officer.go("/workbench/reports/?state=late")
    option = page.locator("select[name=duty] option", has_text="实施进展报告").first.get_attribute("value")
    page.select_option("select[name=duty]", option or "")
    page.fill("[name=until]", (clock.now().date() - dt.timedelta(days=1)).isoformat())
    page.locator("form", has=page.locator("select[name=duty]")).locator("button").click()
    report = Report.objects.get()
    page.fill("[name=narrative]", SAID)
    with page.expect_response(lambda answer: "json" in answer.headers.get("content-type", "")):
        page.fill("[name=narrative]", SAID + "社工")
    assert Report.objects.get().narrative == SAID + "社工", "kept while it is written"
    page.click("button[value=submit]")
    assert "已提交" in officer.text()

    audit(someone, report, qualified=False, back="请写明走访了多少户。")
    page = officer.go(f"/workbench/reports/{report.public_id}/")
    assert "请写明走访了多少户。" in officer.text()
    page.fill("[name=narrative]", SAID + "共走访12户。")
    page.click("button[value=submit]")
    audit(someone, report, qualified=True)
    manager = someone("manager1")
    manager.go(f"/workbench/reports/{report.public_id}/").click("button[value=publish]")
    report.refresh_from_db()
    assert report.status == "published"

    page = visitor.go("/disclosures/?view=reports&q=%E8%B5%B0%E8%AE%BF&opinion=qualified")
    page.click(f"main a[href*='/disclosures/{report.public_id}/']")
    for text in ("保留意见", "三户的走访记录没有签名。", "共走访12户。", report.sha256, "逾期"):
        assert text in visitor.text()
    assert DutyLateness.objects.filter(duty=report.duty).count() == 1, "published, and late for ever"

    page = officer.go(f"/workbench/reports/{report.public_id}/")
    page.fill("#cwhy", "走访户数写错，实为13户。")
    page.click("button[value=correct]")
    page.fill("[name=narrative]", SAID + "共走访13户。")
    page.click("button[value=submit]")
    made = Report.objects.get(corrects=report)
    audit(someone, made, qualified=False)
    manager.go(f"/workbench/reports/{made.public_id}/").click("button[value=publish]")

    page = visitor.go(f"/disclosures/{report.public_id}/")
    assert "共走访12户。" in visitor.text(), "the original stays at its address"
    page.click(f"main a[href*='/disclosures/{made.public_id}/'] >> nth=0")
    for text in ("共走访13户。", "共走访12户。", "走访户数写错，实为13户。"):
        assert text in visitor.text()
    assert page.locator(f"main a[href*='/disclosures/{report.public_id}/']").count() > 0
    found = visitor.go("/disclosures/?view=reports&q=%E8%B5%B0%E8%AE%BF").inner_text("main")
    assert "（更正）" in found and "1条记录" in found
    work()
    for one in ordered():
        assert not one.check().broken, one.name
