"""月捐: what a donor promised to give every month. Each month that was collected is a gift of its own."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from apps.core.ids import new_token
from apps.core.transitions import StatusChange
from apps.donations import states
from apps.funds.models import MicroFund, Project
from apps.payments.models import Subscription

M = states.MonthlyStatus


class MonthlyGift(models.Model):
    """Whoever holds `token` is the donor (G2). `amount` is what the next month will be, minor units."""

    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=states.MonthlyStatus, default=M.OPENED)
    shown_as = models.CharField(max_length=10, choices=states.ShownAs, default=states.ShownAs.ANONYMOUS)
    shown_name = models.CharField(max_length=40, blank=True)
    payer = models.CharField(max_length=120, blank=True)
    payer_code = models.CharField(max_length=20, blank=True)
    email = models.EmailField()
    dedication = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=140, blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    request_key = models.CharField(max_length=64, unique=True)
    subscription = models.OneToOneField(Subscription, on_delete=models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="monthly_gift_positive"),
            models.CheckConstraint(condition=~Q(email=""), name="monthly_gift_has_address"),
            models.CheckConstraint(
                condition=~Q(shown_as="anonymous") | Q(shown_name=""), name="monthly_anonymous_has_no_name"
            ),
        ]
        indexes = [
            models.Index(Upper("email"), F("opened_at").desc(), F("id").desc(), name="monthly_by_email")
        ]


class MonthlyGiftStatusChange(StatusChange):
    record = models.ForeignKey(MonthlyGift, on_delete=models.PROTECT, related_name="changes")
