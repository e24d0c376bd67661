from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from apps.core.events import in_batches
from apps.notifications.operations import send_mail_once
from apps.publication.events import RowsChanged
from search.elastic.writing import note_changed
from search.events import ExportFinished
from search.models import ExportJob


@in_batches
def note_rows(events: list[RowsChanged], *, now: dt.datetime) -> None:
    """This will note changed rows for the index and ask a worker to write them after commit (S3)."""
    from search.tasks import index_waiting

    note_changed([row for event in events for row in event.rows])
    transaction.on_commit(lambda: index_waiting.delay())


def mail_export(event: ExportFinished, *, now: dt.datetime) -> None:
    """This will mail the link of a finished export to whoever asked for that, and forget the address."""
    job = ExportJob.objects.select_for_update().get(pk=event.job_id)
    if not job.email:
        return
    with translation.override(job.language):
        link = settings.SITE_URL.rstrip("/") + reverse("search_export_job", args=[job.token])
    send_mail_once(
        key=f"export:{job.pk}", to=job.email, template="search/export_mail.txt",
        context={"job": job, "link": link}, language=job.language,
    )  # fmt: skip
    job.email = ""
    job.save(update_fields=["email"])
