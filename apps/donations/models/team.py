"""一起捐: a page under which people give together for one project or micro-fund. The money is never the team's."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.core.ids import new_public_id, new_token
from apps.funds.models import MicroFund, Project


class Team(models.Model):
    """Whoever holds `token` runs the page. `given` is what its gifts still give, minor units, net of what went back."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    fund = models.ForeignKey(MicroFund, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="teams")
    title = models.CharField(max_length=40)
    organizer = models.CharField(max_length=20)
    words = models.CharField(max_length=300, blank=True)
    goal = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    request_key = models.CharField(max_length=64, unique=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    hidden_reason = models.CharField(max_length=200, blank=True)
    gifts = models.BigIntegerField(default=0)
    given = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(goal__gt=0), name="team_goal_positive"),
            models.CheckConstraint(
                condition=Q(given__gte=0) & Q(gifts__gte=0), name="team_counts_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(hidden_at__isnull=True, hidden_reason="")
                | Q(hidden_at__isnull=False) & ~Q(hidden_reason=""),
                name="team_hidden_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="team_closed_later",
            ),
        ]
        indexes = [models.Index(fields=["-opened_at", "-id"], name="team_newest")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_live(self) -> bool:
        return self.closed_at is None and self.hidden_at is None
