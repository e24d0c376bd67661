"""Two people press the same button at the same moment: one report, one draw, one publication."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.disclosures import operations as op
from apps.disclosures.models import Audit, Report, ReportStatusChange
from apps.publication.models import PublicRowText
from tests import world as w
from tests.disclosures import scene

LATER = w.NOW + dt.timedelta(hours=1)


def at_once(acts: list[Callable[[], object]]) -> list[str]:
    """This will run acts in threads released together; "done" or the code of each refusal."""
    said: list[str] = []
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            gate.wait()
            act()
            said.append("done")
        except DomainError as error:
            said.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


@pytest.mark.usefixtures("committed_db")
def test_one_report_one_draw_one_publication() -> None:
    city = scene.helped()
    people = [scene.auditor(scene.firm(n), f"auditor{n}") for n in (1, 2)]
    by = {each.person_id: each for each in people}
    assert at_once([lambda: scene.drafted(city)] * 6) == ["done"] + ["no_duty"] * 5
    report = Report.objects.get()
    lines = scene.as_computed(report)
    given = {"actor": city.people["officer"], "report": report, "narrative": scene.NARRATIVE, "now": LATER}
    assert at_once([lambda: op.submit_report(lines=lines, **given)] * 4) == ["done"] + ["wrong_state"] * 3
    draw = {"actor": w.SETUP, "report": report, "now": LATER}
    assert at_once([lambda: op.draw_auditor(**draw)] * 4) == ["done"] + ["wrong_state"] * 3
    who = by[Audit.objects.get().auditor_id]
    op.accept_audit(actor=who, report=report, now=LATER)
    op.give_opinion(actor=who, report=report, opinion="unqualified", text="公允反映。", now=LATER)
    managers = [city.people["manager"], city.people["manager2"]] * 2
    acts = [
        lambda actor=actor: op.publish_report(actor=actor, report=report, now=LATER) for actor in managers
    ]
    assert at_once(acts) == ["done"] + ["wrong_state"] * 3
    assert ReportStatusChange.objects.filter(to_status="published").count() == 1
    assert PublicRowText.objects.count() == 2


@pytest.mark.usefixtures("committed_db")
def test_eight_publish_and_correct_at_once() -> None:
    """One publication, one correction opened, one correction published; no row twice, nothing in a deadlock."""
    city = scene.helped()
    officers = [city.people["officer"], city.people["officer2"]] * 4
    managers = [city.people["manager"], city.people["manager2"]] * 4
    report = scene.drafted(city)
    plan = op.start_report(actor=officers[0], duty=scene.next_duty(city, "fundraising_plan"), now=LATER)
    for one in (report, plan):
        op.submit_report(actor=officers[0], report=one, narrative=scene.NARRATIVE, lines=scene.as_computed(one),
                         now=LATER)  # fmt: skip
    scene.auditor(scene.firm(1))
    scene.audited(city, report, scene.Auditors(), now=LATER)
    acts = [
        lambda actor=actor, one=one: op.publish_report(actor=actor, report=one, now=LATER)
        for actor in managers[:4] for one in (report, plan)
    ]  # fmt: skip
    assert at_once(acts) == ["done"] * 2 + ["wrong_state"] * 6
    assert PublicRowText.objects.filter(row__alive=True).count() == 3
    opened = [
        lambda actor=actor: op.start_correction(actor=actor, report=report, reason="更正一处。", now=LATER)
        for actor in officers
    ]  # fmt: skip
    assert at_once(opened) == ["correction_open"] * 7 + ["done"]
    made = Report.objects.get(corrects=report)
    by = next(each for each in officers if each.person_id == made.drafted_by_id)
    op.submit_report(
        actor=by, report=made, narrative=scene.NARRATIVE + "更正。", lines=scene.as_reported(made), now=LATER
    )
    scene.audited(city, made, scene.Auditors(), now=LATER)
    acts = [lambda actor=actor: op.publish_report(actor=actor, report=made, now=LATER) for actor in managers]
    assert at_once(acts) == ["done"] + ["wrong_state"] * 7
    alive = PublicRowText.objects.filter(row__alive=True).exclude(batch=plan.public_id)
    assert set(alive.values_list("batch", flat=True)) == {made.public_id} and alive.count() == 2
    assert ReportStatusChange.objects.filter(to_status="superseded").count() == 1
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name
