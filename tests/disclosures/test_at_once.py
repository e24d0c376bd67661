"""Two people press the same button at the same moment: one report, one draw, one publication."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from apps.core.errors import DomainError
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
