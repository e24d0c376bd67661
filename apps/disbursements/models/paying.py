"""Payments to families and suppliers. One row holds the four person ids under constraints that hold for
everybody (P2)."""

from __future__ import annotations

import itertools

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.casework.models import Attachment, Household
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id
from apps.core.transitions import StatusChange
from apps.disbursements import states
from apps.funds.models import BudgetLine, MicroFund, Project
from apps.funds.states import Category
from apps.ledger.models import Earmark
from apps.organizations.models import Organization
from apps.places.models import Town

S = states.Status
FOUR = ("applicant", "verifier", "approver", "payer")


class Batch(models.Model):
    """A bank file's worth of payments, released by one cashier (P4)."""

    number = models.CharField(max_length=20, unique=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    released_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    layout = models.CharField(max_length=8, choices=states.Layout, default=states.Layout.GENERAL)
    finished_at = models.DateTimeField(null=True)


class BankLayout(models.Model):
    """Which of the bank's file layouts an organization pays with; a batch keeps the one it was released under."""

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT)
    layout = models.CharField(max_length=8, choices=states.Layout)
    chosen_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()


@append_only
class BankFile(models.Model):
    """The one content of a batch's file in each format, by its hash: what is asked for again is the same (P4)."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=4)
    sha256 = models.CharField(max_length=64)
    made_by = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "kind"], name="bank_file_once")]
        triggers = refuse_change("bankfile")


class Disbursement(models.Model):
    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=8, choices=states.Kind)
    status = models.CharField(max_length=10, choices=states.Status, default=S.APPLIED)
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT)
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    purpose = models.CharField(max_length=120)
    # Aid
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True)
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True)
    category = models.CharField(max_length=12, choices=Category)
    need = models.TextField(blank=True)
    # Expense (P8)
    payee_name = models.CharField(max_length=120, blank=True)
    payee_bank = models.CharField(max_length=120, blank=True)
    payee_account = models.CharField(max_length=40, blank=True)
    invoice_number = models.CharField(max_length=40, blank=True)
    delivery_note = models.CharField(max_length=200, blank=True)

    applicant = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    verifier = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    approver = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    payer = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by_slip = models.CharField(max_length=60, blank=True)
    confirmed_how = models.CharField(max_length=4, choices=states.ConfirmedHow, blank=True, default="")
    slip_photo = models.ForeignKey(Attachment, on_delete=models.SET_NULL, null=True, related_name="+")
    # Which bank details were approved (P3), as a hash of their sealed bytes: others re-open the approval.
    approved_account = models.CharField(max_length=64, blank=True, default="")
    # Declared with the application: how applicant or family is related to staff; empty when not (P6).
    staff_relation = models.CharField(max_length=120, blank=True, default="")
    application = models.ForeignKey("disbursements.Application", on_delete=models.PROTECT, null=True,
                                    related_name="disbursements")  # fmt: skip
    stage = models.PositiveSmallIntegerField(default=1)
    entry = models.BigIntegerField(null=True)
    # What came back of the payment, the sum of its agreed claw-backs (deferred trigger, migration 0006).
    clawed_back = models.BigIntegerField(default=0, db_default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_positive"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{second}__isnull": True}) | ~Q(**{first: F(second)}),
                    name=f"four_eyes_{first}_not_{second}",
                )
                for first, second in itertools.combinations(FOUR, 2)
            ),
            models.CheckConstraint(
                condition=Q(status__in=[S.APPLIED, S.REJECTED]) | Q(verifier__isnull=False, verified_at__isnull=False),
                name="disbursement_verified_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[S.APPLIED, S.VERIFIED, S.REJECTED])
                | Q(approver__isnull=False, approved_at__isnull=False),
                name="disbursement_approved_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[S.PAYING, S.PAID, S.CONFIRMED]) | Q(payer__isnull=False),
                name="disbursement_payer_before_bank",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[S.PAID, S.CONFIRMED]) | Q(paid_at__isnull=False, entry__isnull=False),
                name="disbursement_paid_has_entry",
            ),
            models.CheckConstraint(
                condition=Q(clawed_back=0)
                | Q(status__in=[S.PAID, S.CONFIRMED], clawed_back__gt=0, clawed_back__lt=F("amount"))
                | Q(status=S.REVERSED, clawed_back=F("amount")), name="clawed_back_within_paid",
            ),
            models.CheckConstraint(
                condition=~Q(status=S.REVERSED) | Q(clawed_back=F("amount")), name="reversed_is_clawed_back_whole",
            ),
            models.CheckConstraint(
                condition=Q(kind="aid", household__isnull=False, town__isnull=False)
                | Q(kind="expense", household__isnull=True) & ~Q(invoice_number="") & ~Q(payee_account=""),
                name="disbursement_kind_fields",
            ),
            models.CheckConstraint(
                condition=~Q(status="confirmed")
                | Q(confirmed_at__isnull=False) & (Q(confirmed_how="code") | Q(confirmed_how="slip") &
                ~Q(confirmed_by_slip="")), name="disbursement_confirmed_how",
            ),
            models.UniqueConstraint(
                fields=["application", "stage"], condition=Q(application__isnull=False) & ~Q(status="rejected"),
                name="application_stage_once",
            ),
            models.UniqueConstraint(
                fields=["payee_account", "invoice_number"], condition=Q(kind="expense") & ~Q(status="rejected"),
                name="invoice_paid_once",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["status", "id"], name="disbursement_queue"),
            models.Index(
                fields=["paid_at", "id"],
                name="disbursement_unconfirmed",
                condition=Q(status="paid", kind="aid"),
            ),
        ]

    @property
    def kept(self) -> int:
        """What the payee keeps, minor units: the amount less what was clawed back."""
        return self.amount - self.clawed_back


class DisbursementStatusChange(StatusChange):
    record = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="changes")


@append_only
class StepTaker(models.Model):
    """Who ever did which of the four steps, also of an approval that was re-opened: the database fills it (a trigger on
    every write of a disbursement) and refuses a person a second kind of step on one record for ever (P2)."""

    disbursement = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="+")
    person = models.BigIntegerField()
    step = models.CharField(max_length=9)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["disbursement", "person"], name="four_eyes_for_ever")]
        triggers = refuse_change("steptaker")


class BatchLine(models.Model):
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="lines")
    n = models.PositiveIntegerField()
    disbursement = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="batch_lines")
    amount = models.BigIntegerField()
    result = models.CharField(max_length=8, choices=states.LineResult, blank=True, default="")
    bank_note = models.CharField(max_length=160, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "n"], name="batch_line_once"),
            models.UniqueConstraint(
                fields=["disbursement"], condition=Q(result=""), name="disbursement_in_one_open_batch"
            ),
        ]


class Transfer(models.Model):
    """Money moved between earmarks of one book, with a reason and two people; public (P9)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT)
    source = models.ForeignKey(Earmark, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Earmark, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_positive"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_between_two"),
            models.CheckConstraint(condition=~Q(reason=""), name="transfer_has_reason"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(approved_by=F("asked_by")),
                name="transfer_two_people",
            ),
        ]
