"""What the centres' work looks like besides the monthly aid: tables in force, a case by its table, one payment the bank
sent back, an instalment, money asked back, a list of another department, one person in two files, a story's consent."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from apps.casework import operations as casework
from apps.casework.models import Household, Purpose, RegistryList
from apps.core.clock import civil_day
from apps.disbursements import operations as disbursements
from apps.disbursements.models import Disbursement
from apps.disbursements.standard_tables import STANDARD
from apps.disbursements.states import Status, UndoKind
from apps.funds.models import Project
from apps.funds.queries import project_earmarks
from apps.ledger.queries import figures
from apps.publication.overrides import ask_override
from charity_site.demonstration.clockwork import work
from charity_site.demonstration.story import ANSWERS, City, demo_id_number, give, register_family

NEED = "两名社工入户核实，材料齐全。"


def work_with_families(city: City, projects: dict[str, Project]) -> None:
    """This will let the centres' tables take effect this month and a few cases happen under them, minutes ago."""
    now = city.now - dt.timedelta(hours=2)
    _publish_tables(city, now)
    _illness(city, projects["child-illness"], now)
    _housing(city, projects["shiqiao-homes"], now)
    _claw_back(city, now)
    _override(city, now)
    _registry(city, now)
    _twice_registered(city, now)
    _story_and_erasure(city, now)
    work(now)


def _publish_tables(city: City, now: dt.datetime) -> None:
    first = civil_day(now).replace(day=1)
    for kind, table in STANDARD.items():
        drafted = disbursements.draft_rule(
            actor=city.staff["officer1"], organization=city.federation, kind=kind, table=table, effective_from=first,
            note="第一版，金额按市里公布的标准。", now=now,
        )  # fmt: skip
        disbursements.publish_rule(actor=city.staff["manager1"], version=drafted, now=now)


def _illness(city: City, project: Project, now: dt.datetime) -> None:
    """One case paid by its table, one that the bank sent back and that waits for its family's right account."""
    _raise(city, project, 9_000_00)
    items = []
    for total, insured in ((61_000_00, 43_000_00), (48_000_00, 39_500_00)):
        family = register_family(city, city.towns[1], now)
        items.append(
            _by_rule(city, project, family, {"total": total, "insured": insured, "other_aid": 0},
                     ("diagnosis", "hospital_bill", "insurance_settlement"), "自费药与陪护", now)
        )  # fmt: skip
    _answered(city, items, [True, False], "账号与户名不符", now)


def _housing(city: City, project: Project, now: dt.datetime) -> None:
    """The first of three instalments is paid; the next one can be applied for with its photos."""
    _raise(city, project, 3_000_00)
    family = register_family(city, city.towns[0], now)
    facts = {"grade": "c", "repair_cost": 12_000_00}
    item = _by_rule(city, project, family, facts, ("house_appraisal", "photo_before"), "修缮屋面", now)
    _answered(city, [item], [True], "", now)


def _raise(city: City, project: Project, fen: int) -> None:
    """Gifts of this month, until the project can pay the cases to come: the story has spent what it had."""
    marks = project_earmarks([project.pk]).values()
    while figures(marks).available < fen:
        give(city, project, 8, [0], lambda: None)


def _by_rule(
    city: City, project: Project, family: Household, facts: dict[str, Any], papers: Sequence[str], purpose: str,
    now: dt.datetime,
) -> Disbursement:  # fmt: skip
    caseworker = city.staff[f"caseworker1.{family.town.code}"]
    kept = [
        casework.add_attachment(actor=caseworker, household=family, kind=kind, content=_paper(city), member=None,
                                now=now).pk
        for kind in papers
    ]  # fmt: skip
    day = civil_day(now)
    return disbursements.apply_by_rule(
        actor=caseworker, project=project, household=family, budget_line=project.budget_lines.get(is_aid_line=True),
        facts=facts, member=None, starts_on=day - dt.timedelta(days=60), ends_on=day, attachments=kept,
        purpose=purpose, need=NEED, now=now,
    )  # fmt: skip


def _paper(city: City) -> bytes:
    """A picture that looks like nothing, and like no other."""
    out = io.BytesIO()
    Image.new("RGB", (320, 240), tuple(city.rng.randrange(160, 250) for _ in range(3))).save(out, "PNG")
    return out.getvalue()


