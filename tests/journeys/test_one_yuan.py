"""One yuan's whole way in a real browser: published, given, paid out by four people, traced."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from apps.accounts.models import Account
from apps.core import clock
from apps.core.invariants import ordered
from apps.core.models import OutboxDelivery
from apps.disclosures.models import Report
from apps.disclosures.tasks import keep_duties
from apps.donations.models import Gift
from apps.funds import operations as funds
from apps.ledger.models import Entry
from apps.ledger.queries import figures
from apps.publication.models import Release
from apps.publication.releases import release_due
from charity_site.demonstration import clockwork, facts, story
from tests.journeys.conftest import Person


def work() -> None:
    """What worker and beat do."""
    OutboxDelivery.objects.filter(done_at=None).update(due_at=clock.now())
    clockwork.work(clock.now() + dt.timedelta(seconds=1))
    release_due(now=clock.now())


def check() -> None:
    keep_duties()  # the clock's minute
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


def raising_project(city: Any) -> Any:
    project = story.make_project(city, facts.PLANS[0])
    return funds.start_raising(actor=city.staff["officer1"], project=project, now=clock.now())


def publish_story(editor: Person, project: Any, title: str, answer: str) -> None:
    from wagtail.models import Page

    parent = Page.objects.get(depth=2).pk
    page = editor.go(f"/cms/pages/add/cms/projectstory/{parent}/")
    page.select_option("select[name=project]", str(project.pk))
    page.fill("input[name=title], textarea[name=title]", title)
    page.press("input[name=title], textarea[name=title]", "Tab")
    expect(page.locator("input[name=slug]")).not_to_have_value("")
    page.click("footer button[data-w-dropdown-target=toggle]")
    page.click("button[name='action-publish']")
    page.wait_for_selector(f"text={answer}")
    if answer == "没有公布":
        assert page.input_value("input[name=title], textarea[name=title]") == title, "nothing typed is lost"


def test_one_yuan(city: Any, someone: Callable[..., Person]) -> None:
    project = raising_project(city)

    editor = someone("editor")
    publish_story(editor, project, "一位编辑写的故事 13800001234", "没有公布")
    assert not _live_stories(), "a phone number must hold the page back"
    publish_story(editor, project, "孩子的药", "已创建并发布")
    assert _live_stories() == ["孩子的药"]

    donor = someone(width=360)
    page = donor.go(f"/projects/{project.slug}/")
    expect(page.locator("h1")).to_have_text(project.name)
    assert "孩子的药" in donor.text()
    page.click("text=去捐赠 >> nth=0")
    assert "冷静器" in donor.text()
    page.check("input[name=preset][value='20000']", force=True)
    page.fill("input[name=email]", "donor@example.org")
    page.click("main form button.primary")
    assert "测试收银台" in donor.text()
    page.click("summary")
    page.click("button[value=disorder]")
    assert "等支付机构确认" in donor.text()
    gift_url = page.url.removeprefix(donor.url)
    work()
    donor.go(gift_url)
    assert "您的¥200.00，去了这里" in donor.text()
    gift = Gift.objects.get()
    assert Entry.objects.filter(kind="gift").count() == 1
    page.click("text=打开票据，可打印")
    assert gift.receipt.number in donor.text() and "人民币贰佰元整" in donor.text()

    four_steps(city, someone, project)
    donor.go(gift_url)
    held = donor.text()
    assert "已使用，0笔" in held and "¥198.80" in held, "one family alone is never shown"

    help_four_more(city, project)
    donor.go(gift_url)
    shown = donor.text()
    month = clock.civil_day(clock.now())
    assert "大病救助" in shown and "石桥镇" in shown and f"{month.year}年{month.month}月" in shown
    assert Release.objects.get().households == 5
    donor.go(f"/projects/{project.slug}/")
    assert f"¥{figures([gift.earmark_id or 0]).raised / 100:,.2f}" in donor.text()

    link = report(city, someone, project)
    donor.go(gift_url)
    assert page.locator(f"a[href='{link}']").count() == 1, "the use links to the report that covers it"
    search(someone(width=360), link, figures([gift.earmark_id or 0]).spent)
    check()


def report(city: Any, someone: Callable[..., Person], project: Any) -> str:
    """An officer changes a figure and is stopped until it is explained; the drawn auditor qualifies it."""
    keep_duties()  # the clock's minute
    officer = someone("officer1")
    page = officer.go("/workbench/reports/")
    option = page.locator(f"select[name=duty] option:has-text('{project.name}'):has-text('实施进展')").first
    page.select_option("select[name=duty]", option.get_attribute("value"))
    page.click("main form button:has-text('起草')")
    page.fill("textarea[name=narrative]", "向石桥镇五户家庭发放大病救助金，均由两名社工入户核实。")
    row = page.locator("tr:has-text('发给家庭的救助金')").first
    reported = row.locator("input[name$=-reported]")
    was = reported.input_value()
    reported.fill("1.00")
    page.click("button[value=submit]")
    assert "第1期" in page.inner_text("main") and Report.objects.get().status == "draft"
    row = page.locator("tr:has-text('发给家庭的救助金')").first
    assert row.locator("input[name$=-reported]").input_value() == "1.00", "nothing typed is lost"
    row.locator("input[name$=-reported]").fill(was[:-1] + str((int(was[-1]) + 1) % 10))
    row.locator("[name$=-explanation]").fill("一户的尾数计入下一期。")
    page.click("button[value=submit]")
    assert Report.objects.get().status == "submitted", page.inner_text("main")
    work()
    found = Report.objects.get()
    drawn = Account.objects.get(person=found.audits.get().auditor_id).email.partition("@")[0]
    assert drawn in ("auditor1", "auditor2")

    auditor = someone(drawn)
    page = auditor.go(f"/workbench/reports/{found.public_id}/audit/")
    page.click("button[value=accept]")
    choose(page, "finding-severity", "material")
    page.fill("[name=finding-title]", "尾数差异")
    page.fill("[name=finding-text]", "一户的尾数应计入本期。")
    page.click("button[value=finding]")
    choose(page, "opinion-opinion", "qualified")
    page.fill("[name=opinion-text]", "除“尾数差异”一项外，本报告公允反映了收支。")
    page.click("button[value=opinion]")
    assert Report.objects.get().status == "audited", page.inner_text("main")

    manager = someone("manager1")
    page = manager.go(f"/workbench/reports/{found.public_id}/")
    page.click("button[value=publish]")
    assert Report.objects.get().status == "published", page.inner_text("main")
    work()
    return f"/disclosures/{found.public_id}/"


def choose(page: Any, name: str, value: str) -> None:
    """Picks a value of a select or of radio buttons."""
    if page.locator(f"select[name={name}]").count():
        page.select_option(f"select[name={name}]", value)
    else:
        page.check(f"input[name={name}][value={value}]", force=True)


def search(visitor: Person, link: str, spent: int) -> None:
    """By a Chinese phrase, by facet, by amount; the sum equals the ledger's."""
    yuan = f"¥{spent / 100:,.2f}"
    for query in (
        "?q=大病救助",
        "?q=%22石桥镇%22&category=illness",
        f"?amount_min={spent // 100}&amount_max={spent // 100 + 1}",
    ):
        page = visitor.go("/disclosures/" + query)
        assert yuan in visitor.text().replace("\n", ""), query
        assert page.locator(f"a[href='{link}']").count() >= 1, query
    page = visitor.go(link)
    assert "保留" in visitor.text() and "尾数差异" in visitor.text()
    answer = page.request.get(f"{visitor.url}/api/v1/uses?q=大病救助").json()
    assert answer["count"] == 1 and answer["totals"] == [{"amount": spent, "currency": "CNY"}]
    frozen = page.request.get(f"{visitor.url}{link}original.json").body()
    assert hashlib.sha256(frozen).hexdigest() in visitor.text()


