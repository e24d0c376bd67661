"""Writes of disclosures, by verb."""

from apps.disclosures.operations.auditing import (
    accept_audit,
    add_finding,
    check_sample,
    decline_audit,
    draw_auditor,
    give_opinion,
    remove_finding,
    reply_finding,
    resolve_finding,
    return_report,
    say_about_finding,
)
from apps.disclosures.operations.correcting import start_correction
from apps.disclosures.operations.duties import (
    declare_occurrence,
    extend_duty,
    note_lateness,
    order_correction,
    remind_of_duties,
)
from apps.disclosures.operations.folding import fold_goods
from apps.disclosures.operations.kinds import KindInput, change_duty_kind, end_duty_kind
from apps.disclosures.operations.opening import (
    advance_duties,
    open_organization_duties,
    open_project_duties,
)
from apps.disclosures.operations.publishing import publish_report
from apps.disclosures.operations.writing import (
    LineInput,
    add_attachment,
    remove_attachment,
    save_draft,
    send_back_report,
    start_report,
    submit_report,
)

__all__ = [
    "KindInput",
    "LineInput",
    "accept_audit",
    "add_attachment",
    "add_finding",
    "advance_duties",
    "change_duty_kind",
    "check_sample",
    "declare_occurrence",
    "decline_audit",
    "draw_auditor",
    "end_duty_kind",
    "extend_duty",
    "fold_goods",
    "give_opinion",
    "note_lateness",
    "open_organization_duties",
    "open_project_duties",
    "order_correction",
    "publish_report",
    "remind_of_duties",
    "remove_attachment",
    "remove_finding",
    "reply_finding",
    "resolve_finding",
    "return_report",
    "save_draft",
    "say_about_finding",
    "send_back_report",
    "start_correction",
    "start_report",
    "submit_report",
]
