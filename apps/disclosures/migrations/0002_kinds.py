"""Kinds of duties as data, and the hash of a frozen report held by the database itself."""

import datetime

from django.db import migrations

KINDS = [
    {
        "code": "implementation_progress",
        "effective_from": datetime.date(2026, 1, 1),
        "name_zh": "实施进展报告",
        "name_en": "Implementation progress report",
        "trigger": "implementation_began",
        "months": 3,
        "audited": True,
        "legal_source": "慈善法第七十九条；慈善组织信息公开办法（民政部令第81号）第十条：实施周期超过六个月的，每三个月公开一次",
    },
]
HASH = """
ALTER TABLE disclosures_report ADD CONSTRAINT report_hash_is_of_its_bytes
CHECK (frozen IS NULL OR encode(sha256(frozen), 'hex') = sha256)
"""


def load(apps, schema_editor):
    kind = apps.get_model("disclosures", "DutyKind")
    for row in KINDS:
        key = {name: row[name] for name in ("code", "effective_from")}
        kind.objects.get_or_create(**key, defaults=row)


class Migration(migrations.Migration):
    dependencies = [("disclosures", "0001_reports")]
    operations = [
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL(HASH, "ALTER TABLE disclosures_report DROP CONSTRAINT report_hash_is_of_its_bytes"),
    ]
