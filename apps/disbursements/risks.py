"""Risks of a payment, computed from what is known now (P6). Reads only; the operations keep flags and answers."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from apps.casework.models import Attachment, BlindIndex, Household, PrivateField
from apps.casework.queries import files_of_same_people, same_value
from apps.core.canonical import canonical_json, sha256_hex
from apps.core.clock import add_months, civil_day, start_of_day
from apps.disbursements.accounts_held import account_versions
from apps.disbursements.models import Application, Disbursement, DonorMark
from apps.disbursements.states import FlagKind, Kind, Status

USUAL_TIMES = 2
"""An amount is above the usual beyond this many times the median of what the family had before."""

PAID = (Status.PAID, Status.CONFIRMED)
LIVE = Q(kind=Kind.AID) & ~Q(status__in=[Status.REJECTED, Status.REVERSED])


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk with its evidence: ids of files and towns, counts and amounts (fen), never a private value."""

    kind: str
    evidence: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        return sha256_hex(canonical_json({"kind": str(self.kind), **self.evidence}))

    @property
    def label(self) -> str:
        return str(FlagKind(self.kind).label)


def current_risks(item: Disbursement) -> list[Risk]:
    """This will find the risks of an aid payment in a bounded number of statements; an expense has only declared
    ones."""
    found = [Risk(FlagKind.STAFF_RELATION, {"declared": item.staff_relation})] if item.staff_relation else []
    family = item.household
    if family is None:
        return found
    return [*found, *_accounts(item, family), *_attachments(item, family), *_usual(item, family),
            *_donor(family), *_duplicates(item, family)]  # fmt: skip


def _accounts(item: Disbursement, family: Household) -> list[Risk]:
    others = same_value(family, PrivateField.BANK_ACCOUNT)
    found = [Risk(FlagKind.SAME_ACCOUNT, _places(family, others))] if others else []
    version = account_versions([family.pk]).get(family.pk, "")
    before = Disbursement.objects.filter(household=family, status__in=PAID, approved_account=version)
    if not before.exclude(pk=item.pk).exists():
        found.append(Risk(FlagKind.FIRST_PAYMENT, {"account": version[:8]}))
    return found


def _attachments(item: Disbursement, family: Household) -> list[Risk]:
    if item.application is None:
        return []
    own = Attachment.objects.filter(pk__in=item.application.attachments).exclude(digest="")
    digests = dict(own.values_list("digest", "kind"))
    if not digests:
        return []
    twins = Attachment.objects.filter(digest__in=digests).values_list("pk", "household", "digest")
    elsewhere = sorted({household for _pk, household, _digest in twins if household != family.pk})
    kinds = {digests[digest] for _pk, household, digest in twins if household != family.pk}
    same = [pk for pk, household, _digest in twins if household == family.pk]
    again = 0
    earlier = Application.objects.filter(household=family).exclude(pk=item.application.pk)
    for other in earlier.exclude(disbursements__status=Status.REJECTED).distinct():
        used = set(other.attachments) & set(same)
        again += bool(used)
        kinds |= {
            kind for digest, kind in digests.items() for pk, _h, d in twins if pk in used and d == digest
        }
    if not elsewhere and not again:
        return []
    evidence = {**_places(family, elsewhere), "kinds": sorted(kinds), "again": again}
    return [Risk(FlagKind.SAME_ATTACHMENT, evidence)]


def _usual(item: Disbursement, family: Household) -> list[Risk]:
    earlier = Disbursement.objects.filter(household=family, status__in=PAID).exclude(pk=item.pk)
    if item.application_id:
        earlier = earlier.exclude(application=item.application_id)
    amounts = list(earlier.values_list(F("amount") - F("clawed_back"), flat=True))
    usual = int(statistics.median_low(amounts)) if amounts else 0
    if not amounts or item.amount <= usual * USUAL_TIMES:
        return []
    evidence = {"usual": usual, "amount": item.amount, "payments": len(amounts), "currency": item.currency}
    return [Risk(FlagKind.ABOVE_USUAL, evidence)]


def _donor(family: Household) -> list[Risk]:
    digests = BlindIndex.objects.filter(household=family, name=PrivateField.ID_NUMBER).values_list(
        "digest", flat=True
    )
    gifts = DonorMark.objects.filter(digest__in=list(digests)).count()
    return [Risk(FlagKind.DONOR_IS_FAMILY, {"gifts": gifts})] if gifts else []


def _duplicates(item: Disbursement, family: Household) -> list[Risk]:
    others = aided_elsewhere(family, item.applied_at)
    return [Risk(FlagKind.DUPLICATE_AID, _places(family, others))] if others else []


def aided_elsewhere(family: Household, moment: dt.datetime) -> list[int]:
    """This will list other files that share a person with this one and had aid applied for within 12 months (C3)."""
    others = list(files_of_same_people(family))
    if not others:
        return []
    since = start_of_day(add_months(civil_day(moment), -12))
    rows = Disbursement.objects.filter(LIVE, household__in=others, applied_at__gte=since)
    return sorted(set(rows.values_list("household", flat=True)))


def _places(family: Household, others: list[int]) -> dict[str, Any]:
    """Where the other files are: by number in the same town, by town and count elsewhere (C3)."""
    rows = Household.objects.filter(pk__in=others).order_by("file_number")
    files, towns = [], Counter[int]()
    for number, town in rows.values_list("file_number", "town"):
        if town == family.town_id:
            files.append(number)
        else:
            towns[town] += 1
    return {"files": files, "towns": sorted([town, n] for town, n in towns.items())}
