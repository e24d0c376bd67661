from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.casework import erasure
from apps.casework.operations import replay_erasures
from apps.core import clock
from apps.core.actors import system


class Command(BaseCommand):
    help = (
        "After a backup was restored: erase again every family that DATA_DIR/erasures.jsonl names.\n"
        "Example: manage.py replay_erasures"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            known = len(list(erasure.read_entries()))
            done = replay_erasures(actor=system("replay_erasures"), now=clock.now())
        except erasure.BrokenJournal as error:
            raise CommandError(
                f"The journal doesn't hold at line {error}: it was changed or cut. Nothing was erased. "
                f"Bring back the copy of {erasure.journal_path()} that is kept elsewhere and run this again."
            ) from error
        self.stdout.write(f"{known:,} erasures in the journal, {done:,} families erased again.")
