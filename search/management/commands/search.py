"""The search index by hand: its state, its agreement with the public rows, building it anew."""

from __future__ import annotations

import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from search.engines import ENGINES, engine


class Command(BaseCommand):
    help = "Example: manage.py search reconcile --engine postgres"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("what", choices=["status", "reconcile", "rebuild"])
        parser.add_argument("--engine", choices=sorted(ENGINES), default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = engine(options["engine"])
        started = time.monotonic()
        if options["what"] == "status":
            for name, value in chosen.status().items():
                self.stdout.write(f"{name:14} {value}")
        elif options["what"] == "reconcile":
            wrong = chosen.reconcile()
            for line in wrong[:50]:
                self.stdout.write(line)
            if wrong:
                raise CommandError(
                    f"{len(wrong)} rows differ; run `manage.py search rebuild`, or republish their reports"
                )
            self.stdout.write(f"Index and public rows agree ({time.monotonic() - started:.1f} s).")
        else:
            try:
                count = chosen.rebuild()
            except ProgrammingError as error:
                raise CommandError(
                    "Rebuilding needs the owner's role: DATABASE_ROLE=owner manage.py search rebuild"
                ) from error
            self.stdout.write(f"Rebuilt for {count} public rows ({time.monotonic() - started:.1f} s).")
