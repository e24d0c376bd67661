"""The list as it was brought, with what is wrong written beside each row: to mend and bring again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from apps.core.tables.cells import Cell
from apps.core.tables.opening import open_table
from apps.donations.models import GiftImport, ListFault
from apps.donations.operations.lists.staging import list_file


def marked_rows(listing: GiftImport) -> Iterator[list[Cell]]:
    """This will give the rows of a list, each with a last column that says what to mend in it."""
    faults: dict[int, list[str]] = {}
    for fault in ListFault.objects.filter(listing=listing).order_by("row", "id").iterator():
        faults.setdefault(fault.row, []).append(f"{fault.column} {fault.message}".strip())
    header_row = int((listing.columns or {}).get("header_row", 0))
    with list_file(listing) as path:
        table = open_table(path)
        width = max((len(row) for row in table.head()), default=0)
        for number, row in table:
            said = _("要改的地方") if number == header_row else "；".join(faults.get(number, []))
            yield [*_as_wide(row, width), said]


def _as_wide(row: list[Any], width: int) -> list[Cell]:
    return row if len(row) >= width else row + [""] * (width - len(row))