def _live_stories() -> list[str]:
    from cms.models import ProjectStory

    return list(ProjectStory.objects.live().values_list("title", flat=True))


def four_steps(city: Any, someone: Callable[..., Person], project: Any) -> None:
    """A caseworker applies, a reviewer verifies, a manager approves, a cashier pays, each as themselves."""
    caseworker = someone("caseworker1.shiqiao")
    page = caseworker.go("/workbench/households/new/")
    page.select_option("select[name=town]", "shiqiao")
    private = {
        "name": "户主一", "id_number": story.demo_id_number(901), "phone": "13900000901",
        "address": "石桥镇某路1号", "bank_name": "演示银行", "bank_account": "6200000000000901",
    }  # fmt: skip
    for name, value in private.items():
        page.fill(f"input[name={name}]", value)
    page.check("input[name=consent]")
    page.click("main form button.primary")
    page.click("text=为这户申请救助金")
    page.select_option("select[name=project]", project.slug)
    page.fill("input[name=amount]", "１５０．００")
    page.fill("input[name=purpose]", "自费药")
    page.fill("textarea[name=need]", "两次入户核实。")
    page.click("main form button.primary")
    number = re.search(r"A-\d{4}-[0-9a-f]{6}", page.url)
    assert number, caseworker.text()
    address = f"/workbench/disbursements/{number.group()}/"

    reviewer = someone("reviewer1.shiqiao")
    page = reviewer.go(address)
    page.fill("textarea[name=reason]", "材料齐全")
    page.click("button[value=verify]")
    assert "风险提示没有答复" in page.inner_text("body")
    assert page.input_value("textarea[name=reason]") == "材料齐全", "nothing typed is lost"
    answer_risks(page)
    page.click("button[value=verify]")
    assert "已审核" in page.inner_text("main")
    assert page.locator("button[value=approve]").count() == 0
    assert "您已经办过其中一步" in page.inner_text("main")

    manager = someone("manager1")
    page = manager.go(address)
    answer_risks(page)
    page.click("button[value=approve]")
    assert "已批准" in page.inner_text("main")

    cashier = someone("cashier1")
    page = cashier.go("/workbench/batches/")
    page.click("button:has-text('放行选中的')")
    page.click("button[value=paid]")
    assert "已付" in page.inner_text("main")
    work()
    page = caseworker.go(address)
    page.fill("input[name=code]", last_code()[1])
    page.click("button[value=code]")
    assert "已确认" in page.inner_text("main")
    work()


