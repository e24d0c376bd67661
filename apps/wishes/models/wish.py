"""Wishes: what the public may know of a family's need, and not a word more. `household` never leaves the workbench."""

from __future__ import annotations

import itertools

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.accounts.models import Person
from apps.casework.models import Consent, Household
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id
from apps.core.transitions import StatusChange
from apps.funds.models import Project
from apps.places.models import Town
from apps.wishes import states

S = states.WishStatus
PEOPLE = ("caseworker", "town_reviewer", "city_reviewer")
TEXT = (
    "category", "title", "title_en", "item", "spec", "why", "quantity", "item_price", "delivery_price", "cap", "town",
    "age_band", "alias", "household",
)  # fmt: skip
"""What reviewers approve and donors read; frozen from the first review on (W3)."""
NARROWED = ["town", "category", "age_band", "cap", "urgency", "left_bp"]
"""What the shop's list is narrowed by."""
SHOWN = Q(status__in=states.PUBLIC, hidden_at=None)
SHOWN_OPEN = Q(status=S.OPEN, hidden_at=None)
MOST_CAP = 500_000
"""¥5,000, in fen: beyond it a need is aid (C6), no wish."""
MOST_UNITS = 200

FROZEN = """
IF OLD.status NOT IN ('draft', 'rejected') OR EXISTS (
  SELECT 1 FROM wishes_claim c WHERE c.wish_id = OLD.id AND c.ended_at IS NULL) THEN
  RAISE EXCEPTION 'the text of wish % is frozen', OLD.public_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'wish_text_frozen';
END IF;
RETURN NEW;
"""
UNITS_MATCH = """
IF (SELECT count(*) FROM wishes_unit WHERE wish_id = NEW.id)
   <> (SELECT quantity FROM wishes_wish WHERE id = NEW.id) THEN
  RAISE EXCEPTION 'wish % has another number of units than its quantity', NEW.public_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'wish_units_are_its_quantity';
END IF;
RETURN NULL;
"""


class WishTemplate(models.Model):
    """A common wish, so that a caseworker needn't type it anew and prices are like for like."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    category = models.CharField(max_length=12, choices=states.Category)
    title = models.CharField(max_length=40)
    title_en = models.CharField(max_length=80, blank=True)
    item = models.CharField(max_length=40)
    spec = models.CharField(max_length=80)
    item_price = models.BigIntegerField()
    delivery_price = models.BigIntegerField(default=0)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(item_price__gt=0) & Q(delivery_price__gte=0), name="template_price_positive"
            )
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.spec}"


@append_only
class Shop(models.Model):
    """The filed project that wishes are met under (W4): the newest row counts. Donors' money goes to it, never to a
    named person (Order 74)."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    chosen_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()

    class Meta:
        triggers = refuse_change("shop")


