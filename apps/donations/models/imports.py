"""Lists of offline gifts on their way in (G11): the file, how to read it, what was read, what is wrong with it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.ids import new_public_id
from apps.core.tables.faults import Fault
from apps.core.transitions import StatusChange
from apps.donations import states
from apps.funds.models import MicroFund, Project

I = states.ImportStatus  # noqa: E741


class GiftSource(models.Model):
    """Who keeps lists, and how their columns are read: remembered from the last list that was recorded."""

    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT)
    name = models.CharField(max_length=80)
    columns = models.JSONField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fund", "name"], name="gift_source_once")]


class GiftImport(models.Model):
    """One list being imported. Its gifts are recorded all or none; what was staged goes when it ends."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True)
    source = models.CharField(max_length=80)
    account = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    paid_by = models.CharField(max_length=4, choices=states.PaidBy, default=states.PaidBy.BANK)
    day = models.DateField(null=True)
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    notes = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=states.ImportStatus, default=I.ASKING)
    columns = models.JSONField(null=True)
    known_as = models.CharField(max_length=4, choices=states.Known, blank=True)
    started_at = models.DateTimeField()
    started_by = models.BigIntegerField(null=True)
    started_by_label = models.CharField(max_length=80)
    rows_read = models.PositiveIntegerField(default=0)
    gifts = models.PositiveIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    known_total = models.BigIntegerField(default=0)
    faults = models.PositiveIntegerField(default=0)
    stated_total = models.BigIntegerField(null=True)
    prose = models.JSONField(default=list)
    refusal = models.CharField(max_length=200, blank=True)
    cancel_asked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    gift_list = models.OneToOneField(
        "donations.GiftList", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[I.DONE, I.CANCELLED], finished_at__isnull=False)
                | ~Q(status__in=[I.DONE, I.CANCELLED]) & Q(finished_at__isnull=True),
                name="gift_import_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(gift_list__isnull=True) | Q(status=I.DONE), name="gift_import_list_when_done"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[I.RECORDING, I.DONE]) | Q(faults=0),
                name="gift_import_records_no_fault",
            ),
        ]
        indexes = [models.Index(fields=["status"], name="gift_import_in_work",
                                condition=Q(status__in=["reading", "recording"]))]  # fmt: skip


class GiftImportStatusChange(StatusChange):
    record = models.ForeignKey(GiftImport, on_delete=models.CASCADE, related_name="changes")


class GiftFilePart(models.Model):
    """A piece of the file as it was brought. In the database, so that every worker can read it and no disk keeps it."""

    listing = models.ForeignKey(GiftImport, on_delete=models.CASCADE, related_name="parts")
    n = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["listing", "n"], name="gift_file_part_once")]


class StagedGift(models.Model):
    """A row that was read and is not a gift yet. The table is unlogged: a server's crash empties it, and the list is
    read again. No foreign key, so that COPY checks nothing row by row."""

    listing = models.ForeignKey(GiftImport, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    row = models.PositiveIntegerField()
    day = models.DateField()
    name = models.CharField(max_length=120)
    amount = models.BigIntegerField()
    note = models.CharField(max_length=300)
    reference = models.CharField(max_length=80)
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001  (set in one statement after COPY)
    known = models.BooleanField(db_default=False)

    class Meta:
        indexes = [models.Index(fields=["listing", "row"], name="staged_gift_row")]


class ListFault(models.Model):
    """What is wrong with a cell of a list, as code and detail; words are made when it is shown."""

    listing = models.ForeignKey(GiftImport, on_delete=models.CASCADE)
    row = models.PositiveIntegerField()
    column = models.CharField(max_length=3, blank=True)
    code = models.CharField(max_length=24)
    detail = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [models.Index(fields=["listing", "row"], name="list_fault_row")]

    @property
    def message(self) -> str:
        """This will say it in the reader's language."""
        return Fault(self.row, self.column, self.code, self.detail).message