def answer_risks(page: Any) -> None:
    """An officer writes what was found out about each risk."""
    for box in page.locator("input[name^=flag-]").all():
        box.fill("已电话核实，是户主本人。")


def last_code() -> tuple[str, str]:
    """The link and the digits of the newest text message to a family."""
    from django.conf import settings

    lines = (Path(settings.DATA_DIR) / "sms" / "messages.jsonl").read_text().splitlines()
    text = json.loads(lines[-1])["text"]
    found = re.search(r"(/confirm/[\w-]+/).*?填数字(\d{6})", text)
    assert found, text
    return found.group(1), found.group(2)


def help_four_more(city: Any, project: Any) -> None:
    """Four other families of the same town and month, helped by operations, so that the release appears (C4)."""
    plan = facts.PLANS[0]
    story.give(city, project, 60, [0], lambda: None)
    line = project.budget_lines.get(is_aid_line=True)
    town = next(town for town in city.towns if town.code == "shiqiao")
    now = clock.now()
    items = [
        story._aid(city, project, line, story.register_family(city, town, now), plan, now) for _ in range(4)
    ]
    story.pay(city, [item for item in items if story._approve(city, item, now)], now)
    work()


def test_same_person_is_refused_with_words(city: Any, someone: Callable[..., Person]) -> None:
    """Somebody with two roles can't do two steps: the button is gone, and a forged post is refused."""
    from apps.accounts.models import Account
    from apps.accounts.operations import ask_grant, confirm_grant

    project = raising_project(city)
    story.give(city, project, 20, [0], lambda: None)
    town = city.towns[0]
    account = Account.objects.get(email__startswith="caseworker1.shiqiao")
    grant = ask_grant(actor=city.staff["admin1"], person=account.person, role="town_reviewer", scope_id=town.pk,
                      now=clock.now())  # fmt: skip
    confirm_grant(actor=city.staff["admin2"], grant=grant, now=clock.now())
    now = clock.now()
    line = project.budget_lines.get(is_aid_line=True)
    item = story._aid(city, project, line, story.register_family(city, town, now), facts.PLANS[0], now)
    person = someone("caseworker1.shiqiao")
    page = person.go(f"/workbench/disbursements/{item.number}/")
    assert page.locator("button[value=verify]").count() == 0
    token = person.context.cookies()
    csrf = next(c["value"] for c in token if c["name"] == "csrftoken")
    page.request.post(
        f"{person.url}/workbench/disbursements/{item.number}/",
        form={"act": "verify", "reason": "x", "csrfmiddlewaretoken": csrf}, headers={"Referer": person.url},
    )  # fmt: skip
    person.go(f"/workbench/disbursements/{item.number}/")
    assert "必须是四个不同的人" in person.text()
    item.refresh_from_db()
    assert item.status == "applied"
