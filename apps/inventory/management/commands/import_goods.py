from __future__ import annotations

import argparse
import datetime as dt
import pathlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import system
from apps.core.errors import DomainError
from apps.core.tables.faults import place
from apps.inventory import operations
from apps.inventory.lists.reading import FIELDS
from apps.inventory.models import GoodsImport, Warehouse
from apps.inventory.operations.importing import judged_rows, known_keys
from apps.inventory.states import Category, Known, ListKind

SHOWN = 40
ACTOR = system("command:import_goods")


class Command(BaseCommand):
    help = "Record a list of goods received or given out (CSV, XLSX, XLS), all or nothing. Again, it adds nothing."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        example = (
            "example: manage.py import_goods list.xlsx --kind received --warehouse main --source 'Red Cross' "
            "--category medical --date 2020-01-28 --unit 提=new:0 --row 49=2箱 --row 98=skip"
        )
        return super().create_parser(
            prog_name, subcommand, epilog=example, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )  # fmt: skip

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=pathlib.Path, metavar="FILE")
        parser.add_argument("--kind", choices=ListKind.values, required=True)
        parser.add_argument("--warehouse", required=True, metavar="CODE")
        parser.add_argument("--source", required=True, metavar="NAME", help="who publishes the list")
        parser.add_argument("--category", required=True, choices=Category.values, help="of all its goods")
        parser.add_argument(
            "--date", type=_day, metavar="YYYY-MM-DD", help="the day of a list that names none"
        )
        parser.add_argument(
            "--column", action="append", default=[], metavar="WHAT=LETTER",
            help=f"which column is what ({', '.join(FIELDS)}); the rest is guessed from the header",
        )  # fmt: skip
        parser.add_argument(
            "--unit", action="append", default=[], metavar="WORD=UNIT",
            help="what an unknown unit is: a known one, or new:0 (new:3 with 3 decimals)",
        )  # fmt: skip
        for name, what in (
            ("row", "quantity and unit (2箱), or skip"),
            ("item", "item"),
            ("party", "giver or receiver"),
        ):
            parser.add_argument(
                f"--{name}", action="append", default=[], metavar="N=TEXT", help=f"the {what} of row N"
            )
        parser.add_argument(
            "--known", choices=Known.values, default="", help="what rows of an earlier list are"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        warehouse = Warehouse.objects.filter(code=options["warehouse"]).first()
        if warehouse is None:
            raise CommandError(f"There is no warehouse {options['warehouse']}.")
        path: pathlib.Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        now = clock.now()
        listing: GoodsImport | None = None
        try:
            columns = {what: place(letter) for what, letter in map(_pair, options["column"])}
            if set(columns) - set(FIELDS) or -1 in columns.values():
                raise CommandError(f"--column takes one of {', '.join(FIELDS)} and a letter.")
            listing = operations.start_import(
                actor=ACTOR, warehouse=warehouse, kind=options["kind"], source=options["source"],
                category=options["category"], file_name=path.name, path=path, day=options["date"], columns=columns,
                now=now,
            )  # fmt: skip
            answers = {f"unit:{word}": said for word, said in map(_pair, options["unit"])}
            for option, what in (("row", "amount"), ("item", "item"), ("party", "party")):
                answers |= {f"{what}:{n}": said for n, said in map(_pair, options[option])}
            listing = operations.answer_import(
                actor=ACTOR, listing=listing, answers=answers, known_as=options["known"], now=now
            )
            self._say(listing)
            if options["dry_run"]:
                operations.drop_import(actor=ACTOR, listing=listing, now=now)
                self.stdout.write("Nothing was recorded (--dry-run).")
                return
            done = operations.record_import(actor=ACTOR, listing=listing, now=now)
        except DomainError as error:
            if listing is not None:
                operations.drop_import(actor=ACTOR, listing=listing, now=now)
            raise CommandError(f"Nothing was recorded: {error.message}") from error
        what = "lots" if done.kind == ListKind.RECEIVED else "dispatches"
        self.stdout.write(f"Recorded {done.recorded} {what}; {done.known} rows were known.")

    def _say(self, listing: GoodsImport) -> None:
        judged = judged_rows(listing)
        known = known_keys(judged.rows)
        self.stdout.write(
            f"Header in row {listing.columns['header_row']}, day {listing.day}; {len(judged.rows)} rows read, "
            f"{len(known)} known, {len(judged.skipped)} skipped, {len(judged.questions)} questions."
        )
        for each in judged.questions[:SHOWN]:
            more = f" (and {each.rows - 1} more rows)" if each.rows > 1 else ""
            self.stdout.write(f"  row {each.row}, column {each.column}{more}: {each.message}")
        if len(judged.questions) > SHOWN:
            self.stdout.write(f"  … and {len(judged.questions) - SHOWN} more")


def _pair(words: str) -> tuple[str, str]:
    name, sign, said = words.partition("=")
    if not sign or not name.strip() or not said.strip():
        raise CommandError(f"{words!r} should look like NAME=VALUE.")
    return name.strip(), said.strip()


def _day(words: str) -> dt.date:
    try:
        return dt.date.fromisoformat(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError("a day looks like 2020-01-28") from error
