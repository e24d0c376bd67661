#!/usr/bin/env python
"""The command line of the site: `python manage.py help`."""

import os
import sys

OWNER_COMMANDS = {"migrate"}
"""Commands that work with the owner role (MIGRATION_DATABASE_URL); all others are the application role."""


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "charity_site.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ["DATABASE_ROLE"] = "owner"
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"The database did not answer: {error}", file=sys.stderr)
        print(
            "Is it running? The embedded one starts with `make run` or `manage.py stack start`.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
