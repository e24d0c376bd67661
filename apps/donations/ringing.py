"""The doorbell of imports and bundles: a worker is asked after commit; the sweep finds the work anyway."""

from __future__ import annotations

from django.db import transaction

from apps.donations.models import GiftImport, ReceiptBundle


def ring_import(listing: GiftImport) -> None:
    """This will ask a worker to go on with an import; a broker that is away delays it, never fails it."""
    from apps.donations.tasks import work_import

    transaction.on_commit(lambda: work_import.delay(listing.pk))


def ring_bundle(bundle: ReceiptBundle) -> None:
    """This will ask a worker to go on with a bundle of receipts, likewise."""
    from apps.donations.tasks import work_bundle

    transaction.on_commit(lambda: work_bundle.delay(bundle.pk))
