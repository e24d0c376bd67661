"""Gifts and their receipts. A gift's amount never changes; what became of it is in the ledger."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Now, Upper

from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_check_code, new_token
from apps.core.transitions import StatusChange
from apps.donations import states
from apps.donations.models.monthly import MonthlyGift
from apps.donations.models.team import Team
from apps.funds.models import MicroFund, Project
from apps.ledger.models import Earmark
from apps.payments.models import Payment

G = states.GiftStatus

LINES_ADD_UP = """
IF NEW.kind = 'in_kind' AND NEW.amount IS DISTINCT FROM
   (SELECT sum(amount) FROM donations_receiptline WHERE receipt_id = NEW.id) THEN
  RAISE EXCEPTION 'the lines of receipt % are not its amount', NEW.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_lines_add_up';
END IF;
RETURN NULL;
"""
ANSWERS_WITHIN = """
PERFORM pg_advisory_xact_lock(hashtext('donations_receipt'), NEW.answers_id::integer);
IF (SELECT kind FROM donations_receipt WHERE id = NEW.answers_id) <> NEW.kind THEN
  RAISE EXCEPTION 'receipt % is answered by one of another kind', NEW.answers_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_answers_its_kind';
END IF;
IF (SELECT sign(amount) FROM donations_receipt WHERE id = NEW.answers_id) = sign(NEW.amount)
   OR abs((SELECT amount FROM donations_receipt WHERE id = NEW.answers_id))
      < abs(NEW.amount + (SELECT coalesce(sum(amount), 0) FROM donations_receipt
                          WHERE answers_id = NEW.answers_id)) THEN
  RAISE EXCEPTION 'receipt % is answered by more than it says', NEW.answers_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_answers_within';
END IF;
RETURN NEW;
"""


class GiftList(models.Model):
    """A list of offline gifts as it was imported (G11): its bytes' hash, its rows and its total."""

    source = models.CharField(max_length=80)
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    total = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=80)


class Gift(models.Model):
    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True)
    source = models.CharField(max_length=8, choices=states.Source, default=states.Source.ONLINE)
    status = models.CharField(max_length=8, choices=states.GiftStatus, default=G.OPENED)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    channel = models.CharField(max_length=12)
    shown_as = models.CharField(max_length=10, choices=states.ShownAs, default=states.ShownAs.ANONYMOUS)
    shown_name = models.CharField(max_length=40, blank=True)
    payer = models.CharField(max_length=120, blank=True)
    payer_code = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    message = models.CharField(max_length=140, blank=True)
    dedication = models.CharField(max_length=60, blank=True)
    monthly = models.ForeignKey(MonthlyGift, on_delete=models.PROTECT, null=True, related_name="months")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="given_gifts")
    language = models.CharField(max_length=10, default="zh-hans")
    request_key = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  (unique where given)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT, null=True)
    late = models.CharField(max_length=12, choices=states.LateReason, blank=True)
    fee_on_federation = models.BooleanField(default=False, db_default=False)
    # Offline gifts: the list they came in and their identity in it (../shared rule: G11).
    gift_list = models.ForeignKey(GiftList, on_delete=models.PROTECT, null=True)
    offline_key = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  (unique where given)
    note = models.CharField(max_length=300, blank=True)
    bank_reference = models.CharField(max_length=80, blank=True, db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="gift_positive"),
            models.CheckConstraint(
                condition=Q(status=G.RECEIVED, received_at__isnull=False, earmark__isnull=False)
                | ~Q(status=G.RECEIVED) & Q(received_at__isnull=True, earmark__isnull=True),
                name="gift_received_has_money",
            ),
            models.CheckConstraint(
                condition=Q(source="online", gift_list__isnull=True, offline_key__isnull=True)
                | Q(source="offline", gift_list__isnull=False, offline_key__isnull=False, status=G.RECEIVED),
                name="gift_source_fields",
            ),
            models.CheckConstraint(
                condition=~Q(shown_as="anonymous") | Q(shown_name=""), name="gift_anonymous_has_no_name"
            ),
        ]
        indexes = [
            models.Index(fields=["project"], name="gift_holding_target", condition=Q(status="opened")),
            models.Index(fields=["project", "-received_at", "-id"], name="gift_by_project",
                         condition=Q(status="received")),
            models.Index(fields=["fund", "-received_at", "-id"], name="gift_by_fund", condition=Q(status="received")),
            models.Index(fields=["team", "-received_at", "-id"], name="gift_by_team",
                         condition=Q(status="received", team__isnull=False)),
            models.Index(fields=["-opened_at", "-id"], name="gift_opened", condition=Q(source="online")),
            models.Index(fields=["project", "-opened_at", "-id"], name="gift_opened_by_project",
                         condition=Q(source="online")),
            models.Index(Upper("email"), F("opened_at").desc(), F("id").desc(), name="gift_by_email",
                         condition=~Q(email="")),
        ]  # fmt: skip


