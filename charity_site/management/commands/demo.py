from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from charity_site.demonstration import build, city
from charity_site.demonstration.people import DOMAIN, PASSWORD

ACCOUNTS = f"""Demonstration accounts, all fictional. Password of each: {PASSWORD}
One-time code: .venv/bin/python manage.py demo_code EMAIL (with the same DATA_DIR and PORT)
  admin1@{DOMAIN} admin2@{DOMAIN}          administrators
  officer1@{DOMAIN} officer2@{DOMAIN}      project officers of the federation
  manager1@{DOMAIN} manager2@{DOMAIN}      managers
  cashier1@{DOMAIN} cashier2@{DOMAIN}      cashiers
  caseworker1.shiqiao@{DOMAIN} (and 2)          caseworkers, of each of the 24 towns
  reviewer1.shiqiao@{DOMAIN} (and 2)            town reviewers, of each of the 24 towns
  storekeeper1@{DOMAIN} storekeeper2@{DOMAIN}  storekeepers of the warehouse
  cityreviewer1@{DOMAIN} purchaser1@{DOMAIN}   the city's reviewers, purchasers (and 2 of each)
  auditor1@{DOMAIN} auditor2@{DOMAIN}      auditors of two firms
  supervisor@{DOMAIN} editor@{DOMAIN}      the bureau, the editor
"""
BUILD = {"small": build.build_small, "city": city.build_city}


class Command(BaseCommand):
    help = "Build the fictional demonstration city. Example: manage.py demo --scale small --seed 7"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--scale", choices=sorted(BUILD), default="small")
        parser.add_argument("--seed", type=int, default=7, help="governs the story only, never keys or ids")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE != "demonstration":
            raise CommandError("demo works in demonstration mode only; this database is for production.")
        if build.exists():
            self.stdout.write("The demonstration city stands already. `make reset` removes it.")
            return
        BUILD[options["scale"]](
            seed=options["seed"], now=clock.now(), say=lambda text: self.stdout.write(f"  {text}")
        )
        accounts = settings.DATA_DIR / "demonstration-accounts.txt"
        accounts.write_text(ACCOUNTS)
        self.stdout.write("The demonstration city stands: all of it is fictional.")
