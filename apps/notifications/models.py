"""What was sent, once per reason. Neither the address nor the text is kept: both stand with the record they tell of."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person


class SentMail(models.Model):
    key = models.CharField(max_length=80, unique=True)
    sent_at = models.DateTimeField(db_default=Now())


class Notice(models.Model):
    """A line on a person's workbench: something of theirs is near, late or came back. `about` is what it tells of, in
    words that were public or the person's own; `path` leads there. Once for a key, whatever crashes."""

    class What(models.TextChoices):
        DUTY_NEAR = "duty_near", _("报告快到期")
        DUTY_LATE = "duty_late", _("报告逾期")
        DUTY_EXTENDED = "duty_extended", _("期限已延长")
        REPORT_RETURNED = "report_returned", _("报告退回修改")
        AUDIT_DRAWN = "audit_drawn", _("您被抽中审计")
        OPINION_GIVEN = "opinion_given", _("审计意见已签署")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="notices")
    key = models.CharField(max_length=80)
    what = models.CharField(max_length=20, choices=What)
    about = models.CharField(max_length=200)
    path = models.CharField(max_length=200)
    due_on = models.DateField(null=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="notice_once")]
        indexes = [models.Index(fields=["person", "-id"], name="notice_of_person")]
