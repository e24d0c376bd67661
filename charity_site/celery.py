"""Background work. The broker is a doorbell and the database is the queue: a broker that is away costs a request
nothing, because the outbox sweeper finds the rows within 30 seconds."""

from __future__ import annotations

import os
import time
from typing import Any

import structlog
from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, setup_logging, worker_init
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "charity_site.settings")

from django.conf import settings

from charity_site.environment import SettingsError

log = structlog.get_logger(__name__)
REST = 3.0
"""Seconds without a new attempt after the broker could not be reached."""


class PatientCelery(Celery):
    """Celery whose sending never raises and never waits for a broker that is away."""

    _away_until = 0.0

    def send_task(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """This will send a task once, without retry; returns None when the broker can't be reached."""
        if time.monotonic() < self._away_until:
            return None
        kwargs["retry"] = False
        try:
            return super().send_task(name, *args, **kwargs)
        except (OperationalError, RedisError, OSError) as error:
            self._away_until = time.monotonic() + REST
            log.warning("broker.unreachable", task_name=name, error=type(error).__name__)
            return None


CONFIGURATION: dict[str, Any] = {
    "broker_connection_timeout": 1.0,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_transport_options": {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 1.0,
        "max_retries": 0,
        "visibility_timeout": 600,
        "global_keyprefix": "celery:",
    },
    "result_backend": None,
    "task_ignore_result": True,
    "task_publish_retry": False,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_time_limit": 600,
    "worker_prefetch_multiplier": 1,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_send_task_events": False,
    "worker_hijack_root_logger": False,
    "timezone": "Asia/Shanghai",
    "enable_utc": True,
    "beat_schedule_filename": str(settings.DATA_DIR / "beat-schedule"),
}
app = PatientCelery("charity_site", broker=settings.CELERY_BROKER_URL)
app.conf.update(CONFIGURATION)
app.autodiscover_tasks()
app.conf.imports = ("charity_site.status",)

# What runs by the clock, room by room. Every task here is safe to run twice at once.
BEAT: dict[str, dict[str, Any]] = {
    "core: deliver what the doorbell missed": {"task": "apps.core.tasks.sweep_outbox", "schedule": 30.0},
    "payments: work off the inbox": {"task": "apps.payments.tasks.process_inbox", "schedule": 30.0},
    "payments: ask for open payments": {"task": "apps.payments.tasks.poll_payments", "schedule": 60.0},
    "payments: read the providers' own events": {
        "task": "apps.payments.tasks.poll_events",
        "schedule": 900.0,
    },
    "payments: send refunds, ask after them": {"task": "apps.payments.tasks.send_refunds", "schedule": 30.0},
    "payments: follow standing orders": {
        "task": "apps.payments.tasks.follow_subscriptions",
        "schedule": 60.0,
    },
    "payments: ask after disputes": {"task": "apps.payments.tasks.poll_disputes", "schedule": 3600.0},
    "payments: read balances and payouts": {
        "task": "apps.payments.tasks.read_balances",
        "schedule": 900.0,
    },
    "donations: go on with imports": {"task": "apps.donations.tasks.sweep_imports", "schedule": 30.0},
    "donations: go on with bundles": {"task": "apps.donations.tasks.sweep_bundles", "schedule": 30.0},
    "ledger: fold quiet earmarks": {"task": "apps.ledger.tasks.fold_quiet", "schedule": 60.0},
    "funds: close campaigns that ended": {"task": "apps.funds.tasks.close_ended", "schedule": 300.0},
    "site: prove the sums": {"task": "charity_site.status.check_invariants", "schedule": 3600.0},
    "disclosures: open duties, note lateness": {
        "task": "apps.disclosures.tasks.keep_duties",
        "schedule": 60.0,
    },
    "casework: go on with lists of departments": {
        "task": "apps.casework.tasks.work_registry_lists",
        "schedule": 30.0,
    },
    "casework: end tiers, remove files": {"task": "apps.casework.tasks.keep_files", "schedule": 3600.0},
    "wishes: end what is over": {"task": "apps.wishes.tasks.keep_wishes", "schedule": 60.0},
    "publication: release aid": {"task": "apps.publication.tasks.release_aid", "schedule": 60.0},
    "search: write what waits": {"task": "search.tasks.index_waiting", "schedule": 15.0},
    "search: compare the index": {"task": "search.tasks.compare_index", "schedule": 60.0},
    "search: compare every row": {
        "task": "search.tasks.compare_index_whole",
        "schedule": crontab(hour="4", minute="10"),
    },
    "search: go on with exports": {"task": "search.tasks.sweep_exports", "schedule": 30.0},
    "search: files of everything": {
        "task": "search.tasks.build_bulk",
        "schedule": crontab(hour="2", minute="40"),
    },
}
app.conf.beat_schedule = BEAT


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """This will keep Celery from setting up logging of its own."""


@worker_init.connect
@beat_init.connect
def refuse_unsafe_start(**_: Any) -> None:
    """This will stop a worker or beat that production must not run, as the web process is stopped."""
    from charity_site.start import refuse_unsafe_start, settle_memory

    # A request waits a second at most for a silent broker; a worker has time.
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "socket_timeout": 30.0}
    try:
        refuse_unsafe_start()
        settle_memory()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
