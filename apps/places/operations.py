from __future__ import annotations

import datetime as dt

from apps.core.actors import Actor
from apps.core.policies import authorize
from apps.places.models import Holiday, Town
from apps.places.policies import can_manage_holidays, can_manage_towns


def add_town(*, actor: Actor, code: str, name_zh: str, name_en: str, position: int = 0) -> Town:
    """This will add a town of the city, or correct its names; safe to repeat by `code`."""
    authorize(can_manage_towns, actor)
    town, _ = Town.objects.update_or_create(
        code=code, defaults={"name_zh": name_zh, "name_en": name_en, "position": position}
    )
    return town


def set_holiday(
    *, actor: Actor, day: dt.date, name_zh: str, name_en: str, source: str, is_working: bool = False
) -> Holiday:
    """This will write down a public holiday, or with `is_working` a weekend day worked in exchange; safe to repeat by
    `day`. Dates of duties that were opened before stay as they are."""
    authorize(can_manage_holidays, actor)
    holiday, _ = Holiday.objects.update_or_create(
        day=day,
        defaults={"name_zh": name_zh, "name_en": name_en, "source": source, "is_working": is_working},
    )
    return holiday
