"""Each tab of the shop walks its own wishes, newest first; the open ones had an index of their own before."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

PUBLIC = ("open", "claimed", "in_progress", "delivered", "fulfilled")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wishes", "0003_facets_of_the_shown")]

    operations = [
        AddIndexConcurrently(
            model_name="wish",
            index=models.Index(
                condition=models.Q(("status__in", PUBLIC)),
                fields=["status", "-opened_at", "-id"],
                name="wish_tab",
            ),
        ),
        RemoveIndexConcurrently(model_name="wish", name="wish_open"),
    ]
