"""The federation's book learns whose it is: reconciliation stands below this room and can't ask an organization."""

from django.db import migrations


def fill(apps, schema_editor):
    fund = apps.get_model("funds", "MicroFund").objects.order_by("id").first()
    if fund is not None:
        apps.get_model("ledger", "Book").objects.filter(code="federation", owner=None).update(
            owner=fund.organization_id
        )


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial"), ("ledger", "0004_book_owner")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
