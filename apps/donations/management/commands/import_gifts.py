from __future__ import annotations

import argparse
import datetime as dt
import pathlib
import sys
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import system
from apps.core.errors import DomainError
from apps.core.money import DIGITS, Money, format_money
from apps.core.tables import columns as tables
from apps.core.tables.columns import Columns
from apps.core.tables.faults import place
from apps.core.tables.opening import open_table
from apps.donations.lists.reading import WANTED
from apps.donations.models import GiftImport, ListFault
from apps.donations.operations import lists
from apps.donations.states import ImportStatus, Known, PaidBy
from apps.funds.models import MicroFund, Project

SHOWN = 20
ACTOR = system("command:import_gifts")


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
        parser.add_argument(
            "--account", default="", help="the bank account it is of; names gifts with a reference"
        )
        parser.add_argument("--currency", default="CNY", choices=sorted(DIGITS))
        parser.add_argument("--date", type=_day, metavar="YYYY-MM-DD", help="the day of a list without dates")
        parser.add_argument("--paid-by", choices=PaidBy.values, default=PaidBy.BANK)
        parser.add_argument(
            "--column", action="append", default=[], metavar="WHAT=LETTER",
            help=f"which column is what ({', '.join(WANTED)}); the rest is guessed",
        )  # fmt: skip
        parser.add_argument(
            "--known", choices=Known.values, default="", help="what rows of an earlier list are"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        project, fund = self._target(options["project"], options["fund"])
        path, now = options["file"], clock.now()
        listing: GiftImport | None = None
        try:
            listing = lists.start_import(
                actor=ACTOR,
                fund=fund,
                project=project,
                source=options["source"],
                file_name=path.name,
                path=path,
                currency=options["currency"],
                paid_by=options["paid_by"],
                account=options["account"],
                day=options["date"],
                columns=_columns(path, options),
                now=now,
                keep_file=False,
            )
            self._import(listing, path, options, now)
        except OSError as error:
            raise CommandError(f"can't read {path}: {error.strerror}") from error
        except lists.PartlyKnown as error:
            raise CommandError(f"{error.message} rows: {', '.join(map(str, error.rows[:SHOWN]))}") from error
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        finally:
            if listing is not None:
                listing.refresh_from_db()
                if listing.status not in (ImportStatus.DONE, ImportStatus.CANCELLED):
                    lists.cancel_import(actor=ACTOR, listing=listing, now=now)

    def _import(
        self, listing: GiftImport, path: pathlib.Path, options: dict[str, Any], now: dt.datetime
    ) -> None:
        if listing.columns is None:
            raise CommandError(
                "No header was found. Say which column is what: --column amount=D --column date=B"
            )
        if listing.status == ImportStatus.ASKING:
            raise CommandError(
                "The list has no dates. Say the day on which these gifts came: --date YYYY-MM-DD"
            )
        listing = lists.stage_import(
            actor=ACTOR, listing=listing, now=now, path=path, tell=self._tell("read")
        )
        self._say(listing)
        if listing.faults:
            for fault in ListFault.objects.filter(listing=listing).order_by("row", "id")[:SHOWN]:
                self.stderr.write(f"row {fault.row} column {fault.column or '-'}: {fault.message}")
            more = listing.faults - SHOWN
            raise CommandError(
                f"Nothing was recorded: {listing.faults} to mend." + (f" (+{more})" if more > 0 else "")
            )
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
            return
        listing = lists.decide_import(
            actor=ACTOR, listing=listing, known=options["known"], now=now, ring=False
        )
        done = lists.record_import(actor=ACTOR, listing=listing, now=now, tell=self._tell("recorded"))
        if done.gift_list is None:
            self.stdout.write("Nothing to add: every gift of this list is recorded already.")
            return
        total = format_money(Money(done.gift_list.total, done.currency))
        self.stdout.write(f"Recorded {done.gift_list.added} gifts, {total}.")

    def _say(self, listing: GiftImport) -> None:
        total = format_money(Money(listing.total, listing.currency))
        self.stdout.write(
            f"{listing.gifts} gifts, {total}; new {listing.gifts - listing.known}, known {listing.known}"
        )
        if listing.stated_total is not None and not listing.faults:
            self.stdout.write("The list's own total agrees.")
        for row, words in listing.prose:
            self.stdout.write(f"not a gift, row {row}: {words}")
        if "other_sheets" in listing.notes:
            self.stdout.write("Only the first sheet was read; the others are not empty.")

    def _tell(self, word: str) -> Any:
        """On a terminal one line that counts; nothing in a log."""

        def tell(done: int) -> None:
            if sys.stderr.isatty():
                self.stderr.write(f"\r{word} {done:,}", ending="")
                self.stderr.flush()

        return tell

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


def _day(words: str) -> dt.date:
    try:
        return dt.date.fromisoformat(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{words} is no date; write YYYY-MM-DD") from error


def _columns(path: pathlib.Path, options: dict[str, Any]) -> Columns | None:
    """The columns a person named, on top of what the header says."""
    if not options["column"]:
        return None
    head = open_table(path).head()
    guessed = tables.guess(head, wanted=WANTED, currency=options["currency"]) or Columns()
    at = dict(guessed.at)
    for word in options["column"]:
        what, _sign, name = word.partition("=")
        if what not in WANTED or place(name) < 0:
            raise CommandError(f"--column {word}: write one of {', '.join(WANTED)}, = and a column's letter")
        at[what] = place(name)
    return tables.with_titles(tables.details(replace(guessed, at=at), head, options["currency"]), head)
