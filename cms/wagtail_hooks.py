"""Wagtail's own views, where ours must do more."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from wagtail import hooks
from wagtail.admin.views.pages.create import CreateView
from wagtail.admin.viewsets.pages import PageViewSet

from cms.models import FundStory, ProjectStory, ShopPage


class AddView(CreateView):  # type: ignore[misc]
    """The add form, also when another request (a second click, the browser's own saving) took the address between the
    form's check and the writing: an error beside what was typed, never a page that says the site is broken."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().form_valid(form)
        except ValidationError as error:
            form.add_error(None, error)
            self.page = form.instance
            answer = self.form_invalid(form)
        return answer


class _StoryViews(PageViewSet):  # type: ignore[misc]
    add_view_class = AddView


class ProjectStoryViews(_StoryViews):
    model = ProjectStory


class FundStoryViews(_StoryViews):
    model = FundStory


class ShopPageViews(_StoryViews):
    model = ShopPage


@hooks.register("register_admin_viewset")
def register_views() -> list[PageViewSet]:
    return [ProjectStoryViews(), FundStoryViews(), ShopPageViews()]