class GiftStatusChange(StatusChange):
    record = models.ForeignKey(Gift, on_delete=models.PROTECT, related_name="changes")


class GiftCount(models.Model):
    """How many gifts an earmark has received: a counter per earmark, so that no page counts rows."""

    earmark = models.OneToOneField(Earmark, on_delete=models.PROTECT, primary_key=True)
    gifts = models.BigIntegerField(default=0)


_CODE: Any = Cast("code", models.BigIntegerField()) * Value(10**10)
_NUMBERS = Func(
    _CODE + F("first"), _CODE + F("last"), Value("[]"), function="int8range", output_field=BigIntegerRangeField()
)  # fmt: skip


class ReceiptRange(models.Model):
    """Codes and numbers the finance bureau assigned (G10), entered by the cashier; the demonstration's are marked."""

    code = models.CharField(max_length=8)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    next = models.BigIntegerField()
    is_demonstration = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first__gt=0) & Q(next__gte=F("first")) & Q(next__lte=F("last") + 1),
                name="range_in_bounds",
            ),
            models.UniqueConstraint(fields=["code", "first"], name="receipt_range_once"),
            # Code and number side by side make one whole number, so that a plain range type can keep ranges apart.
            ExclusionConstraint(name="receipt_ranges_apart", expressions=[(_NUMBERS, "&&")]),
        ]


@append_only
class Receipt(models.Model):
    """公益事业捐赠票据. Never changed, never deleted. One of goods (in kind) has no gift, but lines of its own.

    Money that went back is answered by a red-letter one (冲红) in the same numbering: no gift, the receipt it answers,
    a negative amount. Money that came back after all is a positive one that answers the red one. A gift's receipts add
    up to what is still given."""

    gift = models.OneToOneField(Gift, on_delete=models.PROTECT, null=True, related_name="receipt")
    answers = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="answered_by")
    kind = models.CharField(
        max_length=8, choices=states.ReceiptKind, default=states.ReceiptKind.MONEY, db_default="money"
    )
    code = models.CharField(max_length=8)
    number = models.CharField(max_length=10)
    check_code = models.CharField(max_length=6, default=new_check_code)
    payer = models.CharField(max_length=120, blank=True)
    payer_code = models.CharField(max_length=20, blank=True)
    item = models.CharField(max_length=80)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    remark = models.CharField(max_length=200, blank=True)
    issued_by = models.CharField(max_length=40, blank=True)
    issued_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="receipt_number_once"),
            models.CheckConstraint(
                condition=Q(kind="money", gift__isnull=False, answers__isnull=True, amount__gt=0)
                | Q(kind="in_kind", gift__isnull=True, answers__isnull=True, amount__gt=0)
                | Q(gift__isnull=True, answers__isnull=False) & ~Q(amount=0),
                name="receipt_gives_or_answers",
            ),
        ]
        indexes = [models.Index(fields=["number"], name="receipt_by_number")]
        triggers = [
            *refuse_change("receipt"),
            pgtrigger.Trigger(
                name="receipt_answers_within", operation=pgtrigger.Insert, when=pgtrigger.Before,
                condition=pgtrigger.Q(new__answers__isnull=False), func=ANSWERS_WITHIN,
            ),
            pgtrigger.Trigger(
                name="receipt_lines_add_up", operation=pgtrigger.Insert, when=pgtrigger.After,
                timing=pgtrigger.Deferred, func=LINES_ADD_UP,
            ),
        ]  # fmt: skip

    @property
    def full_number(self) -> str:
        """This will write code and number side by side: 18 digits that name one receipt."""
        return self.code + self.number

    @property
    def is_red(self) -> bool:
        """This will tell a red-letter receipt (冲红)."""
        return self.amount < 0
