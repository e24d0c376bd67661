"""Wishes stand on a consent in the file; volunteers and their errands."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_public_ids"),
        ("casework", "0005_wish_consents"),
        ("inventory", "0004_word_index"),
        ("places", "0002_holiday"),
        ("wishes", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Volunteer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=apps.core.ids.new_public_id, editable=False, max_length=16, unique=True
                    ),
                ),
                ("name", models.TextField(blank=True)),
                ("phone", models.TextField(blank=True)),
                ("phone_index", models.CharField(max_length=64, unique=True)),
                ("named", models.BooleanField(default=False)),
                ("registered_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
                (
                    "registered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.person"
                    ),
                ),
                (
                    "town",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="places.town",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("person__isnull", True),
                            models.Q(("person", models.F("registered_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="volunteer_not_by_oneself",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Errand",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "待送"),
                            ("recorded", "等确认时长"),
                            ("confirmed", "时长已确认"),
                            ("cancelled", "已取消"),
                        ],
                        default="planned",
                        max_length=10,
                    ),
                ),
                ("planned_at", models.DateTimeField()),
                ("on", models.DateField()),
                ("minutes", models.PositiveSmallIntegerField(null=True)),
                ("recorded_at", models.DateTimeField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.dispatch",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.person"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
                (
                    "town",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="places.town",
                    ),
                ),
                (
                    "warehouse",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.warehouse",
                    ),
                ),
                (
                    "wish",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="errands",
                        to="wishes.wish",
                    ),
                ),
                (
                    "volunteer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="errands",
                        to="wishes.volunteer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["volunteer", "-on"], name="errand_of_volunteer"),
                    models.Index(fields=["status", "-id"], name="errand_queue"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("dispatch__isnull", True),
                                ("town__isnull", False),
                                ("warehouse__isnull", True),
                                ("wish__isnull", False),
                            ),
                            models.Q(
                                ("dispatch__isnull", False),
                                ("town__isnull", True),
                                ("warehouse__isnull", False),
                                ("wish__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="errand_for_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("minutes__isnull", True),
                            models.Q(("minutes__gte", 1), ("minutes__lte", 720)),
                            _connector="OR",
                        ),
                        name="errand_minutes_of_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("confirmed_at__isnull", True),
                                ("confirmed_by__isnull", True),
                                ("minutes__isnull", True),
                                ("recorded_at__isnull", True),
                                ("recorded_by__isnull", True),
                                ("status__in", ["planned", "cancelled"]),
                            ),
                            models.Q(
                                ("confirmed_at__isnull", True),
                                ("confirmed_by__isnull", True),
                                ("minutes__isnull", False),
                                ("recorded_at__isnull", False),
                                ("recorded_by__isnull", False),
                                ("status", "recorded"),
                            ),
                            models.Q(
                                ("confirmed_at__isnull", False),
                                ("confirmed_by__isnull", False),
                                ("minutes__isnull", False),
                                ("recorded_at__isnull", False),
                                ("recorded_by__isnull", False),
                                ("status", "confirmed"),
                            ),
                            _connector="OR",
                        ),
                        name="errand_state_has_its_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmed_by__isnull", True),
                            models.Q(("confirmed_by", models.F("recorded_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="errand_hours_by_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("person__isnull", True),
                            models.Q(
                                models.Q(
                                    ("recorded_by__isnull", True),
                                    models.Q(("recorded_by", models.F("person")), _negated=True),
                                    _connector="OR",
                                ),
                                models.Q(
                                    ("confirmed_by__isnull", True),
                                    models.Q(("confirmed_by", models.F("person")), _negated=True),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="errand_hours_not_by_oneself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErrandStatusChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("from_status", models.CharField(blank=True, max_length=24)),
                ("to_status", models.CharField(max_length=24)),
                ("at", models.DateTimeField()),
                ("actor_person", models.BigIntegerField(null=True)),
                ("actor_label", models.CharField(max_length=80)),
                ("reason", models.TextField(blank=True)),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="wishes.errand",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HoursCertificate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                ("check_code", models.CharField(max_length=16)),
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                ("minutes", models.PositiveIntegerField()),
                ("errands", models.PositiveIntegerField()),
                ("issued_at", models.DateTimeField()),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.person"
                    ),
                ),
                (
                    "volunteer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="certificates",
                        to="wishes.volunteer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_on__gte", models.F("first_on"))),
                        name="hours_certificate_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("minutes__gt", 0), ("errands__gt", 0)),
                        name="hours_certificate_not_empty",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="wish",
            name="consent",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="casework.consent",
            ),
        ),
        migrations.AddField(
            model_name="wish",
            name="consent_for_photo",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="casework.consent",
            ),
        ),
        migrations.AddField(
            model_name="wish",
            name="hidden_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="wish",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "rejected", "withdrawn"]),
                    ("consent__isnull", False),
                    _connector="OR",
                ),
                name="wish_submitted_has_consent",
            ),
        ),
        migrations.AddConstraint(
            model_name="wish",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hidden_at__isnull", True),
                    models.Q(("free", 0), models.Q(("status", "open"), _negated=True)),
                    _connector="OR",
                ),
                name="wish_hidden_not_open",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hourscertificate",
            trigger=pgtrigger.compiler.Trigger(
                name="hourscertificate_no_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="f1fcbdc282eef7013eb6b471c947114223634fdc",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_hourscertificate_no_change_55ffd",
                    table="wishes_hourscertificate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hourscertificate",
            trigger=pgtrigger.compiler.Trigger(
                name="hourscertificate_no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are never removed', TG_TABLE_NAME;",
                    hash="70498e9c723ad5535d45c0dcdb8f836f5f3e761d",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_hourscertificate_no_truncate_95395",
                    table="wishes_hourscertificate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="errand",
            trigger=pgtrigger.compiler.Trigger(
                name="errand_hours_kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\nIF OLD.status = 'confirmed' THEN\n  RAISE EXCEPTION 'the hours of errand % are confirmed', OLD.number\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'errand_hours_kept';\nEND IF;\nRETURN coalesce(NEW, OLD);\n",
                    hash="82dcf69f8377dc35bb4c805db9d8f708c64d1d53",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_errand_hours_kept_4ea94",
                    table="wishes_errand",
                    when="BEFORE",
                ),
            ),
        ),
    ]
