"""The measure words of goods: (key, English, decimal places), and other ways they are written."""

from django.db import migrations

UNITS = [
    ("件", "pieces", 0), ("个", "items", 0), ("箱", "boxes", 0), ("盒", "packs", 0), ("包", "packets", 0),
    ("袋", "bags", 0), ("瓶", "bottles", 0), ("桶", "buckets", 0), ("罐", "cans", 0), ("支", "sticks", 0),
    ("只", "units", 0), ("双", "pairs", 0), ("副", "sets (pairs)", 0), ("套", "sets", 0), ("台", "machines", 0),
    ("辆", "vehicles", 0), ("张", "sheets", 0), ("片", "tablets", 0), ("条", "strips", 0), ("把", "handles", 0),
    ("本", "books", 0), ("床", "bedding", 0), ("份", "portions", 0), ("卷", "rolls", 0), ("块", "blocks", 0),
    ("米", "metres", 2), ("公斤", "kg", 3), ("克", "g", 1), ("吨", "tonnes", 3), ("升", "litres", 3),
    ("毫升", "ml", 0),
]  # fmt: skip
ALIASES = [
    ("kg", "公斤"), ("千克", "公斤"), ("g", "克"), ("t", "吨"), ("l", "升"), ("ml", "毫升"), ("m", "米"), ("pcs", "个"),
    ("对", "双"), ("枚", "个"),
]  # fmt: skip


def load(apps, schema_editor):
    unit, alias = apps.get_model("inventory", "Unit"), apps.get_model("inventory", "UnitAlias")
    unit.objects.bulk_create([unit(code=c, name_en=e, places=p) for c, e, p in UNITS], ignore_conflicts=True)
    alias.objects.bulk_create([alias(word=w, unit_id=u) for w, u in ALIASES], ignore_conflicts=True)


def unload(apps, schema_editor):
    apps.get_model("inventory", "UnitAlias").objects.filter(word__in=[w for w, _ in ALIASES]).delete()
    apps.get_model("inventory", "Unit").objects.filter(code__in=[c for c, _, _ in UNITS]).delete()


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [migrations.RunPython(load, unload)]
