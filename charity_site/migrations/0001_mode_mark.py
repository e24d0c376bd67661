from django.conf import settings
from django.db import migrations

FORWARD = """
CREATE TABLE charity_site_mode (
    id smallint PRIMARY KEY DEFAULT 1 CONSTRAINT mode_one_row CHECK (id = 1),
    mode text NOT NULL CONSTRAINT mode_known CHECK (mode IN ('demonstration', 'production')),
    marked_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION charity_site_mode_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the mode of a database never changes';
END $$;
CREATE TRIGGER mode_no_change BEFORE UPDATE OR DELETE ON charity_site_mode
    FOR EACH ROW EXECUTE FUNCTION charity_site_mode_stays();
CREATE TRIGGER mode_no_truncate BEFORE TRUNCATE ON charity_site_mode
    FOR EACH STATEMENT EXECUTE FUNCTION charity_site_mode_stays();
"""


def mark(apps, schema_editor):
    schema_editor.execute("INSERT INTO charity_site_mode (mode) VALUES (%s)", [settings.MODE])


class Migration(migrations.Migration):
    """The mode of a database, written once by its first migration and never changed."""

    initial = True
    operations = [
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
