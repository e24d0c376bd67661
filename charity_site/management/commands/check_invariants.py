from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand

from apps.core import clock
from apps.core.invariants import run_all


class Command(BaseCommand):
    help = (
        "Prove the sums; exit 0 when all hold, 1 when one doesn't. Example: manage.py check_invariants --json"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        found = run_all(now=clock.now())
        broken = sum(bool(finding.broken) for _, finding in found)
        if options["json"]:
            rows = [{"number": each.number, "name": each.name, "title": str(each.title), "figure": finding.figure,
                     "broken": finding.broken} for each, finding in found]  # fmt: skip
            self.stdout.write(json.dumps({"ok": not broken, "invariants": rows}, ensure_ascii=False))
        else:
            for each, finding in found:
                state = "BROKEN" if finding.broken else "holds"
                self.stdout.write(
                    f"{each.number:>2} {state:6} {finding.figure:>12}  {each.name}  {each.title}"
                )
                for line in finding.broken:
                    self.stdout.write(f"          {line}")
            self.stdout.write(f"{len(found)} invariants, {broken} broken.")
        if broken:
            sys.exit(1)
