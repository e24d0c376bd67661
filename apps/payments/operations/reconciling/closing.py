from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core.actors import Actor
from apps.core.clock import start_of_day
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.policies import authorize
from apps.ledger.models import Book
from apps.payments import policies
from apps.payments.events import DayClosed
from apps.payments.models import DayClose, Difference

FIGURES = (
    "raised",
    "income",
    "refunded",
    "disputed",
    "fees",
    "spent",
    "moved_in",
    "moved_out",
    "held",
    "gifts",
)


class DayNotOver(Conflict):
    code = "day_not_over"
    message = _("这一天还没有过完，不能结账。请明天再来。")


class DayOutOfTurn(Conflict):
    code = "day_out_of_turn"
    message = _("结账要一天接一天。请先结前一天，或刷新页面看结到了哪天。")


class DifferencesLeft(Conflict):
    code = "differences_left"

    def __init__(self, count: int) -> None:
        text = ngettext(
            "没有结账：还有%(n)d条差异没有说明原因。请先配对或说明。",
            "没有结账：还有%(n)d条差异没有说明原因。请先配对或说明。",
            count,
        )
        super().__init__(text % {"n": count})


# What was still running when the snapshot was taken counts in the next one: a transaction's entries carry the moment
# at which it began.
_COUNTED_UNTIL = """
SELECT least(clock_timestamp(), (SELECT min(xact_start) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND xact_start IS NOT NULL))
"""

_WRITE = f"""
INSERT INTO payments_dayfigure (close_id, earmark_id, reserved, {", ".join(FIGURES)})
SELECT %(close)s, k.id,
  coalesce((SELECT sum(r.amount) FROM ledger_reservation r WHERE r.earmark_id = k.id AND r.opened_at < %(cut)s
            AND (r.closed_at IS NULL OR r.closed_at >= %(cut)s)), 0),
  {", ".join(f"coalesce(p.{name}, 0) + coalesce(m.{name}, 0)" for name in FIGURES)}
FROM ledger_earmark k
LEFT JOIN payments_dayfigure p ON p.close_id = %(previous)s AND p.earmark_id = k.id
LEFT JOIN payments_movements(%(book)s, coalesce(%(cut0)s, '-infinity'::timestamptz),
  coalesce(%(at0)s, '-infinity'::timestamptz), %(cut)s, %(at)s) m ON m.earmark_id = k.id
WHERE k.book_id = %(book)s
"""  # noqa: S608


@transaction.atomic
def close_day(*, actor: Actor, book: Book, day: dt.date, now: dt.datetime) -> DayClose:
    """This will close a day (Asia/Shanghai): an append-only snapshot of every earmark, from which the next day must
    follow. The first close takes everything before it. The database checks both again at commit.

    Raises DayNotOver, DayOutOfTurn, DifferencesLeft.
    """
    authorize(policies.can_reconcile, actor, book.owner or 0)
    assert actor.person_id is not None
    cut = start_of_day(day + dt.timedelta(days=1))
    if cut > now:
        raise DayNotOver()
    Book.objects.select_for_update(no_key=True).get(pk=book.pk)
    last = DayClose.objects.filter(book=book).order_by("-day").first()
    if last is not None and day != last.day + dt.timedelta(days=1):
        raise DayOutOfTurn()
    left = Difference.objects.filter(book=book, day__lte=day, explained=False).count()
    if left:
        raise DifferencesLeft(left)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED_UNTIL)
        until = cursor.fetchone()[0]
        if last is not None:
            until = max(until, last.counted_until)
        made = DayClose.objects.create(
            book=book, day=day, previous=last, cut=cut, counted_until=until, closed_at=now, closed_by=actor.person_id,
            closed_by_label=actor.label[:80],
        )  # fmt: skip
        cursor.execute(
            _WRITE,
            {"close": made.pk, "previous": last.pk if last else None, "book": book.pk, "cut": cut, "at": until,
             "cut0": last.cut if last else None, "at0": last.counted_until if last else None},
        )  # fmt: skip
    publish(DayClosed(close_id=made.pk))
    return made
