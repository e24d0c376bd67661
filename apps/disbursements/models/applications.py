from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.casework.models import Household, Member
from apps.core.append_only import append_only, refuse_change
from apps.disbursements import states
from apps.disbursements.models.paying import Disbursement
from apps.disbursements.models.rules import RuleVersion
from apps.places.models import Town


@append_only
class Application(models.Model):
    """What a family was found to need, and the amount explained line by line as it was when sent: rule version, facts
    and lines don't change any more (C6). Each payment of it is a disbursement with the four steps (P1)."""

    rule = models.ForeignKey(RuleVersion, on_delete=models.PROTECT)
    kind = models.CharField(max_length=10, choices=states.AidKind)
    household = models.ForeignKey(Household, on_delete=models.PROTECT)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True)
    facts = models.JSONField()
    lines = models.JSONField()
    amount = models.BigIntegerField()
    stages = models.JSONField(default=list)
    starts_on = models.DateField()
    ends_on = models.DateField()
    attachments = models.JSONField(default=list)
    applied_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="application_positive"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="application_period"),
            models.CheckConstraint(
                condition=~Q(kind="education") | Q(member__isnull=False), name="application_education_names_member"
            ),
        ]  # fmt: skip
        triggers = refuse_change("application")


class AidPeriod(models.Model):
    """The span an application covers, while it is not turned down. `place` packs family (or member) and day, so that
    one range column refuses overlapping periods (exclusion constraint of migration 0004)."""

    application = models.OneToOneField(Application, on_delete=models.PROTECT, primary_key=True)
    kind = models.CharField(max_length=10)
    family = models.BigIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()


class AidedPerson(models.Model):
    """That somebody had a kind of aid in a year, whatever file they stand in: a keyed hash bound to kind and year,
    which matches nothing else. Without history; goes with the application's refusal and with erasure."""

    mark = models.CharField(max_length=64, unique=True)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="persons")


@append_only
class AidAlert(models.Model):
    """Aid within 12 months to somebody who also stands in another file (C3), told to one person or one town's
    reviewers. It names towns, never the other file."""

    disbursement = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="alerts")
    other_town = models.ForeignKey(Town, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True, related_name="+")
    shows_number = models.BooleanField(default=True)
    raised_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, town__isnull=True) | Q(person__isnull=True, town__isnull=False),
                name="aid_alert_one_reader",
            )
        ]  # fmt: skip
        triggers = refuse_change("aidalert")
