"""一起捐 (G1): opening a team's page, changing and closing it, hiding what must not stand there, counting its gifts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.money import Money
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.donations import policies
from apps.donations.events import TeamOpened
from apps.donations.models import Gift, Team
from apps.donations.operations.opening import NotRaising, TeamOver
from apps.funds.models import MicroFund, Project
from apps.funds.queries import accepts_gifts
from apps.publication.privacy import check_typed_in_public

GOAL_MAXIMUM = 10_000_000_00
"""¥10,000,000, in fen: beyond it somebody has mistyped."""


class BadGoal(BadInput):
    code = "bad_goal"
    message = _("目标请填1元到1000万元之间。")
    field = "goal"


@dataclass(frozen=True, slots=True)
class TeamDraft:
    """What an organizer typed; `key` comes with the form, so that a double click opens one team."""

    title: str
    organizer: str
    words: str
    goal: Money
    key: str
    email: str = ""
    language: str = "zh-hans"


@transaction.atomic
def open_team(
    *, actor: Actor, draft: TeamDraft, fund: MicroFund, project: Project | None, now: dt.datetime
) -> Team:
    """This will open a team's page for a project that raises, or for a micro-fund. Safe to repeat by the draft's key.

    Its texts pass the privacy check, since they are public at once. Raises NotRaising, BadGoal, BadInput.
    """
    authorize(policies.can_open_team, actor)
    known = Team.objects.filter(request_key=draft.key).first()
    if known:
        return known
    if project is not None and not accepts_gifts(project, now):
        raise NotRaising()
    _check(draft, fund)
    try:
        with transaction.atomic():
            team = Team.objects.create(
                fund=fund, project=project, title=draft.title, organizer=draft.organizer, words=draft.words,
                goal=draft.goal.minor, currency=draft.goal.currency, email=draft.email, language=draft.language,
                request_key=draft.key, opened_at=now,
            )  # fmt: skip
    except IntegrityError:
        return Team.objects.get(request_key=draft.key)
    publish(TeamOpened(team_id=team.pk))
    return team


@transaction.atomic
def change_team(*, actor: Actor, team: Team, draft: TeamDraft) -> Team:
    """This will change a team's texts and goal; whoever holds its token may. Raises TeamOver, BadGoal, BadInput."""
    authorize(policies.can_open_team, actor)
    team = Team.objects.select_for_update(of=("self",)).select_related("fund").get(pk=team.pk)
    if not team.is_live:
        raise TeamOver()
    _check(draft, team.fund)
    team.title, team.organizer, team.words, team.goal = (
        draft.title,
        draft.organizer,
        draft.words,
        draft.goal.minor,
    )
    team.save(update_fields=["title", "organizer", "words", "goal"])
    bump_epoch()
    return team


@transaction.atomic
def close_team(*, actor: Actor, team: Team, now: dt.datetime) -> Team:
    """This will end a team; its page and its gifts stay. Safe to repeat."""
    authorize(policies.can_open_team, actor)
    team = Team.objects.select_for_update().get(pk=team.pk)
    if team.closed_at is None:
        team.closed_at = now
        team.save(update_fields=["closed_at"])
        bump_epoch()
    return team


@transaction.atomic
def hide_team(*, actor: Actor, team: Team, reason: str, now: dt.datetime) -> Team:
    """This will take a team's page down for a reason that stays with it; its gifts go on as the project's. Safe to
    repeat."""
    authorize(policies.can_hide_team, actor, team.fund)
    if not reason.strip():
        raise BadInput(_("请写明为什么撤下，记录会保留。"), field="reason")
    team = Team.objects.select_for_update().get(pk=team.pk)
    if team.hidden_at is None:
        team.hidden_at, team.hidden_reason = now, reason.strip()[:200]
        team.save(update_fields=["hidden_at", "hidden_reason"])
        bump_epoch()
    return team


def count_team_gifts(changes: Iterable[tuple[Gift, int, int]]) -> None:
    """This will add (gift, gifts, minor units) to the counters of the gifts' teams, rows touched in id order; inside
    the caller's transaction, which makes each change count once."""
    sums: dict[int, tuple[int, int]] = {}
    for gift, number, amount in changes:
        if gift.team_id:
            before = sums.get(gift.team_id, (0, 0))
            sums[gift.team_id] = (before[0] + number, before[1] + amount)
    with connection.cursor() as cursor:
        for team in sorted(sums):
            cursor.execute(
                "UPDATE donations_team SET gifts = gifts + %s, given = given + %s WHERE id = %s",
                [*sums[team], team],
            )


def _check(draft: TeamDraft, fund: MicroFund) -> None:
    if draft.goal.currency != fund.currency or not 100 <= draft.goal.minor <= GOAL_MAXIMUM:
        raise BadGoal()
    for field in ("title", "organizer", "words"):
        check_typed_in_public(getattr(draft, field), field=field)
