"""Indexes by which the breaker reads the latest openings; made beside a running site, so outside a transaction."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("donations", "0009_stopped_attempts")]

    operations = [
        AddIndexConcurrently(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("source", "online")), fields=["-opened_at", "-id"], name="gift_opened"
            ),
        ),
        AddIndexConcurrently(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("source", "online")),
                fields=["project", "-opened_at", "-id"],
                name="gift_opened_by_project",
            ),
        ),
    ]
