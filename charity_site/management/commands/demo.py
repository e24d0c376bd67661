from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from charity_site.demonstration import build


class Command(BaseCommand):
    help = "Build the fictional demonstration city. Example: manage.py demo --scale small --seed 7"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--scale", choices=["small"], default="small")
        parser.add_argument("--seed", type=int, default=7, help="governs the story only, never keys or ids")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE != "demonstration":
            raise CommandError("demo works in demonstration mode only; this database is for production.")
        if build.exists():
            self.stdout.write("The demonstration city stands already. `make reset` removes it.")
            return
        build.build_small(
            seed=options["seed"], now=clock.now(), say=lambda text: self.stdout.write(f"  {text}")
        )
        self.stdout.write("The demonstration city stands: all of it is fictional.")
