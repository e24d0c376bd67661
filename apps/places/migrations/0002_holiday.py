"""Public holidays and weekend days worked in exchange, as data."""

import datetime as dt

from django.db import migrations, models

SOURCE = "国务院办公厅关于2026年部分节假日安排的通知（转录，请核对原文）"
HOLIDAYS = [
    ("2026-01-01", 3, "元旦", "New Year"),
    ("2026-02-15", 9, "春节", "Spring Festival"),
    ("2026-04-04", 3, "清明节", "Tomb-Sweeping Day"),
    ("2026-05-01", 5, "劳动节", "Labour Day"),
    ("2026-06-19", 3, "端午节", "Dragon Boat Festival"),
    ("2026-09-25", 3, "中秋节", "Mid-Autumn Festival"),
    ("2026-10-01", 7, "国庆节", "National Day"),
]
WORKED = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]


def load(apps, schema_editor):
    holiday = apps.get_model("places", "Holiday")
    for first, days, zh, en in HOLIDAYS:
        for n in range(days):
            day = dt.date.fromisoformat(first) + dt.timedelta(days=n)
            holiday.objects.get_or_create(day=day, defaults={"name_zh": zh, "name_en": en, "source": SOURCE})
    for day in WORKED:
        holiday.objects.get_or_create(
            day=dt.date.fromisoformat(day),
            defaults={
                "name_zh": "调休上班",
                "name_en": "Worked in exchange",
                "is_working": True,
                "source": SOURCE,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("places", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Holiday",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(unique=True)),
                ("name_zh", models.CharField(max_length=40)),
                ("name_en", models.CharField(max_length=60)),
                ("is_working", models.BooleanField(default=False)),
                ("source", models.CharField(max_length=120)),
            ],
            options={"ordering": ["day"]},
        ),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
