from __future__ import annotations

import datetime as dt

from apps.funds.events import ProjectStatusChanged
from apps.funds.models import Project
from apps.funds.queries import project_earmarks
from apps.funds.states import ProjectStatus
from apps.publication.releases import release_residual


def tell_rest_of_completed(event: ProjectStatusChanged, *, now: dt.datetime) -> None:
    """This will tell what remains of a project's aid once the project is completed and no payment is to come (C4)."""
    project = Project.objects.get(pk=event.project_id)
    if project.status == ProjectStatus.COMPLETED:
        for earmark in project_earmarks([project.pk]).values():
            release_residual(earmark=earmark, now=now)
