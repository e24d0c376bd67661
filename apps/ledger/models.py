"""The double-entry ledger. Entries, lines, lots and allocations only grow; balances, deltas and reservations are
derived and guarded. Composite foreign keys (migration 0002) make mixing currencies impossible to express."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change
from apps.ledger import states


class Book(models.Model):
    """Whose accounts these are. All gifts enter the federation's book (F1)."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    owner = models.BigIntegerField(null=True)
    """The organization whose book it is, opaque here."""


class Channel(models.Model):
    """The way money came or went, as reports break income down."""

    code = models.SlugField(unique=True)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)


class AccountCode(models.Model):
    """The official chart (财会〔2024〕25号) as data: which code a role carries, from when. 5201 and 5301
    changed meaning
    in 2026, so a code without its dates says nothing."""

    role = models.CharField(max_length=20, choices=states.AccountRole)
    code = models.CharField(max_length=8)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    source = models.CharField(max_length=120)
    effective_from = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "effective_from"], name="account_code_once")]


class Account(models.Model):
    book = models.ForeignKey(Book, on_delete=models.PROTECT)
    role = models.CharField(max_length=20, choices=states.AccountRole)
    nature = models.CharField(max_length=10, choices=states.Nature)
    currency = models.CharField(max_length=3)
    bears_earmark = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "role", "currency"], name="account_once"),
            models.UniqueConstraint(fields=["id", "currency", "bears_earmark"], name="account_key_of_lines"),
            models.CheckConstraint(
                condition=Q(bears_earmark=True, nature__in=["net_asset", "income", "expense"])
                | Q(bears_earmark=False, nature__in=["asset", "liability"]),
                name="account_earmark_by_nature",
            ),
        ]


class Earmark(models.Model):
    """What money is for. `owner` is the id of a fund, project or wish, opaque here."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT)
    kind = models.CharField(max_length=12, choices=states.EarmarkKind)
    owner = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "owner", "currency"], name="earmark_once"),
            models.UniqueConstraint(fields=["id", "currency"], name="earmark_key_of_lines"),
        ]


class EarmarkBalance(models.Model):
    """What an earmark holds. Minor units. Locked first by everything that spends, holds, refunds or moves."""

    earmark = models.OneToOneField(
        Earmark, on_delete=models.PROTECT, primary_key=True, related_name="balance"
    )
    available = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    next_seq = models.BigIntegerField(default=1)
    raised = models.BigIntegerField(default=0)
    income = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    disputed = models.BigIntegerField(default=0)
    fees = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0)
    moved_in = models.BigIntegerField(default=0)
    moved_out = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(available__gte=0), name="earmark_never_below_zero"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="earmark_reserved_not_negative"),
            models.CheckConstraint(
                condition=Q(
                    available=F("raised")
                    + F("income")
                    + F("moved_in")
                    - F("moved_out")
                    - F("refunded")
                    - F("disputed")
                    - F("fees")
                    - F("spent")
                    - F("reserved")
                ),
                name="earmark_columns_close",
            ),
        ]


@append_only
class Entry(models.Model):
    kind = models.CharField(max_length=10, choices=states.EntryKind)
    idempotency_key = models.CharField(max_length=120, unique=True)
    currency = models.CharField(max_length=3)
    line_count = models.SmallIntegerField()
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor_person = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(line_count__gte=2), name="entry_two_lines"),
            models.UniqueConstraint(fields=["id", "currency"], name="entry_key_of_lines"),
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False)
                | ~Q(kind="reversal") & Q(reverses__isnull=True),
                name="entry_reversal_names_entry",
            ),
        ]
        indexes = [
            models.Index(fields=["effective_at", "kind"], name="entry_effective"),
            models.Index(fields=["recorded_at"], name="entry_recorded"),
        ]
        triggers = refuse_change("entry")


@append_only
class Line(models.Model):
    """Debit positive, credit negative; the lines of an entry sum to zero (deferred trigger, migration 0002)."""

    # The composite keys of migration 0002 hold entry, account and earmark; a second, plain key would check them twice.
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="lines", db_constraint=False)
    n = models.SmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, db_constraint=False)
    bears_earmark = models.BooleanField()
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT, null=True, db_constraint=False)
    budget_line = models.BigIntegerField(null=True)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "n"], name="line_number_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="line_not_zero"),
            models.CheckConstraint(
                condition=Q(bears_earmark=True, earmark__isnull=False)
                | Q(bears_earmark=False, earmark__isnull=True),
                name="line_earmark_by_account",
            ),
        ]
        triggers = refuse_change("line")


@append_only
class GiveBack(models.Model):
    """A part of a payment that came back while the rest stays paid. `n` counts a payment's parts: of two written at
    once one is refused, and the parts of a payment never sum to more than it (trigger, migration 0007)."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    payment = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="given_back")
    n = models.PositiveSmallIntegerField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "n"], name="give_back_in_order"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="give_back_positive"),
        ]
        triggers = refuse_change("giveback")


