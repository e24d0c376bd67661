"""Open data of duties: /api/v1/duties, what organizations owe the public, late or not (D2, interfaces.md)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Field, Query, Router, Schema

from apps.core import clock
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.disclosures.models import Duty
from apps.disclosures.operations.duties import due_of
from apps.disclosures.queries import STATES, DutyFilter, duty_counts, find_duties

PREFIX = "/duties"
router = Router(tags=["duties"])
LIMIT = 100
ASKED = (*STATES, "was_late")


class UnknownParameter(BadInput):
    code = "unknown_parameter"
    status = 400
    message = _("不认识这个参数或它的值。请对照接口说明。")


class BadCursor(BadInput):
    code = "bad_cursor"
    status = 400
    message = _("翻页地址已经失效。请从第一页重新看。")
    field = "cursor"


class DutyName(Schema):
    value: str
    label: str
    label_en: str


class DutyLine(Schema):
    id: str
    state: str = Field(description="late, open, done, lapsed")
    kind: DutyName
    n: int
    legal_source: str
    organization: DutyName = Field(description="value: 统一社会信用代码 / USCC")
    project: DutyName | None
    began_on: str
    due_on: str = Field(description="按规则的期限 / the date by the rule, Asia/Shanghai")
    extended_due_on: str | None
    extension_reason: str
    days_late: int = Field(description="逾期天数，以实际期限算 / days past the date that counts, 0 in time")
    was_late: bool = Field(description="曾经逾期，不会删除 / a date was passed once; never taken back")
    fulfilled_on: str | None
    report: str | None = Field(description="已公布报告的地址 / address of the published report")
    published_at: str | None
    opinion: str
    version: int | None


class Duties(Schema):
    count: dict[str, int]
    results: list[DutyLine]
    next: str
    as_of: str

    model_config = {
        "json_schema_extra": {
            "example": {
                "count": {"late": 1, "open": 14, "done": 37, "was_late": 3},
                "results": [
                    {
                        "id": "Zk3vQ8mW1xTn5bRd",
                        "state": "late",
                        "kind": {
                            "value": "implementation_progress", "label": "实施进展报告",
                            "label_en": "Implementation progress report",
                        },
                        "n": 2,
                        "legal_source": "慈善法第七十九条",
                        "organization": {
                            "value": "51449900MJK614024W", "label": "澜江市慈善会", "label_en": "Lanjiang Charity",
                        },
                        "project": {"value": "shiqiao", "label": "石桥镇危房修缮", "label_en": ""},
                        "began_on": "2026-03-01",
                        "due_on": "2026-09-01",
                        "extended_due_on": None,
                        "extension_reason": "",
                        "days_late": 84,
                        "was_late": True,
                        "fulfilled_on": None,
                        "report": None,
                        "published_at": None,
                        "opinion": "",
                        "version": None,
                    }
                ],
                "next": "",
                "as_of": "2026-11-24T09:00:00+08:00",
            }
        }
    }  # fmt: skip


class Refused(Schema):
    code: str
    message: str
    field: str | None = None


class DutyParameters(Schema):
    state: str = Field(
        "", description="late, open, done, was_late; 空为全部 / empty for all", examples=["late"]
    )
    kind: str = Field(
        "", max_length=40, description="种类 / kind, see /duties/kinds/", examples=["annual_accounts"]
    )
    organization: str = Field(
        "", max_length=18, description="统一社会信用代码 / USCC", examples=["51449900MJK614024W"]
    )
    q: str = Field(
        "", max_length=80, description="项目或机构名称的一部分 / part of a name", examples=["石桥"]
    )
    cursor: str = Field("", max_length=16, description="翻页 / taken from `next`", examples=[""])
    limit: int = Field(50, ge=1, le=LIMIT, description="每页条数 / rows a page, 1-100", examples=[100])


@router.get(
    "",
    response={200: Duties, 400: Refused, 422: Refused, 429: Refused},
    summary="公开义务 / duties to report, late ones with their days",
)
def duties(request: HttpRequest, given: Query[DutyParameters]) -> Any:
    """The latest date first; go on with `next` as `cursor`. `count` is over everything, whatever is asked."""
    for name in sorted(set(request.GET) - set(DutyParameters.model_fields)):
        raise UnknownParameter(field=name[:40])
    if given.state not in ("", *ASKED):
        raise UnknownParameter(field="state")
    if given.cursor and not Duty.objects.filter(public_id=given.cursor.replace("\x00", "")).exists():
        raise BadCursor()
    now = clock.now()
    said = {name: getattr(given, name).replace("\x00", "").strip() for name in ("kind", "organization", "q")}
    wanted = DutyFilter(state=given.state, cursor=given.cursor, **said)
    page = list(find_duties(wanted, now)[: given.limit + 1])
    today = civil_day(now)
    return {
        "count": duty_counts(now),
        "results": [_line(duty, today) for duty in page[: given.limit]],
        "next": page[given.limit - 1].public_id if len(page) > given.limit else "",
        "as_of": now.isoformat(timespec="seconds"),
    }


def _line(duty: Any, today: Any) -> dict[str, Any]:
    due = due_of(duty)
    done = civil_day(duty.published_at) if duty.published_at else duty.fulfilled_on
    if done is not None:
        state = "done"
    elif duty.lapsed_on is not None:
        state = "lapsed"
    else:
        state = "late" if due < today else "open"
    until = done or (due if state == "lapsed" else today)
    project = duty.project
    return {
        "id": duty.public_id,
        "state": state,
        "kind": {"value": duty.code, "label": duty.kind.name_zh, "label_en": duty.kind.name_en},
        "n": duty.n,
        "legal_source": duty.kind.legal_source,
        "organization": {"value": duty.organization.uscc, "label": duty.organization.name,
                         "label_en": duty.organization.name_en},
        "project": {"value": project.slug, "label": project.name, "label_en": project.name_en} if project else None,
        "began_on": duty.began_on.isoformat(),
        "due_on": duty.due_on.isoformat(),
        "extended_due_on": duty.extended_due_on.isoformat() if duty.extended_due_on else None,
        "extension_reason": duty.extension_reason,
        "days_late": max((until - due).days, 0),
        "was_late": duty.was_late,
        "fulfilled_on": duty.fulfilled_on.isoformat() if duty.fulfilled_on else None,
        "report": f"{settings.SITE_URL}/disclosures/{duty.report_id}/" if duty.report_id else None,
        "published_at": duty.published_at.isoformat(timespec="seconds") if duty.published_at else None,
        "opinion": duty.opinion or "",
        "version": duty.version,
    }  # fmt: skip
