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
