"""The law's yearly ratios as data, and what an organization's own late reports write down at it."""

import datetime as dt

from django.db import migrations, models

SOURCE = "民发〔2026〕12号，自2026年度起"
# kind, licensed, net assets from (10,000 yuan), spending, of income, also of income, management (basis points)
LIMITS = [
    ("foundation", True, 0, 7000, True, 0, 1000),
    ("others", True, 0, 7000, True, 0, 1300),
    ("foundation", False, 6000, 600, False, 0, 1200),
    ("foundation", False, 800, 600, False, 0, 1300),
    ("foundation", False, 400, 700, False, 0, 1500),
    ("foundation", False, 0, 800, False, 0, 2000),
    ("others", False, 1000, 600, False, 0, 1300),
    ("others", False, 500, 700, False, 0, 1400),
    ("others", False, 100, 800, False, 0, 1500),
    ("others", False, 0, 800, False, 5000, 2000),
]


def load(apps, schema_editor):
    limit = apps.get_model("organizations", "RatioLimit")
    for kind, licensed, assets, spending, of_income, also, management in LIMITS:
        limit.objects.get_or_create(
            kind=kind,
            licensed=licensed,
            assets_from=assets * 10_000 * 100,
            effective_from=dt.date(2026, 1, 1),
            defaults={
                "spending_bp": spending,
                "of_income": of_income,
                "also_of_income_bp": also,
                "management_bp": management,
                "management_free_below": 200_000 * 100,
                "fundraising_bp": 300,
                "source": SOURCE,
            },
        )


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="first_report_year",
            field=models.PositiveSmallIntegerField(default=2026),
        ),
        migrations.AddField(
            model_name="organization",
            name="overdue_count",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="organization",
            name="overdue_since",
            field=models.DateField(null=True),
        ),
        migrations.CreateModel(
            name="RatioLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("foundation", "基金会"),
                            ("association", "社会团体"),
                            ("service", "社会服务机构"),
                            ("others", "社会团体和社会服务机构"),
                        ],
                        max_length=12,
                    ),
                ),
                ("licensed", models.BooleanField()),
                ("assets_from", models.BigIntegerField(default=0)),
                ("spending_bp", models.PositiveIntegerField()),
                ("of_income", models.BooleanField()),
                ("also_of_income_bp", models.PositiveIntegerField(default=0)),
                ("management_bp", models.PositiveIntegerField()),
                ("management_free_below", models.BigIntegerField()),
                ("fundraising_bp", models.PositiveIntegerField()),
                ("source", models.CharField(max_length=160)),
                ("effective_from", models.DateField()),
            ],
            options={
                "ordering": ["effective_from", "licensed", "kind", "-assets_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "licensed", "assets_from", "effective_from"), name="ratio_limit_once"
                    )
                ],
            },
        ),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
