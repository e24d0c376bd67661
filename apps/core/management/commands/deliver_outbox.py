from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.core.tasks import sweep_outbox


class Command(BaseCommand):
    help = "Deliver everything that waits in the outbox, once. Example: manage.py deliver_outbox"

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{sweep_outbox()} deliveries done.")
