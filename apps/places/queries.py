from __future__ import annotations

from apps.places.models import Town


def towns() -> list[Town]:
    """This will list the towns in their usual order."""
    return list(Town.objects.all())


def town_names() -> dict[int, tuple[str, str]]:
    """This will give {town id: (Chinese name, English name)}."""
    return {town.pk: (town.name_zh, town.name_en) for town in Town.objects.all()}
