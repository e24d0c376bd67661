"""What a family says itself: that its wish was met, and thanks."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_token
from apps.disbursements.models import TRIES
from apps.wishes import states
from apps.wishes.models.claim import Claim
from apps.wishes.models.wish import Wish


class WishCode(models.Model):
    """A one-time code for a family to confirm what it was handed (W5). Only a keyed hash of the six digits is kept,
    bound to this row's token; the number it went to is not kept at all."""

    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, related_name="codes")
    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    code_hash = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tries__lte=TRIES), name="wish_code_five_tries"),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, code_hash="") | Q(sent_at__isnull=False) & ~Q(code_hash=""),
                name="wish_code_sent_has_hash",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(sent_at__isnull=False), name="wish_code_used_was_sent"
            ),
        ]
        indexes = [models.Index(fields=["wish", "-id"], name="wish_code_newest")]


@append_only
class Confirmation(models.Model):
    """The family's own word on one claim, and how it was given; a fact of its own beside the caseworker's (W5)."""

    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="confirmation")
    how = models.CharField(max_length=4, choices=states.ConfirmedHow)
    code = models.ForeignKey(WishCode, on_delete=models.PROTECT, null=True, related_name="+")
    slip = models.CharField(max_length=60, blank=True)
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(how="code", code__isnull=False, slip="")
                | Q(how="slip", code__isnull=True, recorded_by__isnull=False) & ~Q(slip=""),
                name="confirmation_has_proof",
            )
        ]
        triggers = refuse_change("wishconfirmation")


class Thanks(models.Model):
    """A family's thanks: written down by the caseworker, public after another person's look (C5)."""

    wish = models.OneToOneField(Wish, on_delete=models.PROTECT, related_name="thanks")
    words = models.CharField(max_length=200)
    photo = models.BinaryField(null=True)
    photo_sha256 = models.CharField(max_length=64, blank=True)
    written_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    published_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(published_by__isnull=True, published_at__isnull=True)
                | Q(published_by__isnull=False, published_at__isnull=False)
                & ~Q(published_by=F("written_by")),
                name="thanks_second_look",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="thanks_has_words"),
        ]
