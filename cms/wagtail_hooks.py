"""The editor is told, in the editor, why a page was held by the privacy gate; what was written stays as a draft."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from wagtail import hooks

from apps.publication.privacy import NotPublishable, check_publishable
from cms.models import GatedPage


@hooks.register("before_publish_page")
def hold_personal_details(request: HttpRequest, page: Any) -> HttpResponse | None:
    """This will send the editor back to the draft with the reason instead of publishing."""
    specific = page.specific
    if not isinstance(specific, GatedPage):
        return None
    try:
        check_publishable(specific.get_latest_revision_as_object().public_text())
    except NotPublishable as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    return None
