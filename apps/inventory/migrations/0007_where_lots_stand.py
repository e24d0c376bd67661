"""Lists of lots narrowed to where they stand walk an index of those alone."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

NAMES = ("in_stock", "in_transit", "returned", "sold", "written_off", "converted")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("inventory", "0006_party_words")]

    operations = [
        AddIndexConcurrently(
            model_name="lottotal",
            index=models.Index(
                fields=["-lot"], name=f"lot_total_{name}", condition=models.Q((f"{name}__gt", 0))
            ),
        )
        for name in NAMES
    ]
