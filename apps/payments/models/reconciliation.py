"""What banks and providers say beside what the ledger says (G12). Lines, matches and explanations only grow."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id
from apps.ledger.models import Book, Line
from apps.payments import states


class BankAccount(models.Model):
    """The charity's own account at a bank, and how that bank's statements are read: remembered from the last one."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT)
    bank = models.CharField(max_length=60)
    number = models.CharField(max_length=40, unique=True)
    currency = models.CharField(max_length=3)
    starts_on = models.DateField()
    columns = models.JSONField(null=True)
    opened_at = models.DateTimeField()
    opened_by = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.bank} {self.number[-4:]}"


class StatementDraft(models.Model):
    """A statement's file that somebody looks at before it is taken in."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(BankAccount, on_delete=models.CASCADE)
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    columns = models.JSONField(null=True)
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)


@append_only
class BankStatement(models.Model):
    """A statement as it was taken in. Minor units; balances where the bank states them on every line."""

    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT)
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    first_day = models.DateField()
    last_day = models.DateField()
    opening = models.BigIntegerField(null=True)
    closing = models.BigIntegerField(null=True)
    rows = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    credits = models.BigIntegerField()
    debits = models.BigIntegerField()
    imported_at = models.DateTimeField()
    imported_by = models.BigIntegerField(null=True)
    imported_by_label = models.CharField(max_length=80)

    class Meta:
        triggers = refuse_change("bankstatement")


@append_only
class BankLine(models.Model):
    """A line of a statement: money in positive, out negative. `key` is the identity that gifts in lists have too."""

    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT)
    row = models.PositiveIntegerField()
    day = models.DateField()
    amount = models.BigIntegerField()
    balance = models.BigIntegerField(null=True)
    name = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=300, blank=True)
    reference = models.CharField(max_length=80, blank=True)
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="bank_line_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="bank_line_not_zero"),
        ]
        indexes = [models.Index(fields=["account", "day", "amount"], name="bank_line_by_day")]
        triggers = refuse_change("bankline")


class ProviderReading(models.Model):
    """How far a provider's balance has been read: from when on it is compared, and until when it is known."""

    provider = models.CharField(max_length=20, unique=True)
    book = models.ForeignKey(Book, on_delete=models.PROTECT)
    since = models.DateTimeField()
    until = models.DateTimeField()


@append_only
class BalanceLine(models.Model):
    """A provider's balance transaction, what it moved and its fee as lines of their own: each has one ledger entry."""

    provider = models.CharField(max_length=20)
    ref = models.CharField(max_length=255)
    part = models.CharField(max_length=6, choices=states.BalancePart)
    kind = models.CharField(max_length=10, choices=states.BalanceKind)
    source_ref = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref", "part"], name="balance_line_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="balance_line_not_zero"),
        ]
        triggers = refuse_change("balanceline")


class Payout(models.Model):
    """Money a provider sends to the bank. Its ledger entry's key is `payout:<provider>:<ref>`."""

    provider = models.CharField(max_length=20)
    ref = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=states.PayoutStatus)
    arrives_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="payout_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_positive"),
        ]


@append_only
class Match(models.Model):
    """One line of theirs and one of ours, for ever (invariant 4). `theirs` and `ours` may differ: that is shown."""

    bank_line = models.OneToOneField(BankLine, on_delete=models.PROTECT, null=True, related_name="match")
    balance_line = models.OneToOneField(
        BalanceLine, on_delete=models.PROTECT, null=True, related_name="match"
    )
    line = models.OneToOneField(Line, on_delete=models.PROTECT, related_name="+")
    theirs = models.BigIntegerField()
    ours = models.BigIntegerField()
    how = models.CharField(max_length=8, choices=states.MatchedBy)
    made_at = models.DateTimeField(db_default=Now())
    made_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(bank_line__isnull=True, balance_line__isnull=False)
                | Q(bank_line__isnull=False, balance_line__isnull=True),
                name="match_one_of_theirs",
            )
        ]
        triggers = refuse_change("match")


@append_only
class Explanation(models.Model):
    """A difference explained by a cashier: a reason is added, the difference never edited away."""

    bank_line = models.ForeignKey(BankLine, on_delete=models.PROTECT, null=True, related_name="+")
    balance_line = models.ForeignKey(BalanceLine, on_delete=models.PROTECT, null=True, related_name="+")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, null=True, related_name="+")
    match = models.ForeignKey(Match, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    explained_by = models.BigIntegerField()
    explained_by_label = models.CharField(max_length=80)
    explained_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="explanation_has_reason"),
            models.CheckConstraint(
                condition=Q(
                    bank_line__isnull=False, balance_line__isnull=True, line__isnull=True, match__isnull=True
                )
                | Q(bank_line__isnull=True, balance_line__isnull=False, line__isnull=True, match__isnull=True)
                | Q(bank_line__isnull=True, balance_line__isnull=True, line__isnull=False, match__isnull=True)
                | Q(
                    bank_line__isnull=True, balance_line__isnull=True, line__isnull=True, match__isnull=False
                ),
                name="explanation_of_one_thing",
            ),
        ]
        triggers = refuse_change("explanation")


class Difference(models.Model):
    """What doesn't agree, as a view over the tables above: theirs only, ours only, or another amount."""

    key = models.CharField(primary_key=True, max_length=40)
    side = models.CharField(max_length=8, choices=states.Side)
    kind = models.CharField(max_length=6, choices=states.DifferenceKind)
    book = models.ForeignKey(Book, on_delete=models.DO_NOTHING, related_name="+")
    bank_line = models.ForeignKey(BankLine, on_delete=models.DO_NOTHING, null=True, related_name="+")
    balance_line = models.ForeignKey(BalanceLine, on_delete=models.DO_NOTHING, null=True, related_name="+")
    line = models.ForeignKey(Line, on_delete=models.DO_NOTHING, null=True, related_name="+")
    match = models.ForeignKey(Match, on_delete=models.DO_NOTHING, null=True, related_name="+")
    day = models.DateField()
    currency = models.CharField(max_length=3)
    theirs = models.BigIntegerField(null=True)
    ours = models.BigIntegerField(null=True)
    explained = models.BooleanField()

    class Meta:
        managed = False
        db_table = "payments_difference"

    @property
    def about(self) -> str:
        """This will say what the line is, in the words of whoever wrote it."""
        if self.bank_line is not None:
            words = (self.bank_line.name, self.bank_line.note, self.bank_line.reference)
        elif self.balance_line is not None:
            words = (
                self.balance_line.get_kind_display(),
                self.balance_line.get_part_display(),
                self.balance_line.ref,
            )
        else:
            assert self.line is not None
            words = (self.line.entry.get_kind_display(), self.line.entry.idempotency_key[:40], "")
        return " · ".join(word for word in words if word)

    @property
    def next_step(self) -> str:
        """This will say what a cashier does about it."""
        return str(states.NEXT_STEP[self.side, self.kind])
