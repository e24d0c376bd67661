"""What the search keeps of its own: which indices exist, which rows wait to be written there, how often both sides were
compared; files of matches being made; searches that people saved."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.ids import new_token
from apps.core.transitions import StatusChange
from search.states import ExportStatus


class SearchIndex(models.Model):
    """An index that writers send every change to. `live` answers; `building` is being filled to take its place."""

    name = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=8, choices=[("building", "building"), ("live", "live")])
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], name="search_index_one_of_each"),
            models.CheckConstraint(
                name="search_index_state_known", condition=Q(state__in=["building", "live"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class WaitingRow(models.Model):
    """A public row that changed and is not yet known to be in the index. Written by the handler of RowsChanged, after
    the change is committed; deleted once every listed index has taken the row as read later."""

    row = models.BigIntegerField()
    since = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.row)


class Comparison(models.Model):
    """One comparison of an index with the public rows: quick by sums, or whole by every id and version."""

    engine = models.CharField(max_length=20)
    whole = models.BooleanField(default=False)
    at = models.DateTimeField()
    seconds = models.FloatField()
    rows = models.PositiveBigIntegerField()
    differing = models.PositiveIntegerField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="search_comparison_newest")]

    def __str__(self) -> str:
        return f"{self.engine} {self.at:%F %T}: {self.differing}"


class ExportJob(models.Model):
    """One file of matches that a worker makes, part by part (S4). Its token is the permission to look at it. The set
    is pinned at the start, every row with its version; a part in which a row has changed meanwhile starts all anew, so
    that the file is what was public at `as_of`. `made` and `written` are what a killed worker left done."""

    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    kind = models.CharField(max_length=4, choices=[("csv", "CSV"), ("xlsx", "XLSX"), ("json", "JSON")])
    query = models.CharField(max_length=4000, blank=True, help_text="the search's own query string")
    language = models.CharField(max_length=10)
    email = models.EmailField(blank=True, help_text="emptied once the mail is on its way")
    asked_at = models.DateTimeField()
    as_of = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=ExportStatus, default=ExportStatus.MAKING)
    total = models.PositiveIntegerField(null=True)
    made = models.PositiveIntegerField(default=0)
    written = models.PositiveBigIntegerField(default=0)
    begun = models.PositiveSmallIntegerField(default=0, help_text="how often the set was pinned")
    file = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(default=dict)
    cancel_asked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="search_export_ends_once",
                condition=Q(status=ExportStatus.MAKING, finished_at__isnull=True)
                | ~Q(status=ExportStatus.MAKING) & Q(finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="search_export_done_is_whole",
                condition=~Q(status__in=[ExportStatus.DONE, ExportStatus.EXPIRED])
                | Q(total=F("made")) & ~Q(sha256=""),
            ),
            models.CheckConstraint(
                name="search_export_within_total", condition=Q(total=None) | Q(made__lte=F("total"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["status"], name="search_export_live", condition=Q(status__in=["making", "done"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"


class ExportStatusChange(StatusChange):
    record = models.ForeignKey(ExportJob, on_delete=models.CASCADE, related_name="changes")


class SavedSearch(models.Model):
    """A question that somebody with an account keeps under a name (S6). Nobody else sees that it was saved."""

    person = models.BigIntegerField(db_index=True)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "query"], name="search_saved_once"),
        ]

    def __str__(self) -> str:
        return self.name
