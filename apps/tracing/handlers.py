from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from apps.core.events import in_batches
from apps.disbursements.operations import note_donors
from apps.donations.events import GiftReceived
from apps.donations.models import Gift


@in_batches
def mark_donors(events: Sequence[GiftReceived], *, now: dt.datetime) -> None:
    """This will keep the keyed hash of ID numbers given for receipts, so that a donor who is also helped shows (P6)."""
    rows = Gift.objects.filter(pk__in=[event.gift_id for event in events]).exclude(payer_code="")
    note_donors(codes=dict(rows.values_list("pk", "payer_code")))
