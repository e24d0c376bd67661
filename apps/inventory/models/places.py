"""Units, warehouses and the locations within them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from apps.core.ids import new_public_id
from apps.inventory import states
from apps.organizations.models import Organization
from apps.places.models import Town


class Unit(models.Model):
    """A unit goods are counted in; its key is the Chinese measure word (件, 公斤). `places` is how many decimals a
    quantity may have."""

    code = models.CharField(max_length=10, primary_key=True)
    name_en = models.CharField(max_length=30)
    places = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(places__lte=3), name="unit_places")]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.code


class UnitAlias(models.Model):
    """Another way a unit is written: kg for 公斤."""

    word = models.CharField(max_length=20, primary_key=True)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="aliases")


class Warehouse(models.Model):
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80, blank=True)
    address = models.CharField(max_length=160)
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True)

    def __str__(self) -> str:
        return (self.name_en or self.name) if (get_language() or "").startswith("en") else self.name


class Location(models.Model):
    """A place within a warehouse, or what stands for one: the giver, the road, the recipients."""

    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="locations")
    kind = models.CharField(max_length=12, choices=states.Place)
    name = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["warehouse", "kind", "name"], name="location_once"),
            models.CheckConstraint(condition=~Q(kind="shelf") | ~Q(name=""), name="location_shelf_has_name"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.get_kind_display())
