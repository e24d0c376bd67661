from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day, start_of_day
from apps.core.crash import crash_point
from apps.core.errors import BadInput, Conflict
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.donations import policies
from apps.donations.lists.reading import GiftSheet, ListedGift, RowError, identity_keys
from apps.donations.models import Gift, GiftList
from apps.donations.operations.receiving import count_gifts
from apps.donations.states import GiftStatus, Source
from apps.funds.models import MicroFund, Project, ProjectStatusChange
from apps.funds.queries import fund_earmarks, project_earmarks
from apps.funds.states import ProjectStatus
from apps.ledger.operations import Credit, post_credits
from apps.ledger.states import AccountRole


class ListHasErrors(BadInput):
    """Nothing was imported; `errors` says what to mend, by row and column."""

    code = "list_has_errors"

    def __init__(self, errors: list[RowError]) -> None:
        self.errors = errors
        super().__init__(str(_("没有导入：%(n)d处要改。")) % {"n": len(errors)})


class PartlyKnown(Conflict):
    """Some rows are known from an earlier list; a person says what they are."""

    code = "partly_known"

    def __init__(self, rows: list[int]) -> None:
        self.rows = rows
        text = _(
            "没有导入：有%(n)d行与以前的名单相同。相同的是同一笔就用“跳过”（skip），是另外的捐赠就用“加入”（add）。"
        )
        super().__init__(str(text) % {"n": len(rows)})


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do: minor units, row numbers of the file."""

    rows: int
    total: int
    currency: str
    new: int
    known: int
    known_rows: list[int]


def plan_import(*, sheet: GiftSheet, source: str, fund: MicroFund, project: Project | None) -> ImportPlan:
    """This will say what importing a list would do, changing nothing.

    Raises ListHasErrors with every fault, the project's period and state at each gift's date included.
    """
    errors = [*sheet.errors, *_outside(sheet, project)]
    if sheet.currency != fund.currency:
        errors.insert(0, RowError(0, "", _("名单的币种与微基金不同。")))
    if errors:
        raise ListHasErrors(errors)
    keys = identity_keys(source, sheet.gifts)
    known = set(Gift.objects.filter(offline_key__in=keys).values_list("offline_key", flat=True))
    rows = [gift.row for gift, key in zip(sheet.gifts, keys, strict=True) if key in known]
    return ImportPlan(len(keys), sheet.total, sheet.currency, len(keys) - len(rows), len(rows), rows)


@transaction.atomic
def import_gifts(
    *, actor: Actor, sheet: GiftSheet, source: str, file_name: str, fund: MicroFund, project: Project | None,
    known: str = "", now: dt.datetime,
) -> GiftList | None:  # fmt: skip
    """This will record a list's gifts as offline gifts, all or nothing (G11). None when every row was known already.

    `known` says what to do with rows of an earlier list: "skip" or "add"; without it they are refused (PartlyKnown).
    Donors' names stay hidden from the public. Raises ListHasErrors.
    """
    authorize(policies.can_import_gifts, actor, fund)
    # Two imports into one fund wait for each other: the second sees what the first recorded.
    # The lock leaves foreign keys alone: a gift being opened holds its project and then refers to this fund.
    MicroFund.objects.select_for_update(no_key=True).get(pk=fund.pk)
    plan = plan_import(sheet=sheet, source=source, fund=fund, project=project)
    if not plan.new:
        return None
    if plan.known and known not in ("skip", "add"):
        raise PartlyKnown(plan.known_rows)
    doubled = set(plan.known_rows)
    chosen: list[tuple[ListedGift, str]] = []
    for gift, key in zip(sheet.gifts, identity_keys(source, sheet.gifts), strict=True):
        if gift.row not in doubled:
            chosen.append((gift, key))
        elif known == "add":
            chosen.append((gift, identity_keys(f"{source}\x1f{sheet.sha256}\x1f{gift.row}", [gift])[0]))
    return _record(actor, sheet, source, file_name, fund, project, chosen, now)


def _record(
    actor: Actor, sheet: GiftSheet, source: str, file_name: str, fund: MicroFund, project: Project | None,
    chosen: list[tuple[ListedGift, str]], now: dt.datetime,
) -> GiftList:  # fmt: skip
    marks = (
        project_earmarks([project.pk]).values()
        if project
        else [mark for mark, owner in fund_earmarks(fund.pk).items() if owner == 0]
    )
    earmark = next(iter(marks))
    recorded = GiftList.objects.create(
        source=source, file_name=file_name[:160], sha256=sheet.sha256, rows=len(sheet.gifts), added=len(chosen),
        total=sum(gift.amount for gift, _key in chosen), currency=sheet.currency, imported_at=now,
        imported_by=actor.label[:80],
    )  # fmt: skip
    gifts = Gift.objects.bulk_create(
        (
            Gift(
                fund=fund, project=project, source=Source.OFFLINE, status=GiftStatus.RECEIVED, amount=row.amount,
                currency=sheet.currency, channel="bank", payer=row.name, note=row.note, opened_at=now,
                received_at=start_of_day(row.day), earmark_id=earmark, gift_list=recorded, offline_key=key,
            )
            for row, key in chosen
        ),
        batch_size=2000,
    )  # fmt: skip
    crash_point("donations.list_recorded")
    post_credits(
        actor=actor,
        credits=[
            Credit(key=f"offline:{gift.offline_key}", earmark=earmark, amount=gift.amount,
                   settled_at=gift.received_at or now, origin=gift.pk, channel="bank", into=AccountRole.BANK)
            for gift in gifts
        ],
    )  # fmt: skip
    count_gifts(Counter({earmark: len(gifts)}))
    bump_epoch()
    return recorded


def _outside(sheet: GiftSheet, project: Project | None) -> list[RowError]:
    """A project's period and state are judged at the gift's date."""
    if project is None:
        return []
    raising = _raising_days(project)
    errors = []
    for gift in sheet.gifts:
        if not project.starts_on <= gift.day <= project.ends_on:
            errors.append(RowError(gift.row, "", _("日期不在项目的募捐期限内。")))
        elif not any(start <= gift.day <= end for start, end in raising):
            errors.append(RowError(gift.row, "", _("那一天项目不在募捐。")))
    return errors


def _raising_days(project: Project) -> list[tuple[dt.date, dt.date]]:
    spans: list[tuple[dt.date, dt.date]] = []
    start: dt.date | None = None
    for change in ProjectStatusChange.objects.filter(record=project).order_by("id"):
        day = civil_day(change.at)
        if change.to_status == ProjectStatus.RAISING:
            start = day
        elif start is not None:
            spans.append((start, day))
            start = None
    if start is not None:
        spans.append((start, dt.date.max))
    return spans
