"""Stories that editors write. Numbers never come from here: pages read them from the rooms' queries, and no field lets
an editor type a total. Publishing, now or on schedule, passes the privacy gate (C5)."""

from __future__ import annotations

from typing import Any, ClassVar

import structlog
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.panels import FieldPanel
from wagtail.blocks import BlockQuoteBlock, CharBlock, RichTextBlock
from wagtail.fields import StreamField
from wagtail.models import Page

from apps.casework.models import Purpose
from apps.casework.queries import live_codes
from apps.core.pages import bump_epoch
from apps.funds.models import MicroFund, Project
from apps.publication.privacy import Hit, NotPublishable, check_publishable

log = structlog.get_logger(__name__)

RICH = ["bold", "italic", "link", "ol", "ul"]
STORY_BLOCKS = [
    ("heading", CharBlock(label=_("小标题"), max_length=80)),
    ("paragraph", RichTextBlock(label=_("正文"), features=RICH)),
    ("quote", BlockQuoteBlock(label=_("引语"))),
]


class GatedForm(WagtailAdminPageForm):
    """The editor's form: publishing what the gate refuses is an error beside what was typed; drafts are free."""

    def _post_clean(self) -> None:
        super()._post_clean()
        if "action-publish" not in self.data or self.errors:
            return
        page = self.save(commit=False)
        try:
            page.check_gate()
        except NotPublishable as error:
            self.add_error(None, str(error.message))


class GatedPage(Page):
    """A page that goes live only when its text passes the privacy gate (C5), whoever or whatever publishes it.

    The gate stands in `save`, because every way to go live ends there: the editor's button, a schedule, an import.
    """

    gate_note = models.TextField(_("未公布的原因"), blank=True, editable=False)

    base_form_class = GatedForm

    class Meta:
        abstract = True

    def public_text(self) -> str:
        """This will give all text that a reader would see."""
        raise TypeError("a gated page says what it shows")

    def check_gate(self) -> None:
        """This will raise NotPublishable when the page must not be public as it is."""
        check_publishable(self.public_text())

    def save(self, *args: Any, **kwargs: Any) -> None:
        """This will save a draft as it is, and a live page only past the gate. Raises NotPublishable."""
        if self.live:
            self.check_gate()
            self.gate_note = ""
        super().save(*args, **kwargs)
        bump_epoch()

    def publish(self, revision: Any, *args: Any, **kwargs: Any) -> Any:
        """This will publish a revision, or hold it: a page held by the gate stays as it was, loses its schedule, and
        keeps the reason where its editor sees it."""
        try:
            with transaction.atomic():
                return super().publish(revision, *args, **kwargs)
        except NotPublishable as error:
            type(self).objects.filter(pk=self.pk).update(gate_note=str(error.message))
            self.revisions.update(approved_go_live_at=None)
            log.warning("cms.page_held", page=self.pk, kinds=sorted(hit.kind for hit in error.hits))
            return None

    def unpublish(self, *args: Any, **kwargs: Any) -> Any:
        """This will take the story down; the page of legal facts and figures stands without it."""
        result = super().unpublish(*args, **kwargs)
        bump_epoch()
        return result


class Story(GatedPage):
    body = StreamField(STORY_BLOCKS, verbose_name=_("故事"), blank=True)
    about_family = models.BooleanField(
        _("写到了受助家庭"), default=False, help_text=_("写到一户家庭的处境就要勾选，不写名字也算。")
    )
    consent_codes = models.CharField(
        _("故事同意编号"), max_length=200, blank=True,
        help_text=_("向镇街社工要。写到几户就填几个，用空格分开。同意撤回时故事自动撤下。"),
    )  # fmt: skip

    content_panels: ClassVar[list[Any]] = [
        *Page.content_panels,
        FieldPanel("body"),
        FieldPanel("about_family"),
        FieldPanel("consent_codes"),
        FieldPanel("gate_note", read_only=True),
    ]
    parent_page_types: ClassVar[list[str]] = ["wagtailcore.Page"]
    subpage_types: ClassVar[list[str]] = []

    class Meta:
        abstract = True

    def codes(self) -> list[str]:
        """This will list the consents the story stands on."""
        return list(dict.fromkeys(self.consent_codes.replace(",", " ").replace("，", " ").split()))

    def check_gate(self) -> None:
        """This will moreover ask for the story consents of the families it is about (C4). Raises NotPublishable."""
        super().check_gate()
        codes = self.codes()
        if (self.about_family and not codes) or live_codes(codes, [Purpose.STORY]) != set(codes):
            words = _("写到了家庭，但没有有效的故事同意（编号缺少、写错或已经撤回）")
            raise NotPublishable([Hit("consent", words)], "consent_codes")

    def public_text(self) -> str:
        return "\n".join([self.title, *(strip_tags(str(block.value)) for block in self.body)])

    def home(self) -> str:
        """This will give the address the story is read at."""
        raise TypeError("a story stands on another page")

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(self.home())


class ProjectStory(Story):
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+", verbose_name=_("项目"))

    content_panels: ClassVar[list[Any]] = [FieldPanel("project"), *Story.content_panels]

    class Meta:
        verbose_name = _("项目故事")
        verbose_name_plural = _("项目故事")

    def home(self) -> str:
        return reverse("cms_project", args=[self.project.slug])

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        from cms.views.public import project_context

        return TemplateResponse(request, "cms/project.html", project_context(self.project, self))


class FundStory(Story):
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT, related_name="+", verbose_name=_("微基金"))

    content_panels: ClassVar[list[Any]] = [FieldPanel("fund"), *Story.content_panels]

    class Meta:
        verbose_name = _("微基金故事")
        verbose_name_plural = _("微基金故事")

    def home(self) -> str:
        return reverse("cms_fund", args=[self.fund.slug])


class ShopPage(Story):
    """The words above the wish shop, one page a language; the list beneath is never an editor's."""

    class Meta:
        verbose_name = _("博爱商城页首")
        verbose_name_plural = _("博爱商城页首")

    def home(self) -> str:
        return reverse("cms_shop")

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        from cms.views.shop import shop_context

        return TemplateResponse(request, "cms/shop.html", shop_context({}, self))
