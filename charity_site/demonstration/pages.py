"""The editor's part of the demonstration: stories of two projects, in both languages, through the publishing gate."""

from __future__ import annotations

from wagtail.models import Locale, Page

from apps.funds.models import Project
from cms.models import ProjectStory

STORIES = {
    "child-illness": (
        ("孩子的药，不该断在最后一公里", "医保报销之后，剩下的自费药和陪护住宿，常常是压垮一个家的最后一笔。社工入户两次，"  # noqa: E501
         "材料齐全才能申请；批准和付款由不同的人办。"),
        ("The last part of the bill", "After insurance, what remains for medicine and for a bed beside the child can be "  # noqa: E501
         "what breaks a family. Two visits come before each application, and different people approve and pay."),
    ),
    "shiqiao-homes": (
        ("先修屋顶，再修墙", "镇里的工匠施工，第三方验收。每一笔材料和人工都有发票，验收合格才付款。"),
        ("Roofs first, then walls", "Local craftsmen do the work and a third party inspects it. Every payment has its "
         "invoice and follows the inspection."),
    ),
}  # fmt: skip


def publish_stories(projects: dict[str, Project]) -> None:
    """This will write and publish the stories under the site's root page of each language."""
    home = Page.objects.filter(depth=2).first()
    if home is None:
        return
    english, _ = Locale.objects.get_or_create(language_code="en")
    english_home = home.get_translation_or_none(english) or home.copy_for_translation(english)
    if not english_home.live:
        english_home.save_revision().publish()
    for slug, texts in STORIES.items():
        for parent, (title, text) in zip((home, english_home), texts, strict=True):
            story = ProjectStory(
                title=title, slug=f"{slug}-story", project=projects[slug], locale=parent.locale, live=False,
                body=[("paragraph", f"<p>{text}</p>")],
            )  # fmt: skip
            parent.add_child(instance=story)
            story.save_revision().publish()
