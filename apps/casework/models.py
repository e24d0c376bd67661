"""Household case files. Direct identifiers are encrypted with the household's own key; equality search only through a
keyed hash in a table of its own; every read of private fields leaves an append-only row (C1, C2)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id
from apps.places.models import Town


class IncomeTier(models.TextChoices):
    DIBAO = "dibao", _("低保")
    LOW_INCOME = "low_income", _("低收入")
    TEKUN = "tekun", _("特困")
    CHILD = "child", _("困境儿童")
    EXPENSE = "expense", _("支出型困难")


class PrivateField(models.TextChoices):
    NAME = "name", _("户主姓名")
    ID_NUMBER = "id_number", _("身份证号")
    PHONE = "phone", _("电话")
    ADDRESS = "address", _("住址")
    BANK_NAME = "bank_name", _("开户行")
    BANK_ACCOUNT = "bank_account", _("银行账号")


class Household(models.Model):
    """A family's file. `file_number` is what lists show; `data_key` is wrapped and destroyed by erasure."""

    file_number = models.CharField(max_length=20, unique=True)
    key_name = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    town = models.ForeignKey(Town, on_delete=models.PROTECT)
    income_tier = models.CharField(max_length=12, choices=IncomeTier)
    people = models.PositiveSmallIntegerField(default=1)
    data_key = models.BinaryField(null=True)
    registered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()
    consented_at = models.DateTimeField()
    bank_changed_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True, data_key__isnull=False)
                | Q(erased_at__isnull=False, data_key__isnull=True),
                name="household_erased_without_key",
            ),
        ]


class SealedField(models.Model):
    """One encrypted value of a household."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="sealed")
    name = models.CharField(max_length=14, choices=PrivateField)
    value = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["household", "name"], name="sealed_field_once")]


class BlindIndex(models.Model):
    """Keyed hashes for equality search: a table of its own, without history, so that erasure erases (C1)."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="indexed")
    name = models.CharField(max_length=14, choices=PrivateField)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["household", "name"], name="blind_index_once")]
        indexes = [models.Index(fields=["name", "digest"], name="blind_index_lookup")]


@append_only
class AccessRow(models.Model):
    """Who read which private fields of which file, and why (C2)."""

    household = models.BigIntegerField()
    person = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80)
    fields = models.CharField(max_length=160)
    reason = models.CharField(max_length=200)
    read_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="access_has_reason")]
        indexes = [models.Index(fields=["household", "-id"], name="access_by_household")]
        triggers = refuse_change("accessrow")
