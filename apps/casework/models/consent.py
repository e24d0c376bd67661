"""Consents: one row per purpose, under a numbered text, given and withdrawn by rows that are only ever added."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person
from apps.casework.models.attachment import Attachment
from apps.casework.models.household import Household, Member
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id


class Purpose(models.TextChoices):
    REGISTRATION = "registration", _("建档和审核救助")
    SHARING = "sharing", _("与其他部门共享救助信息")
    STORY = "story", _("公布故事")
    PHOTO = "photo", _("公布照片")
    WISH = "wish", _("公布微心愿")
    WISH_PHOTO = "wish_photo", _("公布心愿的照片")


@append_only
class ConsentText(models.Model):
    """The words that were agreed to, by purpose and version."""

    purpose = models.CharField(max_length=12, choices=Purpose)
    version = models.PositiveSmallIntegerField()
    text_zh = models.TextField()
    text_en = models.TextField(blank=True)
    effective_from = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["purpose", "version"], name="consent_text_version_once"),
            models.CheckConstraint(condition=~Q(text_zh=""), name="consent_text_says_something"),
        ]
        triggers = refuse_change("consenttext")


@append_only
class Consent(models.Model):
    """An agreement of one person to one purpose. `code` is what an editor quotes; it names nobody.

    `under_14` is reckoned from the sealed birth date on the day of giving; below 14 only a guardian's word counts.
    """

    class GivenBy(models.TextChoices):
        SELF = "self", _("本人")
        GUARDIAN = "guardian", _("监护人")
        OFFICE = "office", _("担任监护人的居（村）委会或民政部门")

    code = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="consents")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=12, choices=Purpose)
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+")
    given_by = models.CharField(max_length=10, choices=GivenBy)
    guardian = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    under_14 = models.BooleanField()
    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(under_14=False) | ~Q(given_by="self"), name="consent_below_14_by_guardian"
            ),
            models.CheckConstraint(
                condition=(Q(given_by="guardian") & Q(guardian__isnull=False))
                | (~Q(given_by="guardian") & Q(guardian__isnull=True)),
                name="consent_guardian_named",
            ),
            models.CheckConstraint(
                condition=Q(guardian__isnull=True) | ~Q(guardian=F("member")),
                name="consent_guardian_is_another",
            ),
        ]
        indexes = [models.Index(fields=["household", "purpose", "-id"], name="consent_by_household")]
        triggers = refuse_change("consent")


@append_only
class ConsentWithdrawal(models.Model):
    """The end of a consent: once, and never taken back; a new consent is a new row."""

    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="withdrawal")
    withdrawn_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers = refuse_change("consentwithdrawal")
