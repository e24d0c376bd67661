"""People get random public ids for addresses; secrets of second factors that stood in the clear are sealed."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

import apps.core.ids


def fill(apps_: Any, schema_editor: Any) -> None:
    for person in apps_.get_model("accounts", "Person").objects.filter(public_id=None).iterator():
        person.public_id = apps.core.ids.new_public_id()
        person.save(update_fields=["public_id"])


def seal_all(apps_: Any, schema_editor: Any) -> None:
    from apps.accounts.adapters import PLACE
    from apps.core.crypto import seal

    for row in apps_.get_model("mfa", "Authenticator").objects.iterator():
        for name in ("secret", "seed"):
            value = row.data.get(name)
            if value and ":" not in value:
                row.data[name] = seal(value, PLACE)
        row.save(update_fields=["data"])


def unseal_all(apps_: Any, schema_editor: Any) -> None:
    from apps.accounts.adapters import PLACE
    from apps.core.crypto import unseal

    for row in apps_.get_model("mfa", "Authenticator").objects.iterator():
        for name in ("secret", "seed"):
            value = row.data.get(name)
            if value and ":" in value:
                row.data[name] = unseal(value, PLACE)
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_access"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [
        migrations.AddField(
            "person", "public_id", models.CharField(max_length=16, null=True, editable=False)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            "person",
            "public_id",
            models.CharField(default=apps.core.ids.new_public_id, editable=False, max_length=16, unique=True),
        ),
        migrations.RunPython(seal_all, unseal_all),
    ]
