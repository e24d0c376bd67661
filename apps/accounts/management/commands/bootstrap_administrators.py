from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.operations import bootstrap_administrators
from apps.core import clock
from apps.core.actors import system
from apps.core.errors import DomainError


class Command(BaseCommand):
    help = "Make the first two administrators, once. Example: manage.py bootstrap_administrators a@city.cn b@city.cn"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("emails", nargs=2, metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        first, second = options["emails"]
        try:
            bootstrap_administrators(
                actor=system("command:bootstrap"), emails=(first, second), now=clock.now()
            )
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(
            f"Administrators: {first}, {second}. Each sets a password at /accounts/password/reset/."
        )
