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
    NONE = "none", _("未认定")


class PrivateField(models.TextChoices):
    NAME = "name", _("户主姓名")
    ID_NUMBER = "id_number", _("身份证号")
    PHONE = "phone", _("电话")
    ADDRESS = "address", _("住址")
    BANK_NAME = "bank_name", _("开户行")
    BANK_ACCOUNT = "bank_account", _("银行账号")


class Relation(models.TextChoices):
    """What a member is to the head of the household."""

    HEAD = "head", _("户主")
    SPOUSE = "spouse", _("配偶")
    CHILD = "child", _("子女")
    PARENT = "parent", _("父母")
    GRANDPARENT = "grandparent", _("祖父母")
    GRANDCHILD = "grandchild", _("孙子女")
    SIBLING = "sibling", _("兄弟姐妹")
    OTHER = "other", _("其他亲属")


class Schooling(models.TextChoices):
    NONE = "none", _("不在学")
    PRESCHOOL = "preschool", _("学前")
    PRIMARY = "primary", _("小学")
    JUNIOR_HIGH = "junior_high", _("初中")
    SENIOR_HIGH = "senior_high", _("高中或中职")
    UNIVERSITY = "university", _("大学")


class MemberField(models.TextChoices):
    """Private fields of one member. The head's name and number are the household's own (PrivateField)."""

    NAME = "name", _("姓名")
    ID_NUMBER = "id_number", _("身份证号")
    BIRTH_DATE = "birth_date", _("出生日期")


SEALED_NAMES = [
    *PrivateField.choices,
    (MemberField.BIRTH_DATE.value, MemberField.BIRTH_DATE.label),
]


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


class Member(models.Model):
    """A person of a household. Name, ID number and birth date are sealed (SealedField); nothing here tells an age."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="members")
    relation = models.CharField(max_length=12, choices=Relation)
    schooling = models.CharField(max_length=12, choices=Schooling, default=Schooling.NONE)
    has_disability = models.BooleanField(default=False)
    added_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household"], condition=Q(relation="head"), name="household_has_one_head"
            ),
        ]


class SealedField(models.Model):
    """One encrypted value of a household, or of one of its members."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="sealed")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, related_name="sealed")
    name = models.CharField(max_length=14, choices=SEALED_NAMES)
    value = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "member", "name"], nulls_distinct=False, name="sealed_value_once"
            )
        ]


class BlindIndex(models.Model):
    """Keyed hashes for equality search: a table of its own, without history, so that erasure erases (C1)."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="indexed")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, related_name="indexed")
    name = models.CharField(max_length=14, choices=PrivateField)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "member", "name"], nulls_distinct=False, name="blind_value_once"
            )
        ]
        indexes = [models.Index(fields=["name", "digest"], name="blind_index_lookup")]


class PrivateTrace(models.Model):
    """Keyed hashes of what a text must not hold (C5): names, and address fragments with a number. No history either."""

    class Kind(models.TextChoices):
        NAME = "name", _("姓名")
        ADDRESS = "address", _("住址")

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="traces")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, related_name="traces")
    kind = models.CharField(max_length=8, choices=Kind)
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["kind", "digest"], name="private_trace_lookup")]


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
