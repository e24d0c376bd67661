"""What Django's models can't say: composite foreign keys and the deferred zero-sum triggers."""

from django.db import migrations

COMPOSITE = [
    ("ledger_line", "line_account_same_currency", "(account_id, currency, bears_earmark)",
     "ledger_account (id, currency, bears_earmark)"),
    ("ledger_line", "line_earmark_same_currency", "(earmark_id, currency)", "ledger_earmark (id, currency)"),
    ("ledger_line", "line_entry_same_currency", "(entry_id, currency)", "ledger_entry (id, currency)"),
]  # fmt: skip

CHECK_ENTRY = """
CREATE FUNCTION ledger_entry_closes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  which bigint;
  lines integer;
  total numeric;
  expected integer;
BEGIN
  IF TG_TABLE_NAME = 'ledger_entry' THEN which := NEW.id; ELSE which := NEW.entry_id; END IF;
  SELECT line_count INTO expected FROM ledger_entry WHERE id = which;
  SELECT count(*), coalesce(sum(amount), 0) INTO lines, total FROM ledger_line WHERE entry_id = which;
  IF lines <> expected OR total <> 0 THEN
    RAISE EXCEPTION 'ledger entry % does not close: % of % lines, sum %', which, lines, expected, total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_lines_sum_to_zero';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_lines_sum_to_zero AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_closes();
CREATE CONSTRAINT TRIGGER line_keeps_entry_closed AFTER INSERT ON ledger_line
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_closes();
"""

DROP_ENTRY = """
DROP TRIGGER line_keeps_entry_closed ON ledger_line;
DROP TRIGGER entry_lines_sum_to_zero ON ledger_entry;
DROP FUNCTION ledger_entry_closes();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY {columns} REFERENCES {target}",
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
            )
            for table, name, columns, target in COMPOSITE
        ),
        migrations.RunSQL(CHECK_ENTRY, DROP_ENTRY),
    ]
