"""What Django's models can't say, and what earlier rows need.

Step takers: every write of a disbursement notes who did which step; one person's second kind of step on a record is
refused for ever, whoever asks. Periods and versions: one range column packs who (family or member; organization and
centre) and which days, so that an exclusion constraint needs no extension.
"""

import hashlib

from django.db import migrations

NOTE_STEPS = """
CREATE FUNCTION disbursements_note_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  did record;
BEGIN
  FOR did IN SELECT * FROM (VALUES ('applicant', NEW.applicant_id), ('verifier', NEW.verifier_id),
                                   ('approver', NEW.approver_id), ('payer', NEW.payer_id)) AS t(step, person)
             WHERE person IS NOT NULL
  LOOP
    INSERT INTO disbursements_steptaker (disbursement_id, person, step) VALUES (NEW.id, did.person, did.step)
      ON CONFLICT (disbursement_id, person) DO NOTHING;
    IF EXISTS (SELECT 1 FROM disbursements_steptaker
               WHERE disbursement_id = NEW.id AND person = did.person AND step <> did.step) THEN
      RAISE EXCEPTION 'person % did another step of disbursement %', did.person, NEW.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'four_eyes_for_ever';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER note_steps AFTER INSERT OR UPDATE OF applicant_id, verifier_id, approver_id, payer_id
  ON disbursements_disbursement FOR EACH ROW EXECUTE FUNCTION disbursements_note_steps();
INSERT INTO disbursements_steptaker (disbursement_id, person, step)
  SELECT d.id, t.person, t.step FROM disbursements_disbursement d
  CROSS JOIN LATERAL (VALUES ('applicant', d.applicant_id), ('verifier', d.verifier_id), ('approver', d.approver_id),
                             ('payer', d.payer_id)) AS t(step, person)
  WHERE t.person IS NOT NULL ON CONFLICT DO NOTHING;
"""

FORGET_STEPS = """
DROP TRIGGER note_steps ON disbursements_disbursement;
DROP FUNCTION disbursements_note_steps();
"""

PERIODS = """
ALTER TABLE disbursements_aidperiod ADD CONSTRAINT aid_period_{kind}_once EXCLUDE USING gist (
  int8range(family * 100000 + (starts_on - DATE '2000-01-01'), family * 100000 + (ends_on - DATE '2000-01-01')) WITH &&
) WHERE (kind = '{kind}');
"""

RULES = """
ALTER TABLE disbursements_ruleversion ADD CONSTRAINT rule_{kind}_no_overlap EXCLUDE USING gist (
  int8range(organization_id * 100000 + (effective_from - DATE '2000-01-01'),
            organization_id * 100000 + coalesce(effective_to - DATE '2000-01-01', 99999)) WITH &&
) WHERE (kind = '{kind}' AND status = 'published');
"""

KINDS = ("illness", "housing", "education", "temporary")

EARLIER = """
UPDATE disbursements_disbursement SET confirmed_how = 'slip' WHERE status = 'confirmed' AND confirmed_how = '';
INSERT INTO disbursements_bankfile (batch_id, kind, sha256, made_at)
  SELECT id, 'old', file_sha256, released_at FROM disbursements_batch WHERE file_sha256 <> '';
"""


def approved_accounts(apps, schema_editor):
    """Approvals under way keep the bank details they were given for, unless those changed since."""
    Disbursement = apps.get_model("disbursements", "Disbursement")
    SealedField = apps.get_model("casework", "SealedField")
    rows = Disbursement.objects.exclude(household=None).exclude(approved_at=None).select_related("household")
    for row in rows.iterator():
        changed = row.household.bank_changed_at
        if changed is not None and changed >= row.approved_at:
            continue
        digest = hashlib.sha256()
        found = SealedField.objects.filter(
            household=row.household_id, member=None, name__in=["name", "bank_name", "bank_account"]
        ).order_by("name")
        for sealed in found:
            digest.update(hashlib.sha256(bytes(sealed.value)).digest())
        Disbursement.objects.filter(pk=row.pk).update(approved_account=digest.hexdigest())


class Migration(migrations.Migration):
    dependencies = [("disbursements", "0003_assistance_and_confirmation")]

    operations = [
        migrations.RunSQL(NOTE_STEPS, FORGET_STEPS),
        *(
            migrations.RunSQL(
                PERIODS.format(kind=kind),
                f"ALTER TABLE disbursements_aidperiod DROP CONSTRAINT aid_period_{kind}_once",
            )
            for kind in KINDS
        ),
        *(
            migrations.RunSQL(
                RULES.format(kind=kind),
                f"ALTER TABLE disbursements_ruleversion DROP CONSTRAINT rule_{kind}_no_overlap",
            )
            for kind in KINDS
        ),
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
        migrations.RunPython(approved_accounts, migrations.RunPython.noop),
    ]
