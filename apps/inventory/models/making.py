"""Lots made of lots: kits by a stated recipe, a unit changed by a stated factor. What goes in closes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.accounts.models import Person
from apps.inventory import states
from apps.inventory.models.places import Unit, Warehouse


class Recipe(models.Model):
    """What one kit is made of."""

    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT)
    name = models.CharField(max_length=80)
    category = models.CharField(max_length=12, choices=states.Category)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    stated_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    stated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["warehouse", "name"], name="recipe_once")]


class RecipePart(models.Model):
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="parts")
    n = models.PositiveSmallIntegerField()
    item = models.CharField(max_length=120)
    category = models.CharField(max_length=12, choices=states.Category)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    quantity = models.DecimalField(max_digits=12, decimal_places=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "n"], name="recipe_part_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="recipe_part_positive"),
        ]


class Conversion(models.Model):
    """One making: which recipe or factor, by whom."""

    kind = models.CharField(max_length=6, choices=states.Making)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT)
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, null=True)
    factor = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="unit", factor__gt=0, recipe__isnull=True)
                | Q(kind__in=["kit", "unkit"], factor__isnull=True, recipe__isnull=False),
                name="conversion_states_how",
            )
        ]
