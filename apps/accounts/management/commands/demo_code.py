from __future__ import annotations

import argparse
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import Account


class Command(BaseCommand):
    help = (
        "Print a one-time code of a demonstration account. Example: manage.py demo_code manager1@demo.example"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE != "demonstration":
            raise CommandError("demo_code works in demonstration mode only; use your own authenticator.")
        account = Account.objects.filter(email__iexact=options["email"]).first()
        code = one_time_code(account) if account else None
        if code is None:
            raise CommandError(f"{options['email']} has no second factor here.")
        self.stdout.write(code)


def one_time_code(account: Account) -> str | None:
    """This will compute the present one-time code of an account's authenticator."""
    from allauth.mfa import app_settings
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
    from allauth.mfa.utils import decrypt

    row = Authenticator.objects.filter(user=account, type=Authenticator.Type.TOTP).first()
    if row is None:
        return None
    counter = int(time.time()) // app_settings.TOTP_PERIOD
    return str(format_hotp_value(hotp_value(decrypt(row.data["secret"]), counter)))
