from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("disclosures", "0005_year_sums")]

    operations = [
        migrations.AlterField(
            model_name="reportline",
            name="unit",
            field=models.CharField(
                choices=[
                    ("fen", "分"),
                    ("households", "户次"),
                    ("count", "个"),
                    ("quantity", "计量单位的千分之一"),
                ],
                default="fen",
                max_length=10,
            ),
        ),
    ]
