"""The shop's lists and counts read their filters from the index of their order; rows that aren't shown stay unread."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

PUBLIC = ("open", "claimed", "in_progress", "delivered", "fulfilled")
NARROWED = ("town", "category", "age_band", "cap", "urgency", "left_bp")
SHOWN = models.Q(("hidden_at", None), ("status__in", PUBLIC))
OPEN = models.Q(("hidden_at", None), ("status", "open"))
MADE = (
    ("wish_shown", ["-opened_at", "-id"], SHOWN, ("status", *NARROWED)),
    ("wish_shown_tab", ["status", "-opened_at", "-id"], SHOWN, NARROWED),
    ("wish_shown_cap", ["cap", "id"], OPEN, NARROWED),
    ("wish_shown_urgent", ["-urgent_rank", "-id"], OPEN, NARROWED),
    ("wish_shown_nearly", ["left_bp", "id"], OPEN, NARROWED),
)
REPLACED = (
    "wish_shop", "wish_open", "wish_open_town", "wish_open_cap", "wish_open_urgent", "wish_open_nearly",
    "wish_shown_facets",
)  # fmt: skip


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wishes", "0003_facets_of_the_shown")]

    operations = [
        *(
            AddIndexConcurrently(
                model_name="wish",
                index=models.Index(fields=fields, name=name, condition=condition, include=include),
            )
            for name, fields, condition, include in MADE
        ),
        *(RemoveIndexConcurrently(model_name="wish", name=name) for name in REPLACED),
    ]
