"""/healthz (this process answers), /readyz (database, broker and engine answer), /metrics (Prometheus, not public)."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.http import client_address

STARTED = time.time()


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This will answer as soon as the process can."""
    return HttpResponse("ok\n", content_type="text/plain")


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    if settings.CELERY_BROKER_URL.startswith(("redis", "valkey")):
        address = settings.CELERY_BROKER_URL.replace("valkey", "redis", 1)
        redis.Redis.from_url(address, socket_connect_timeout=1, socket_timeout=1).ping()


def _engine() -> None:
    if settings.SEARCH_ENGINE == "elasticsearch":
        from elasticsearch import Elasticsearch

        Elasticsearch(settings.ELASTICSEARCH_URL, request_timeout=2, max_retries=0).cluster.health()


PARTS: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker, "engine": _engine}


def parts() -> dict[str, bool]:
    """This will ask each part the site stands on whether it answers."""
    found = {}
    for name, ask in PARTS.items():
        try:
            ask()
            found[name] = True
        except Exception:  # any fault of a part is the same news: it does not answer
            found[name] = False
    return found


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """This will answer 200 when gifts can be taken (the database answers), else 503. A broker or engine that is away
    is named, but giving goes on without it."""
    found = parts()
    return JsonResponse(
        {"ready": found["database"], "parts": found}, status=200 if found["database"] else 503
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """This will give Prometheus' text to loopback, or to whom knows METRICS_TOKEN (as a bearer token); others 404."""
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    knows = bool(settings.METRICS_TOKEN) and hmac.compare_digest(
        sent.encode(), settings.METRICS_TOKEN.encode()
    )
    local = "X-Forwarded-For" not in request.headers and client_address(request) in ("127.0.0.1", "::1")
    if not (knows or local):
        return HttpResponse(status=404)
    lines = ["# TYPE charity_part_up gauge"]
    lines += [f'charity_part_up{{part="{name}"}} {int(up)}' for name, up in parts().items()]
    lines += ["# TYPE charity_process_start_seconds gauge", f"charity_process_start_seconds {STARTED:.0f}"]
    try:
        lines += _outbox()
    except Exception:  # the database is away: charity_part_up says so
        connection.close()
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")


def _outbox() -> list[str]:
    from apps.core.models import OutboxDelivery
    from apps.payments.queries import clock_alarms

    waiting = OutboxDelivery.objects.filter(done_at__isnull=True)
    lines = ["# TYPE charity_outbox_waiting gauge", f"charity_outbox_waiting {waiting.count()}",
             "# TYPE charity_provider_clock_skew_seconds gauge"]  # fmt: skip
    return lines + [
        f'charity_provider_clock_skew_seconds{{provider="{alarm.provider}"}} {alarm.skew}'
        for alarm in clock_alarms(clock.now())
    ]
