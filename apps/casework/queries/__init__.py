"""Reads of casework."""

from apps.casework.queries.alerts import AlertSeen, alert_ids, alerts_of, open_alerts, seen_by
from apps.casework.queries.files import (
    Due,
    bank_changed_since,
    counts,
    distinct_families,
    files_of,
    files_of_same_people,
    filtered,
    find_by_id_number,
    find_files,
    has_consent,
    live_codes,
    retention_due,
    same_attachments,
    same_value,
    standing_consents,
    tier_on,
)
from apps.casework.queries.traces import Trace, traces_in

__all__ = [
    "AlertSeen",
    "Due",
    "Trace",
    "alert_ids",
    "alerts_of",
    "bank_changed_since",
    "counts",
    "distinct_families",
    "files_of",
    "files_of_same_people",
    "filtered",
    "find_by_id_number",
    "find_files",
    "has_consent",
    "live_codes",
    "open_alerts",
    "retention_due",
    "same_attachments",
    "same_value",
    "seen_by",
    "standing_consents",
    "tier_on",
    "traces_in",
]
