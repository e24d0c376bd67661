from __future__ import annotations

import argparse
import pathlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import system
from apps.core.errors import DomainError
from apps.core.money import DIGITS, Money, format_money
from apps.donations.lists.reading import read_gift_sheet
from apps.donations.operations.importing import ListHasErrors, PartlyKnown, import_gifts, plan_import
from apps.funds.models import MicroFund, Project

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Record a list of offline gifts (CSV, XLSX or XLS), all or nothing. Importing it again adds nothing."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        example = (
            "example: manage.py import_gifts gifts.xls --project flood-relief --source 'Red Cross' --dry-run"
        )
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=example,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=pathlib.Path, metavar="FILE")
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--project", metavar="SLUG")
        target.add_argument("--fund", metavar="SLUG")
        parser.add_argument(
            "--source", required=True, metavar="NAME", help="who keeps the list; part of each gift's identity"
        )
        parser.add_argument("--currency", default="CNY", choices=sorted(DIGITS))
        parser.add_argument(
            "--known", choices=["skip", "add"], default="", help="what rows of an earlier list are"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        project, fund = self._target(options["project"], options["fund"])
        try:
            sheet = read_gift_sheet(options["file"].read_bytes(), currency=options["currency"])
            plan = plan_import(sheet=sheet, source=options["source"], fund=fund, project=project)
            total = format_money(Money(plan.total, plan.currency))
            self.stdout.write(f"{plan.rows} gifts, {total}; new {plan.new}, known {plan.known}")
            if options["dry_run"]:
                self.stdout.write("Dry run: nothing was changed.")
                return
            done = import_gifts(
                actor=system("command:import_gifts"), sheet=sheet, source=options["source"],
                file_name=options["file"].name, fund=fund, project=project, known=options["known"], now=clock.now(),
            )  # fmt: skip
        except OSError as error:
            raise CommandError(f"can't read {options['file']}: {error.strerror}") from error
        except ListHasErrors as error:
            for fault in error.errors[:SHOWN]:
                self.stderr.write(f"row {fault.row} column {fault.column or '-'}: {fault.message}")
            more = len(error.errors) - SHOWN
            raise CommandError(f"{error.message}" + (f" (+{more})" if more > 0 else "")) from error
        except PartlyKnown as error:
            raise CommandError(f"{error.message} rows: {', '.join(map(str, error.rows[:SHOWN]))}") from error
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        if done is None:
            self.stdout.write("Nothing to add: every gift of this list is recorded already.")
        else:
            self.stdout.write(
                f"Recorded {done.added} gifts, {format_money(Money(done.total, done.currency))}."
            )

    def _target(self, project: str | None, fund: str | None) -> tuple[Project | None, MicroFund]:
        if project:
            found = Project.objects.select_related("fund").filter(slug=project).first()
            if found is None:
                raise CommandError(f"no project has the slug {project}")
            return found, found.fund
        own = MicroFund.objects.filter(slug=fund).first()
        if own is None:
            raise CommandError(f"no micro-fund has the slug {fund}")
        return None, own
