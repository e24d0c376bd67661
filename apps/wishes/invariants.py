"""A wish's counters are its claims, a claim's money is a gift's, and no public text names anybody (invariants 9)."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from apps.core import clock, invariants
from apps.core.invariants import Finding, first_column
from apps.publication.privacy import find_personal
from apps.wishes.models import SHOWN, Wish

_COUNTERS = """
SELECT w.public_id FROM wishes_wish w
JOIN LATERAL (
  SELECT count(*) FILTER (WHERE u.closed_at IS NULL AND c.id IS NULL) AS free, count(c.id) AS live
  FROM wishes_unit u LEFT JOIN wishes_claim c ON c.unit_id = u.id AND c.ended_at IS NULL WHERE u.wish_id = w.id
) n ON true
WHERE w.status IN ('open', 'claimed', 'in_progress', 'delivered', 'fulfilled')
  AND (n.free <> w.free OR (w.status = 'open') <> (n.free > 0))
   OR w.status IN ('draft', 'town_review', 'city_review', 'rejected', 'withdrawn', 'expired') AND n.live > 0
LIMIT 20
"""
_MONEY = """
SELECT c.public_id FROM wishes_claim c LEFT JOIN donations_gift g ON g.id = c.gift_id
WHERE c.ended_at IS NULL AND c.way = 'money' AND c.status <> 'held' AND g.status <> 'received'
UNION ALL
SELECT g.token FROM donations_gift g
JOIN (SELECT gift_id, sum(amount) AS held FROM wishes_claim WHERE ended_at IS NULL GROUP BY gift_id) h
  ON h.gift_id = g.id
WHERE h.held > g.amount
LIMIT 20
"""


def wishes_stand_where_their_claims_are() -> Finding:
    """This will recount every wish's free units, and the money behind every claim (W3)."""
    return Finding(str(Wish.objects.count()), [f"wish {row}" for row in first_column(_COUNTERS)]
                   + [f"claim {row[:16]}" for row in first_column(_MONEY)])  # fmt: skip


def wishes_name_nobody() -> Finding:
    """This will search every public text of the shop for personal details (C5)."""
    broken, checked = [], 0
    rows = Wish.objects.filter(SHOWN).values_list(
        "public_id", "title", "title_en", "item", "spec", "why", "alias", "thanks__words"
    )
    for public_id, *texts in rows.iterator(chunk_size=2000):
        checked += 1
        if find_personal("\n".join(text or "" for text in texts)):
            broken.append(f"wish {public_id}")
    return Finding(str(checked), broken[:20])


def public_wishes_have_consent() -> Finding:
    """This will look for public wishes, photos and thanks on a consent withdrawn over a minute ago (C4)."""
    gone = clock.now() - dt.timedelta(minutes=1)
    late = {"withdrawal__withdrawn_at__lt": gone}
    shown = Wish.objects.filter(SHOWN)
    broken = shown.filter(**{f"consent__{k}": v for k, v in late.items()}).values_list("public_id", flat=True)
    photos = Wish.objects.filter(
        photo__isnull=False, **{f"consent_for_photo__{k}": v for k, v in late.items()}
    )
    both = {*broken[:20], *photos.values_list("public_id", flat=True)[:20]}
    return Finding(str(shown.count()), [f"wish {row}" for row in sorted(both)])


def register_all() -> None:
    invariants.register(9, "wishes.counters", _("心愿的余量等于没人认领的件数，认领的钱都在"),
                        wishes_stand_where_their_claims_are)  # fmt: skip
    invariants.register(
        9, "wishes.consent", _("公开的心愿和照片都有家庭的有效同意"), public_wishes_have_consent
    )
    invariants.register(9, "wishes.privacy", _("公开的心愿里没有个人信息"), wishes_name_nobody)
