"""Consents to a wish in the shop, and to its photo: their first words (W1, C4)."""

import datetime as dt

from django.db import migrations, models

FROM = dt.date(2026, 1, 1)
TEXTS = {
    "wish": (
        "我同意把我家的这个微心愿放到博爱商城：写物品、规格、价格、镇街、年龄段、化名和为什么需要，不写姓名、住址、学校和出生日期；"
        "圆梦后写下的感谢经审核后也公布。我可以随时撤回，撤回后心愿和感谢立即撤下，已经买好的物品仍会送到。",
        "I agree that this wish of ours is shown in the wish shop: item, specification, price, town, age band, an alias and why "
        "it is needed, without name, address, school or birth date; thanks that we give are published after review. I may "
        "withdraw this at any time; wish and thanks are then taken down at once, and goods already bought still come.",
    ),
    "wish_photo": (
        "我同意公布心愿和感谢的照片，照片里没有脸、校服、门牌和姓名。我可以随时撤回，撤回后照片立即删除。",
        "I agree that photos of the wish and of our thanks are published, without face, school uniform, house number or name. I "
        "may withdraw this at any time; the photos are then deleted at once.",
    ),
}


def fill(apps, schema_editor):
    for purpose, (zh, en) in TEXTS.items():
        apps.get_model("casework", "ConsentText").objects.get_or_create(
            purpose=purpose, version=1, defaults={"text_zh": zh, "text_en": en, "effective_from": FROM}
        )


CHOICES = [
    ("registration", "建档和审核救助"), ("sharing", "与其他部门共享救助信息"), ("story", "公布故事"),
    ("photo", "公布照片"), ("wish", "公布微心愿"), ("wish_photo", "公布心愿的照片"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("casework", "0004_disability_rows")]

    operations = [
        migrations.AlterField("consent", "purpose", models.CharField(choices=CHOICES, max_length=12)),
        migrations.AlterField("consenttext", "purpose", models.CharField(choices=CHOICES, max_length=12)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
