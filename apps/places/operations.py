from __future__ import annotations

from apps.core.actors import Actor
from apps.core.policies import authorize
from apps.places.models import Town
from apps.places.policies import can_manage_towns


def add_town(*, actor: Actor, code: str, name_zh: str, name_en: str, position: int = 0) -> Town:
    """This will add a town of the city, or correct its names; safe to repeat by `code`."""
    authorize(can_manage_towns, actor)
    town, _ = Town.objects.update_or_create(
        code=code, defaults={"name_zh": name_zh, "name_en": name_en, "position": position}
    )
    return town
