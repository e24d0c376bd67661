from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.core import clock
from apps.core.errors import DomainError
from apps.payments.operations import receive_event
from apps.payments.ringing import ring_inbox

MAX_BODY = 512 * 1024


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """This will take a provider's signed event: 2xx once it is stored, 4xx with a code for anything else."""
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or len(length) > 12 or int(length) > MAX_BODY:
        return HttpResponse("too_large", status=413, content_type="text/plain")
    try:
        receive_event(provider_name=provider, headers=request.headers, body=request.body, now=clock.now())
    except DomainError as error:
        return HttpResponse(error.code, status=error.status, content_type="text/plain")
    ring_inbox()
    return HttpResponse("ok", content_type="text/plain")
