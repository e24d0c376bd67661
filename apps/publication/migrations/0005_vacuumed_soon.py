"""Public rows are vacuumed within about a minute of a withdrawal: until then the index of words still holds the former
versions of withdrawn rows, and time could tell that a word stood in many of them (docs/privacy.md)."""

from django.db import migrations

STORAGE = (
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_insert_scale_factor",
)


class Migration(migrations.Migration):
    dependencies = [("publication", "0004_residual")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE publication_publicrow SET"
            f" ({STORAGE[0]} = 200, {STORAGE[1]} = 0, {STORAGE[2]} = 0.02)",
            f"ALTER TABLE publication_publicrow RESET ({', '.join(STORAGE)})",
        )
    ]
