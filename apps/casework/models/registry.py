"""Relief information shared by other departments (救助信息共享): lists of which only keyed hashes of ID numbers are
kept."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person
from apps.casework.models.household import Household, Member
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id


class RegistryList(models.Model):
    """One list as a department handed it over. The file itself is deleted as soon as it has been read."""

    class Kind(models.TextChoices):
        DIBAO = "dibao", _("低保")
        LOW_INCOME = "low_income", _("低收入")
        TEKUN = "tekun", _("特困")
        DISABILITY = "disability", _("残疾")
        CHILD = "child", _("困境儿童")

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("待读取")
        READY = "ready", _("待确认")
        APPLYING = "applying", _("生效中")
        LIVE = "live", _("现行")
        REPLACED = "replaced", _("已被新名单替换")
        REFUSED = "refused", _("不能用")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    source = models.CharField(max_length=120)
    as_of = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.UPLOADED)
    file_name = models.CharField(max_length=120)
    columns = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list)
    matched = models.PositiveIntegerField(default=0)
    uploaded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    applied_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(status="live"), name="registry_one_live_list"
            ),
        ]


class RegistryEntry(models.Model):
    """A person of a list: the keyed hash of their ID number and how long the entry holds."""

    list = models.ForeignKey(RegistryList, on_delete=models.CASCADE, related_name="entries")
    digest = models.CharField(max_length=64)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list", "digest"], name="registry_entry_once"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="registry_period_in_order",
            ),
        ]
        indexes = [models.Index(fields=["digest"], name="registry_by_digest")]


@append_only
class DisabilityRow(models.Model):
    """That a member has a certificate of disability, or not any more: who said so, and from when. The newest row tells
    whether a list may take the mark away again; what a caseworker saw, only a caseworker takes away."""

    class Source(models.TextChoices):
        CASEWORKER = "caseworker", _("社工按证明材料登记")
        REGISTRY = "registry", _("部门名单比对")

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="disability_rows")
    has_disability = models.BooleanField()
    source = models.CharField(max_length=12, choices=Source)
    registry_list = models.BigIntegerField(null=True)
    recorded_by = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(source="registry", recorded_by__isnull=True)
                | Q(source="caseworker", recorded_by__isnull=False, registry_list__isnull=True),
                name="disability_has_source",
            ),
            models.CheckConstraint(
                condition=~Q(source="registry", has_disability=True) | Q(registry_list__isnull=False),
                name="disability_names_its_list",
            ),
        ]
        indexes = [models.Index(fields=["member", "-id"], name="disability_by_member")]
        triggers = refuse_change("disabilityrow")


@append_only
class DuplicateAlert(models.Model):
    """One person stands in two files (C3). Shown to the caseworkers and reviewers of both towns; neither sees the
    other's file."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="alerts")
    other = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="+")
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "other"], name="duplicate_alert_once"),
            models.CheckConstraint(condition=~Q(household=F("other")), name="duplicate_alert_of_two"),
        ]
        triggers = refuse_change("duplicatealert")


class DuplicateAnswer(models.Model):
    """What one town found out about an alert."""

    alert = models.ForeignKey(DuplicateAlert, on_delete=models.PROTECT, related_name="answers")
    town = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "town"], name="duplicate_answer_once_a_town")]
