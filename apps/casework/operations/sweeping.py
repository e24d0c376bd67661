"""Files that nothing needs any more."""

from __future__ import annotations

import datetime as dt

from apps.casework import files
from apps.casework.models import Attachment, RegistryList
from apps.casework.operations.sharing import WAITING, stored_name


def sweep_files(*, now: dt.datetime, older: dt.timedelta = dt.timedelta(days=1)) -> int:
    """This will remove files of erased attachments, and files that no row names and that are older than a day; returns
    how many."""
    folder = files.folder()
    if not folder.is_dir():
        return 0
    lists = {stored_name(item) for item in RegistryList.objects.filter(status__in=WAITING)}
    gone = 0
    for part in sorted(folder.iterdir()):
        found = {path.name: path for path in part.iterdir() if path.is_file()}
        rows = dict(
            Attachment.objects.filter(stored_name__in=list(found)).values_list("stored_name", "erased_at")
        )
        for name, path in found.items():
            age = now.timestamp() - path.stat().st_mtime
            if rows.get(name) is not None or (
                name not in rows and name not in lists and age > older.total_seconds()
            ):
                path.unlink(missing_ok=True)
                gone += 1
    return gone
