"""Lists of offline gifts (G11): brought, read into staging, looked at by a person, recorded all or none."""

from apps.donations.operations.lists.errors import ListHasErrors, PartlyKnown
from apps.donations.operations.lists.recording import decide_import, record_import
from apps.donations.operations.lists.staging import stage_import
from apps.donations.operations.lists.starting import cancel_import, change_import, start_import
from apps.donations.operations.lists.working import end_forgotten_imports, work_import

__all__ = [
    "ListHasErrors",
    "PartlyKnown",
    "cancel_import",
    "change_import",
    "decide_import",
    "end_forgotten_imports",
    "record_import",
    "stage_import",
    "start_import",
    "work_import",
]
