"""Searches that people keep under a name (S6)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput, NotFound
from apps.core.policies import authorize
from search import policies
from search.exports.jobs import read_query
from search.models import SavedSearch

MOST = 50


class TooManySaved(BadInput):
    code = "too_many_saved"
    message = _("最多保存50个查询。请先删掉不用的。")


@transaction.atomic
def save_search(*, actor: Actor, name: str, query: str, now: dt.datetime) -> SavedSearch:
    """This will keep a question under a name; the same question again only gets the new name. Raises BadInput for an
    empty name or a question that can't be asked, TooManySaved."""
    authorize(policies.can_save_search, actor)
    assert actor.person_id is not None
    name = " ".join(name.replace("\x00", "").split())
    if not name or len(name) > 80:
        raise BadInput(_("请给这个查询起个名字，最多80个字。"), field="name")
    if len(query) > 2000:
        raise BadInput(field="query")
    read_query(query)
    kept = SavedSearch.objects.select_for_update().filter(person=actor.person_id)
    found = kept.filter(query=query).first()
    if found:
        found.name = name
        found.save(update_fields=["name"])
        return found
    if len(kept) >= MOST:
        raise TooManySaved()
    return SavedSearch.objects.create(person=actor.person_id, name=name, query=query, saved_at=now)


@transaction.atomic
def forget_search(*, actor: Actor, pk: int, now: dt.datetime) -> None:
    """This will delete a saved search of one's own. Raises NotFound."""
    authorize(policies.can_save_search, actor)
    assert actor.person_id is not None
    if not SavedSearch.objects.filter(person=actor.person_id, pk=pk).delete()[0]:
        raise NotFound()


def saved_by(actor: Actor) -> list[SavedSearch]:
    """This will list one's own saved searches, by name."""
    if actor.person_id is None:
        return []
    return list(SavedSearch.objects.filter(person=actor.person_id).order_by("name", "pk"))
