from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from charity_site.stack.__main__ import act


class Command(BaseCommand):
    help = (
        "The embedded PostgreSQL and Valkey alone, in the background.\n\n"
        "Example: MODE=demonstration python manage.py stack start\n"
        "Exit status of `status`: 0 when both answer, 3 when not."
    )
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["start", "stop", "status"])

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(act(options["verb"]))
