"""Fifty students' grants: verified and approved many at once, each judged alone, paid by one bank file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from apps.casework.operations import add_attachment
from apps.core import clock
from apps.disbursements import operations
from apps.disbursements.bank_files import LAYOUTS
from apps.disbursements.models import Batch, Disbursement
from apps.disbursements.states import Layout
from apps.funds import operations as funds
from apps.places.models import Town
from apps.publication.models import Release
from charity_site.demonstration import facts, story
from tests.journeys.conftest import Person
from tests.journeys.test_illness import publish_table
from tests.journeys.test_one_yuan import check, work

FIFTY = 50


def test_a_batch_of_fifty(city: Any, someone: Callable[..., Person], tmp_path: Any) -> None:
    plan = next(each for each in facts.PLANS if each.slug == "autumn-tuition")
    project = story.make_project(city, plan)
    project = funds.start_raising(actor=city.staff["officer1"], project=project, now=clock.now())
    publish_table(city, "education")
    story.give(city, project, 120, [0], lambda: None)
    line = project.budget_lines.get(is_aid_line=True)
    town = Town.objects.get(code="shiqiao")
    worker = city.staff["caseworker1.shiqiao"]
    for n in range(FIFTY):
        family = story.register_family(city, town, clock.now())
        head = family.members.get()
        head.schooling = "junior_high"
        head.save(update_fields=["schooling"])
        proof = add_attachment(actor=worker, household=family, kind="enrolment_proof", now=clock.now(),
                               content=b"%PDF-1.4\n%" + str(n).encode() + b"\n%%EOF\n")  # fmt: skip
        operations.apply_by_rule(
            actor=worker, project=project, household=family, budget_line=line, facts={}, member=head,
            starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 9, 1), attachments=[proof.pk], purpose="学费",
            need="在读证明已核。", now=clock.now(),
        )  # fmt: skip
    for name, step in (("reviewer1.shiqiao", "verify"), ("manager1", "approve")):
        page = someone(name).go(f"/workbench/?step={step}")
        for box in page.locator("input[name=number]").all():
            box.check(force=True)
        page.click("summary:has-text('一起办选中的')")
        page.fill("input[name=answer-first]", "在读证明和账户都核对过。")
        page.click("button:has-text('选中的') >> nth=-1")
        assert "50件已办" in page.inner_text("body"), page.inner_text("body")[:600]
    cashier = someone("cashier1")
    page = cashier.go("/workbench/batches/")
    page.select_option("select[name=layout]", "payroll")
    page.click("button:has-text('改')")
    page.click("button:has-text('放行选中的')")
    batch = Batch.objects.get()
    assert (batch.lines.count(), batch.total, batch.layout) == (FIFTY, FIFTY * 1_000_00, "payroll")
    answers = [",".join(LAYOUTS[Layout.PAYROLL].back)]
    answers += [f"{n},1000.00,交易成功,,{batch.number}" for n in range(FIFTY, 0, -1)]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("\n".join([*answers[:-1], f"1,1000.01,交易成功,,{batch.number}", answers[5]]))
    page.set_input_files("input[type=file]", str(wrong))
    page.click("button:has-text('导入')")
    assert "第51行：行号1应为¥1,000.00" in cashier.text() and "已在第6行出现过" in cashier.text(), (
        cashier.text()
    )
    assert not Disbursement.objects.filter(status="paid").exists(), "nothing of a wrong file is recorded"
    right = tmp_path / "right.csv"
    right.write_text("\n".join(answers))
    page.set_input_files("input[type=file]", str(right))
    page.click("button:has-text('导入')")
    assert Disbursement.objects.filter(status="paid").count() == FIFTY
    work()
    assert Release.objects.get().households == FIFTY
    check()
