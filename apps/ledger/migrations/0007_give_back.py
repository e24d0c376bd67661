"""A part of a payment that came back, and the second version of the published rule, which says whose money it is."""

import datetime as dt

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

WITHIN = """
CREATE FUNCTION ledger_give_back_within() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  paid numeric;
  own numeric;
  given numeric;
  parts integer;
BEGIN
  SELECT coalesce(sum(l.amount), 0) INTO paid FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id
    WHERE e.id = NEW.payment_id AND e.kind = 'payment' AND l.bears_earmark;
  SELECT -coalesce(sum(l.amount), 0) INTO own FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id
    WHERE e.id = NEW.entry_id AND e.kind = 'giveback' AND l.bears_earmark;
  -- With UNIQUE (payment, n): whoever is the n-th has seen all the parts before it, also when two come at once.
  SELECT count(*), sum(amount) INTO parts, given FROM ledger_giveback WHERE payment_id = NEW.payment_id;
  IF own <> NEW.amount OR parts <> NEW.n OR given > paid
     OR EXISTS (SELECT 1 FROM ledger_entry WHERE reverses_id = NEW.payment_id) THEN
    RAISE EXCEPTION 'payment % of % can''t give back %: % in % parts', NEW.payment_id, paid, NEW.amount, given, parts
      USING ERRCODE = 'check_violation', CONSTRAINT = 'give_back_within_payment';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER give_back_within_payment AFTER INSERT ON ledger_giveback
  FOR EACH ROW EXECUTE FUNCTION ledger_give_back_within();
CREATE FUNCTION ledger_reversed_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_giveback WHERE payment_id = NEW.reverses_id) THEN
    RAISE EXCEPTION 'entry % gave a part back and is not reversed whole', NEW.reverses_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'reversal_of_whole_entry';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER reversal_of_whole_entry AFTER INSERT ON ledger_entry
  FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION ledger_reversed_whole();
"""
NOT_WITHIN = """
DROP TRIGGER reversal_of_whole_entry ON ledger_entry;
DROP FUNCTION ledger_reversed_whole();
DROP TRIGGER give_back_within_payment ON ledger_giveback;
DROP FUNCTION ledger_give_back_within();
"""
RULE_ZH = (
    "每笔资金内先到先用：捐赠按到账先后排队，支出从最早还有余额的捐赠扣起；退款、手续费和改投只动用该笔捐赠自己的钱。"
    "付出后又退回或追回的钱，回到原来扣的那几笔捐赠；只追回一部分的，从最后扣到的那一笔还起。"
)
RULE_EN = (
    "First in, first out within each earmark: gifts queue by the time they settled and spending takes from the oldest "
    "gift that still has money; refunds, fees and redirections touch only the gift's own money. Money that comes back "
    "after a payment returns to the gifts it was taken from; when only a part comes back, the gift taken from last gets "
    "its money first."
)


def tell_rule(apps, schema_editor):
    apps.get_model("ledger", "AllocationRule").objects.get_or_create(
        version=2,
        defaults={"text_zh": RULE_ZH, "text_en": RULE_EN, "effective_from": dt.date(2026, 11, 24)},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0006_goods_entries"),
    ]

    operations = [
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("gift", "捐赠"),
                    ("income", "其他收入"),
                    ("fee", "支付手续费"),
                    ("payout", "结算到银行"),
                    ("refund", "退款"),
                    ("dispute", "拒付"),
                    ("payment", "付款"),
                    ("transfer", "调拨"),
                    ("reversal", "冲正"),
                    ("goods", "实物"),
                    ("giveback", "部分追回"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="GiveBack",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="ledger.entry",
                    ),
                ),
                ("n", models.PositiveSmallIntegerField()),
                ("amount", models.BigIntegerField()),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="given_back",
                        to="ledger.entry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("payment", "n"), name="give_back_in_order"),
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="give_back_positive"),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="giveback",
            trigger=pgtrigger.compiler.Trigger(
                name="giveback_no_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="4ceaaeaa524e8b683d3b81bc69be4285e957d101",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_giveback_no_change_a6ec8",
                    table="ledger_giveback",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="giveback",
            trigger=pgtrigger.compiler.Trigger(
                name="giveback_no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are never removed', TG_TABLE_NAME;",
                    hash="0da4aa25926049a84d481ef5fbf806692ab4aa68",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_giveback_no_truncate_092ce",
                    table="ledger_giveback",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(WITHIN, NOT_WITHIN),
        migrations.RunPython(tell_rule, migrations.RunPython.noop),
    ]
