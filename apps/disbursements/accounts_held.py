"""Which bank details a family has, as something that can be compared and says nothing.

The version is a hash over the sealed bytes of payee, bank and account. Sealing takes a fresh nonce each time, so every
change gives another version, also two within one instant; with the family's key destroyed it leads nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from apps.casework.models import SealedField
from apps.casework.operations import hold_bank_details
from apps.casework.operations.reading import BANK


def hold_accounts(household_ids: Iterable[int | None]) -> dict[int, str]:
    """This will lock families' bank details until the transaction ends and give the version of each (P3)."""
    ids = {each for each in household_ids if each is not None}
    hold_bank_details(ids)
    return account_versions(ids)


def account_versions(household_ids: Iterable[int]) -> dict[int, str]:
    """This will give the version of the bank details of each family, without a lock."""
    rows = SealedField.objects.filter(household__in=set(household_ids), name__in=BANK, member=None)
    digests: dict[int, hashlib._Hash] = {}
    for household, value in rows.order_by("household", "name").values_list("household", "value"):
        digests.setdefault(household, hashlib.sha256()).update(hashlib.sha256(bytes(value)).digest())
    return {household: digest.hexdigest() for household, digest in digests.items()}
