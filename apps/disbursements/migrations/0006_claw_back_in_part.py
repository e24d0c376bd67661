"""Claw-backs of a part. What was clawed back so far was clawed back whole; from now on a disbursement's sum is what its
agreed claw-backs say, whoever writes either of the two."""

from django.db import migrations, models

EARLIER = """
UPDATE disbursements_undo u SET amount = d.amount FROM disbursements_disbursement d WHERE d.id = u.disbursement_id;
UPDATE disbursements_disbursement SET clawed_back = amount WHERE status = 'reversed';
"""

SUMS = """
CREATE FUNCTION disbursements_claw_backs_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  which bigint;
  kept bigint;
  agreed numeric;
BEGIN
  IF TG_TABLE_NAME = 'disbursements_disbursement' THEN which := NEW.id;
  ELSIF TG_OP = 'DELETE' THEN which := OLD.disbursement_id;
  ELSE which := NEW.disbursement_id; END IF;
  SELECT clawed_back INTO kept FROM disbursements_disbursement WHERE id = which;
  SELECT coalesce(sum(u.amount), 0) INTO agreed FROM disbursements_undo u
    WHERE u.disbursement_id = which AND u.kind = 'clawback' AND u.agreed;
  IF kept <> agreed THEN
    RAISE EXCEPTION 'disbursement % says % was clawed back, its requests say %', which, kept, agreed
      USING ERRCODE = 'check_violation', CONSTRAINT = 'clawed_back_is_its_undos';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER clawed_back_is_its_undos AFTER UPDATE OF clawed_back ON disbursements_disbursement
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION disbursements_claw_backs_sum();
CREATE CONSTRAINT TRIGGER undo_is_in_clawed_back AFTER INSERT OR UPDATE OR DELETE ON disbursements_undo
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION disbursements_claw_backs_sum();
"""
NO_SUMS = """
DROP TRIGGER undo_is_in_clawed_back ON disbursements_undo;
DROP TRIGGER clawed_back_is_its_undos ON disbursements_disbursement;
DROP FUNCTION disbursements_claw_backs_sum();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_public_ids"),
        ("casework", "0005_wish_consents"),
        ("disbursements", "0005_confirmed_how"),
        ("funds", "0002_book_owner"),
        ("ledger", "0007_give_back"),
        ("places", "0002_holiday"),
    ]

    operations = [
        migrations.AddField(
            model_name="disbursement",
            name="clawed_back",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="undo",
            name="amount",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="disbursement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("clawed_back", 0),
                    models.Q(
                        ("clawed_back__gt", 0),
                        ("clawed_back__lt", models.F("amount")),
                        ("status__in", ["paid", "confirmed"]),
                    ),
                    models.Q(("clawed_back", models.F("amount")), ("status", "reversed")),
                    _connector="OR",
                ),
                name="clawed_back_within_paid",
            ),
        ),
        migrations.AddConstraint(
            model_name="disbursement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "reversed"), _negated=True),
                    ("clawed_back", models.F("amount")),
                    _connector="OR",
                ),
                name="reversed_is_clawed_back_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="undo",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="undo_positive"),
        ),
        migrations.RunSQL(SUMS, NO_SUMS),
    ]
