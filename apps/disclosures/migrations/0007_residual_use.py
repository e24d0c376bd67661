"""What remained of a completed project's aid stands as a use of its closing report."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("disclosures", "0006_quantities"),
        ("publication", "0004_residual"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="reportuse",
            name="report_use_is_one",
        ),
        migrations.AddField(
            model_name="reportuse",
            name="residual",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, to="publication.residual"
            ),
        ),
        migrations.AddConstraint(
            model_name="reportuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("expense__isnull", True), ("release__isnull", False), ("residual__isnull", True)
                    ),
                    models.Q(
                        ("expense__isnull", False), ("release__isnull", True), ("residual__isnull", True)
                    ),
                    models.Q(
                        ("expense__isnull", True), ("release__isnull", True), ("residual__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="report_use_is_one",
            ),
        ),
    ]