class Wish(models.Model):
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    status = models.CharField(max_length=12, choices=S, default=S.DRAFT)
    category = models.CharField(max_length=12, choices=states.Category)
    title = models.CharField(max_length=40)
    title_en = models.CharField(max_length=80, blank=True)
    item = models.CharField(max_length=40)
    spec = models.CharField(max_length=80)
    why = models.CharField(max_length=200, blank=True)
    quantity = models.PositiveSmallIntegerField(default=1)
    item_price = models.BigIntegerField()
    delivery_price = models.BigIntegerField(default=0)
    cap = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    town = models.ForeignKey(Town, on_delete=models.PROTECT)
    age_band = models.CharField(max_length=5, choices=states.AgeBand)
    alias = models.CharField(max_length=12)
    urgency = models.PositiveSmallIntegerField(choices=states.Urgency, default=states.Urgency.USUAL)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="+")

    consented_at = models.DateTimeField()
    consent_by = models.CharField(max_length=10, choices=states.ConsentBy)
    photo_consent = models.BooleanField(default=False)
    # The family's own words in its file that the wish stands on from its submission on; withdrawn, it is taken down.
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, null=True, related_name="+")
    consent_for_photo = models.ForeignKey(Consent, on_delete=models.PROTECT, null=True, related_name="+")
    hidden_at = models.DateTimeField(null=True)

    caseworker = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    town_reviewer = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    city_reviewer = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    drafted_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    town_reviewed_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    # Written by `settling` under the row's lock, so that a list of 100,000 needs no counting.
    free = models.PositiveSmallIntegerField(default=0)
    left_bp = models.PositiveSmallIntegerField(default=10_000)
    urgent_rank = models.BigIntegerField(default=0)
    words = SearchVectorField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=1) & Q(quantity__lte=MOST_UNITS), name="wish_quantity_whole"
            ),
            models.CheckConstraint(
                condition=Q(item_price__gt=0) & Q(delivery_price__gte=0)
                & Q(cap=F("item_price") + F("delivery_price")) & Q(cap__lte=MOST_CAP),
                name="wish_cap_is_its_parts",
            ),
            models.CheckConstraint(condition=Q(free__lte=F("quantity")), name="wish_free_within_quantity"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{second}__isnull": True}) | ~Q(**{first: F(second)}),
                    name=f"wish_{first}_not_{second}",
                )
                for first, second in itertools.combinations(PEOPLE, 2)
            ),
            models.CheckConstraint(
                condition=Q(status__in=[S.DRAFT, S.TOWN_REVIEW, S.REJECTED, S.WITHDRAWN])
                | Q(town_reviewer__isnull=False, town_reviewed_at__isnull=False),
                name="wish_reviewed_in_town",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[*states.PUBLIC, S.EXPIRED])
                | Q(city_reviewer__isnull=False, opened_at__isnull=False, open_until__isnull=False),
                name="wish_public_after_two_reviews",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[S.REJECTED, S.WITHDRAWN]) | ~Q(reason=""), name="wish_ended_has_reason"
            ),
            models.CheckConstraint(
                condition=~Q(age_band__in=states.BELOW_14) | Q(consent_by="guardian"),
                name="wish_child_by_guardian",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[S.DRAFT, S.REJECTED, S.WITHDRAWN]) | Q(consent__isnull=False),
                name="wish_submitted_has_consent",
            ),
            models.CheckConstraint(
                condition=Q(hidden_at__isnull=True) | Q(free=0) & ~Q(status=S.OPEN), name="wish_hidden_not_open"
            ),
        ]  # fmt: skip
        # The shop's filters are read from the index of the sort itself; no row is fetched that is not shown.
        indexes = [
            models.Index(
                fields=["-opened_at", "-id"], name="wish_shown", condition=SHOWN, include=["status", *NARROWED]
            ),
            models.Index(
                fields=["status", "-opened_at", "-id"], name="wish_shown_tab", condition=SHOWN, include=NARROWED
            ),
            models.Index(fields=["cap", "id"], name="wish_shown_cap", condition=SHOWN_OPEN, include=NARROWED),
            models.Index(
                fields=["-urgent_rank", "-id"], name="wish_shown_urgent", condition=SHOWN_OPEN, include=NARROWED
            ),
            models.Index(fields=["left_bp", "id"], name="wish_shown_nearly", condition=SHOWN_OPEN, include=NARROWED),
            models.Index(fields=["open_until"], name="wish_open_ends", condition=Q(status="open")),
            models.Index(fields=["town", "status", "-id"], name="wish_queue"),
            GinIndex(fields=["words"], name="wish_words", fastupdate=False),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="wish_text_frozen", operation=pgtrigger.Update, when=pgtrigger.Before, func=FROZEN,
                condition=pgtrigger.AnyChange(*TEXT),
            ),
            pgtrigger.Trigger(
                name="wish_units_are_its_quantity", operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After, timing=pgtrigger.Deferred, func=UNITS_MATCH,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        if self.hidden_at is not None:
            return _("家庭撤下的心愿")
        return (self.title_en or self.title) if (get_language() or "").startswith("en") else self.title


class WishStatusChange(StatusChange):
    record = models.ForeignKey(Wish, on_delete=models.PROTECT, related_name="changes")


class Unit(models.Model):
    """One piece of a wish's quantity (W3)."""

    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, related_name="units")
    n = models.PositiveSmallIntegerField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wish", "n"], name="wish_unit_once")]


class WishPhoto(models.Model):
    """A wish's photo, made anew from its pixels. Its bytes stand in a table of their own, read one at a time. It is
    public only with a reviewer's second look beside the caseworker's word that no face is on it."""

    wish = models.OneToOneField(Wish, on_delete=models.CASCADE, related_name="photo")
    content = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    sha256 = models.CharField(max_length=64)
    no_face_said_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    looked_at_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(looked_at_by__isnull=True) | ~Q(looked_at_by=F("no_face_said_by")),
                name="wish_photo_second_look",
            )
        ]