def _answered(city: City, items: list[Disbursement], paid: list[bool], note: str, now: dt.datetime) -> None:
    for item in items:
        assert item.town is not None
        disbursements.verify_disbursement(
            actor=city.staff[f"reviewer1.{item.town.code}"], disbursement=item, note="材料齐全，无重复。",
            answers=ANSWERS, now=now,
        )  # fmt: skip
        disbursements.approve_disbursement(
            actor=city.staff["manager1"], disbursement=item, answers=ANSWERS, now=now
        )
    batch = disbursements.release_batch(
        actor=city.staff["cashier1"], organization=city.federation, disbursement_ids=[item.pk for item in items],
        now=now,
    )  # fmt: skip
    disbursements.record_results(
        actor=city.staff["cashier1"], batch=batch, effective_at=now, now=now,
        outcomes=[
            disbursements.LineOutcome(line.n, line.amount, good, "" if good else note)
            for line, good in zip(batch.lines.order_by("n"), paid, strict=True)
        ],
    )  # fmt: skip


def _claw_back(city: City, now: dt.datetime) -> None:
    """A part of one payment came back and is booked; of another one cashier asks for a part, and the other has still to
    look at it."""
    paid = Disbursement.objects.filter(kind="aid", status=Status.CONFIRMED, application=None).order_by("id")
    asked = [
        disbursements.ask_undo(
            actor=city.staff["cashier1"], disbursement=item, kind=UndoKind.CLAW_BACK, amount=item.amount // 4, now=now,
            reason="医保后来又报销了一部分，家庭同意退回。",
        )
        for item in paid[2:4]
    ]  # fmt: skip
    disbursements.agree_undo(actor=city.staff["cashier2"], undo=asked[0], effective_at=now, now=now)


def _override(city: City, now: dt.datetime) -> None:
    """A text that was stopped for an address waits for the second person who may let it through (C5)."""
    ask_override(
        actor=city.staff["officer1"], text="义诊和政策咨询在澜江市博爱路16号，每周三上午，欢迎来问。",
        reason="这是总会自己的办公地址，不是哪一家的住址。", now=now,
    )  # fmt: skip


def _registry(city: City, now: dt.datetime) -> None:
    """A list with five of the families and twelve people whom nobody here knows, and two lines that can't be used."""
    numbers = [demo_id_number(n) for n in (2, 5, 9, 14, 20, *range(900, 912))] + ["440799", ""]
    day = civil_day(now)
    rows = [f"{n},{number},{day.replace(day=1)},{day.replace(year=day.year + 1, day=1)}"
            for n, number in enumerate(numbers, start=1)]  # fmt: skip
    item = casework.upload_registry_list(
        actor=city.staff["cityreviewer1"], kind=RegistryList.Kind.LOW_INCOME, source="澜江市民政局（演示）",
        as_of=day, content="\r\n".join(["序号,公民身份号码,审批日期,有效期至", *rows]).encode("utf-8-sig"),
        file_name="低收入家庭名单.csv", now=now,
    )  # fmt: skip
    item = casework.read_registry_list(pk=item.pk, now=now)
    casework.confirm_registry_list(actor=city.staff["cityreviewer1"], item=item, now=now)
    casework.apply_registry_list(pk=item.pk, now=now)


def _twice_registered(city: City, now: dt.datetime) -> None:
    """Somebody who has a file in one town registers in another: both towns learn of it (C3)."""
    first = Household.objects.order_by("id")[0]
    other = next(town for town in city.towns if town.pk != first.town_id)
    register_family(city, other, now, same_as=1)


def _story_and_erasure(city: City, now: dt.datetime) -> None:
    """A family agrees to a story; another one asked to be forgotten, and one of two people has done their part."""
    told, forgotten = Household.objects.filter(erased_at=None).order_by("id")[5:7]
    casework.give_consent(
        actor=city.staff[f"caseworker1.{told.town.code}"], member=told.members.get(relation="head"),
        purpose=Purpose.STORY, given_by="self", now=now,
    )  # fmt: skip
    casework.ask_erasure(
        actor=city.staff[f"caseworker1.{forgotten.town.code}"], household=forgotten, ground=casework.Ground.ASKED,
        now=now,
    )  # fmt: skip
