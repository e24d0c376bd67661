from django.db import migrations

from apps.core.text import unit_line

LEXEMES = """
CREATE FUNCTION goods_lexemes_v1(units text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 20000 AS $$
DECLARE
    unit text[] := string_to_array(units, ' ');
    size integer := coalesce(cardinality(unit), 0);
    lexeme text[] := '{}';
BEGIN
    FOR i IN 1..size LOOP
        IF unit[i] <> '/' THEN
            lexeme[cardinality(lexeme) + 1] := unit[i] || CASE
                WHEN i = size OR unit[i + 1] = '/' THEN '$'
                ELSE rtrim(unit[i + 1], '|') END;
        END IF;
    END LOOP;
    RETURN array_to_tsvector(lexeme);
END
$$
"""
# A changed rule is a new function and a new index, never a changed one.
INDEX = """
CREATE INDEX CONCURRENTLY lot_by_words ON inventory_lot USING gin (goods_lexemes_v1(folded)) WITH (fastupdate = off)
"""
SOME = 2_000


def write_units(apps, editor):
    """Item and specification as units, some lots at a time."""
    lot_model = apps.get_model("inventory", "Lot")
    last = 0
    while rows := list(lot_model.objects.filter(pk__gt=last).order_by("pk")[:SOME]):
        for row in rows:
            row.folded = unit_line([row.item, row.spec])
        lot_model.objects.bulk_update(rows, ["folded"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inventory", "0003_constant_check")]

    operations = [
        migrations.RunPython(write_units, migrations.RunPython.noop),
        migrations.RunSQL(LEXEMES, "DROP FUNCTION goods_lexemes_v1(text)"),
        migrations.RunSQL(INDEX, "DROP INDEX CONCURRENTLY lot_by_words"),
    ]
