from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.casework.operations import reindex_traces
from apps.core import clock
from apps.core.actors import system


class Command(BaseCommand):
    help = (
        "Write the hashes by which texts are checked for families registered before these existed (C5). May be broken "
        "off and run again: only families without hashes are looked at.\n"
        "Example: manage.py reindex_traces --batch 200"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=200, help="families in one transaction (1 to 5000)")

    def handle(self, *args: Any, **options: Any) -> None:
        limit = options["batch"]
        if not 1 <= limit <= 5000:
            raise CommandError("--batch is a number from 1 to 5000.")
        actor, after, done = system("reindex_traces"), 0, 0
        while True:
            step = reindex_traces(actor=actor, after=after, limit=limit, now=clock.now())
            if not step.last:
                break
            after, done = step.last, done + step.done
            self.stdout.write(f"{done:,} families so far, up to number {after}.")
        self.stdout.write(f"Done: {done:,} families now have hashes." if done else "Nothing to do.")
