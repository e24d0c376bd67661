"""Invariant 9 of quality.md: nothing published that C4 forbids."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import invariants
from apps.core.invariants import Finding, first_column
from apps.publication.models import PublicRowText
from apps.publication.privacy import find_personal

_RELEASES = """
SELECT r.public_id FROM publication_release r
LEFT JOIN (
  SELECT release_id, count(*) FILTER (WHERE amount > 0) AS households, sum(amount) AS amount
  FROM (SELECT release_id, household, sum(amount) AS amount FROM publication_aiditem GROUP BY 1, 2) each_family
  GROUP BY release_id
) i ON i.release_id = r.id
WHERE i.households IS NULL OR i.households < r.households OR i.amount IS DISTINCT FROM r.amount OR r.households < 5
LIMIT 20
"""
# Files may outnumber the families told: two files of one family count once, and an erased file no longer shows whose
# it was.

_TOLD = """
SELECT p.earmark FROM publication_publicspending p
LEFT JOIN (SELECT earmark, sum(amount) AS aid, sum(households) AS households FROM publication_release GROUP BY 1) r
  ON r.earmark = p.earmark
LEFT JOIN (SELECT earmark, sum(amount) AS spent FROM publication_expenseuse GROUP BY 1) e ON e.earmark = p.earmark
LEFT JOIN ledger_earmarkbalance b ON b.earmark_id = p.earmark
LEFT JOIN publication_residual s ON s.earmark = p.earmark
WHERE p.aid <> coalesce(r.aid, 0) + coalesce(s.amount, 0) OR p.households <> coalesce(r.households, 0) OR p.expenses
<> coalesce(e.spent, 0) LIMIT 20
"""


def nothing_forbidden_is_public() -> Finding:
    """This will recount every release from its items, check what the public was told of each earmark against releases
    and expenses, and search every public text for personal details."""
    broken = [f"release {row}" for row in first_column(_RELEASES)] + [
        f"earmark {row}" for row in first_column(_TOLD)
    ]
    checked = 0
    for row in PublicRowText.objects.only("public_id", "heading", "text").iterator(chunk_size=2000):
        checked += 1
        if find_personal(f"{row.heading}\n{row.text}"):
            broken.append(f"public row {row.public_id}")
    return Finding(str(checked), broken[:20])


def register_all() -> None:
    """This will register the invariants of publication with core."""
    invariants.register(
        9, "publication.privacy", _("公布的内容里没有个人信息，每批救助都满5户"), nothing_forbidden_is_public
    )