class Delta(models.Model):
    """A credit that no one has folded into its earmark's balance yet. Inserting one takes no lock."""

    line = models.OneToOneField(Line, on_delete=models.PROTECT, primary_key=True)
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT, related_name="deltas")
    kind = models.CharField(max_length=10, choices=[("raised", "raised"), ("income", "income")])
    amount = models.BigIntegerField()
    settled_at = models.DateTimeField()
    origin = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="delta_is_credit")]


@append_only
class Lot(models.Model):
    """A gift's money in one earmark, numbered in the order that spending consumes it (T2). `origin` is the gift."""

    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT)
    seq = models.BigIntegerField()
    origin = models.BigIntegerField(null=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT)
    amount = models.BigIntegerField()
    settled_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["earmark", "seq"], name="lot_seq_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="lot_is_credit"),
        ]
        indexes = [models.Index(fields=["origin"], name="lot_origin", condition=Q(origin__isnull=False))]
        triggers = refuse_change("lot")


class LotBalance(models.Model):
    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, primary_key=True, related_name="balance")
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT, db_index=False)
    seq = models.BigIntegerField()
    remaining = models.BigIntegerField()
    held = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(held__gte=0) & Q(held__lte=F("remaining")), name="lot_held_within"
            ),
        ]
        indexes = [
            models.Index(fields=["earmark", "seq"], name="lot_free", condition=Q(remaining__gt=F("held")))
        ]


@append_only
class Allocation(models.Model):
    """Which lot paid for which entry; negative rows are those of a reversal."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="allocations")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="allocations")
    kind = models.CharField(max_length=8, choices=states.AllocationKind)
    amount = models.BigIntegerField()
    rule = models.SmallIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="allocation_not_zero")]
        triggers = refuse_change("allocation")


class Reservation(models.Model):
    """Money promised: an approved payment, or a refund on its way. `purpose` names the record it stands for."""

    kind = models.CharField(max_length=8, choices=states.ReservationKind)
    purpose = models.CharField(max_length=80)
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT)
    amount = models.BigIntegerField()
    status = models.CharField(
        max_length=8, choices=states.ReservationStatus, default=states.ReservationStatus.OPEN
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose"], condition=Q(status="open"), name="reservation_open_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="reservation_positive"),
            models.CheckConstraint(
                condition=Q(status="open", closed_at__isnull=True, entry__isnull=True)
                | Q(status="consumed", closed_at__isnull=False, entry__isnull=False)
                | Q(status="void", closed_at__isnull=False, entry__isnull=True),
                name="reservation_status_fields",
            ),
        ]


class RefundHold(models.Model):
    """Which lots a refund's reservation holds."""

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="holds")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_hold_positive")]


@append_only
class AllocationRule(models.Model):
    """The published rule by which money is attributed (T2), one row a version."""

    version = models.SmallIntegerField(unique=True)
    text_zh = models.TextField()
    text_en = models.TextField()
    effective_from = models.DateField()

    class Meta:
        triggers = refuse_change("allocationrule")
