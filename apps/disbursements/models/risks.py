from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.append_only import append_only, refuse_change
from apps.disbursements import states
from apps.disbursements.models.paying import Disbursement


@append_only
class RiskFlag(models.Model):
    """Something to look at before a payment goes on, with its evidence (P6). Other evidence is another flag."""

    disbursement = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="flags")
    kind = models.CharField(max_length=10, choices=states.FlagKind)
    evidence = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    raised_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["disbursement", "fingerprint"], name="risk_flag_once"),
        ]
        triggers = refuse_change("riskflag")


@append_only
class RiskAnswer(models.Model):
    """What the verifier or the approver found out about a flag."""

    flag = models.ForeignKey(RiskFlag, on_delete=models.PROTECT, related_name="answers")
    step = models.CharField(max_length=9, choices=[("verifier", "verifier"), ("approver", "approver")])
    person = models.BigIntegerField()
    text = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="risk_answer_has_text")]
        triggers = refuse_change("riskanswer")


class DonorMark(models.Model):
    """The keyed hash of an ID number that a donor gave for a receipt, to be compared with families' (P6)."""

    digest = models.CharField(max_length=64)
    gift = models.BigIntegerField(unique=True)

    class Meta:
        indexes = [models.Index(fields=["digest"], name="donor_mark_lookup")]
