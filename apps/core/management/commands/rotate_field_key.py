from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import crypto, rotation


class Command(BaseCommand):
    help = (
        "Rewrap all data keys with the key file's current key, in small steps; run again to go on after a stop.\n"
        "Example: manage.py rotate_field_key --new     (adds a key first)\n"
        "         manage.py rotate_field_key --retire  (takes unused older keys out of the file)"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new", action="store_true", help="add a new key to FIELD_KEY_FILE and make it current"
        )
        parser.add_argument(
            "--retire", action="store_true", help="afterwards remove keys that nothing uses any more"
        )
        parser.add_argument("--steps", type=int, default=0, help="stop after so many steps of 500 (0: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.FIELD_KEY_FILE)
        try:
            if options["new"]:
                self.stdout.write(f"New current key: {crypto.add_key_version(path)}")
            total = sum(rotation.left().values())
        except OSError as error:
            raise CommandError(f"FIELD_KEY_FILE can't be written: {error.strerror}") from error
        done = steps = 0
        while (not options["steps"] or steps < options["steps"]) and (step := rotation.rewrap_step()):
            done, steps = done + step, steps + 1
            self.stdout.write(f"{done:,} of {total:,}")
        left = {name: count for name, count in rotation.left().items() if count}
        if left:
            words = ", ".join(f"{name} {count:,}" for name, count in left.items())
            self.stdout.write(f"Not finished: {words} left. Run the command again.")
            return
        if options["retire"]:
            for name in crypto.versions():
                if name != crypto.current_version():
                    crypto.retire_key_version(path, name)
                    self.stdout.write(
                        f"Removed key {name}. Backups made before this need the older key file."
                    )
        self.stdout.write(f"Everything is under key {crypto.current_version()}; {done:,} rewrapped.")
