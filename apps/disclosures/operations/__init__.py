"""Writes of disclosures, by verb."""

from apps.disclosures.operations.auditing import (
    accept_audit,
    add_finding,
    decline_audit,
    draw_auditor,
    give_opinion,
    remove_finding,
    reply_finding,
    return_report,
)
from apps.disclosures.operations.duties import advance_duties, begin_duties, extend_duty, note_lateness
from apps.disclosures.operations.publishing import publish_report
from apps.disclosures.operations.writing import LineInput, save_draft, start_report, submit_report

__all__ = [
    "LineInput",
    "accept_audit",
    "add_finding",
    "advance_duties",
    "begin_duties",
    "decline_audit",
    "draw_auditor",
    "extend_duty",
    "give_opinion",
    "note_lateness",
    "publish_report",
    "remove_finding",
    "reply_finding",
    "return_report",
    "save_draft",
    "start_report",
    "submit_report",
]
