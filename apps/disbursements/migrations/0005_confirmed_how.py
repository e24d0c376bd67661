from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("disbursements", "0004_steps_periods_rules")]

    operations = [
        migrations.RemoveField(model_name="batch", name="file_sha256"),
        migrations.AddConstraint(
            model_name="disbursement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "confirmed"), _negated=True),
                    models.Q(
                        ("confirmed_at__isnull", False),
                        models.Q(
                            ("confirmed_how", "code"),
                            models.Q(
                                ("confirmed_how", "slip"), models.Q(("confirmed_by_slip", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="disbursement_confirmed_how",
            ),
        ),
    ]
