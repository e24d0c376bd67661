"""Lists of goods on their way in: the file as read, what had to be asked, what was answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.ids import new_public_id
from apps.inventory import states
from apps.inventory.models.places import Warehouse


class GoodsImport(models.Model):
    """One list being imported: all of its rows are recorded, or none."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(max_length=8, choices=states.ListKind)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT)
    source = models.CharField(max_length=80)
    day = models.DateField()
    category = models.CharField(max_length=12, choices=states.Category)
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=states.ListStatus, default=states.ListStatus.ASKING)
    columns = models.JSONField(default=dict)
    answers = models.JSONField(default=dict)
    prose = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    known_as = models.CharField(max_length=4, choices=states.Known, blank=True)
    recorded = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    started_by = models.BigIntegerField(null=True)
    started_by_label = models.CharField(max_length=80)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["recorded", "dropped"], finished_at__isnull=False)
                | Q(status__in=["asking", "ready"], finished_at__isnull=True),
                name="goods_import_finished",
            )
        ]


class GoodsImportRow(models.Model):
    """A line of the list as it stands there; `cells` are its texts, so that answers can be applied again."""

    listing = models.ForeignKey(GoodsImport, on_delete=models.CASCADE, related_name="rows")
    row = models.PositiveIntegerField()
    last_row = models.PositiveIntegerField()
    party = models.CharField(max_length=300)
    carried = models.BooleanField(default=False)
    item = models.CharField(max_length=300)
    spec = models.CharField(max_length=300, blank=True)
    amount = models.CharField(max_length=80, blank=True)
    unit_word = models.CharField(max_length=40, blank=True)
    day = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=300, blank=True)
    at = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["listing", "row"], name="goods_import_row_once")]
