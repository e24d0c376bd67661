"""The shop counts what is shown: its index leaves out what a family has taken down, as its filters do."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

PUBLIC = ("open", "claimed", "in_progress", "delivered", "fulfilled")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wishes", "0002_consents_and_errands")]

    operations = [
        AddIndexConcurrently(
            model_name="wish",
            index=models.Index(
                condition=models.Q(("hidden_at", None), ("status__in", PUBLIC)),
                fields=["status"],
                include=("town", "category", "age_band", "cap", "urgency", "left_bp"),
                name="wish_shown_facets",
            ),
        ),
        RemoveIndexConcurrently(model_name="wish", name="wish_facets"),
    ]
