"""The stock books by months, so that no report sums a whole history of movements (I2, D3)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.organizations.models import Organization


class GoodsFold(models.Model):
    """How far the movements are folded into GoodsSum: one row. Movements up to `last` were recorded by
    `recorded_until` and are in the sums; later ones are read one by one."""

    last = models.BigIntegerField(default=0)
    recorded_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="goods_fold_one_row")]


class GoodsSum(models.Model):
    """An organization's movements of a civil month of Asia/Shanghai by what was done, in what, from where to where.
    Written only by fold_goods; an invariant compares it with the movements."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    category = models.CharField(max_length=12)
    unit = models.CharField(max_length=12)
    kind = models.CharField(max_length=12)
    from_kind = models.CharField(max_length=12)
    to_kind = models.CharField(max_length=12)
    quantity = models.DecimalField(max_digits=20, decimal_places=3)
    value = models.BigIntegerField(help_text="fen")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month", "category", "unit", "kind", "from_kind", "to_kind"],
                name="goods_sum_once",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, value__gte=0, month__day=1), name="goods_sum_of_a_month"
            ),
        ]
