from django.db import migrations, models

from apps.core.text import unit_line

SOME = 2_000
FIELDS = {"Consignment": ("donor_name",), "Dispatch": ("receiver_name", "purpose")}
INDEX = (
    "CREATE INDEX CONCURRENTLY {0}_by_words ON inventory_{0} USING gin (goods_lexemes_v1(folded)) "
    "WITH (fastupdate = off)"
)


def write_units(apps, editor):
    """Givers, receivers and purposes as units, some rows at a time."""
    for name, fields in FIELDS.items():
        model, last = apps.get_model("inventory", name), 0
        while rows := list(model.objects.filter(pk__gt=last).order_by("pk")[:SOME]):
            for row in rows:
                row.folded = unit_line([getattr(row, field) for field in fields])
            model.objects.bulk_update(rows, ["folded"])
            last = rows[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inventory", "0005_transfers")]

    operations = [
        migrations.AddField(
            model_name="consignment",
            name="folded",
            field=models.TextField(db_default="", default="", editable=False),
        ),
        migrations.AddField(
            model_name="dispatch",
            name="folded",
            field=models.TextField(db_default="", default="", editable=False),
        ),
        migrations.RunPython(write_units, migrations.RunPython.noop),
        *(
            migrations.RunSQL(INDEX.format(table), f"DROP INDEX CONCURRENTLY {table}_by_words")
            for table in ("consignment", "dispatch")
        ),
    ]
