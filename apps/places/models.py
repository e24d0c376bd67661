"""The city's towns (镇街). `code` is stable and appears in addresses; names are shown."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language


class Town(models.Model):
    code = models.SlugField(unique=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class Holiday(models.Model):
    """A day that the State Council's notice of the year takes out of the working week (a public holiday), or puts into
    it (`is_working`: a weekend day worked in exchange, 调休). Days without a row follow the week."""

    day = models.DateField(unique=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    is_working = models.BooleanField(default=False)
    source = models.CharField(max_length=120)

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh
