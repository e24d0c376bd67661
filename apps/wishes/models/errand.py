"""Volunteers and their errands: who carried what where, hours said by one person and confirmed by another (O5)."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id
from apps.core.transitions import StatusChange
from apps.inventory.models import Dispatch, Warehouse
from apps.places.models import Town
from apps.wishes import states
from apps.wishes.models.wish import Wish

E = states.ErrandStatus
MOST_MINUTES = 12 * 60
"""Of one errand on one day."""

KEPT = """
IF OLD.status = 'confirmed' THEN
  RAISE EXCEPTION 'the hours of errand % are confirmed', OLD.number
    USING ERRCODE = 'check_violation', CONSTRAINT = 'errand_hours_kept';
END IF;
RETURN coalesce(NEW, OLD);
"""


class Volunteer(models.Model):
    """Somebody who carries things for families. Name and phone are sealed; the name is said in public only with the
    volunteer's own consent (`named`)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, null=True, related_name="+")
    name = models.TextField(blank=True)
    phone = models.TextField(blank=True)
    phone_index = models.CharField(max_length=64, unique=True)
    named = models.BooleanField(default=False)
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True, related_name="+")
    registered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=True) | ~Q(person=F("registered_by")),
                name="volunteer_not_by_oneself",
            )
        ]

    def place(self, field: str) -> str:
        """This will name the place that the name or phone is sealed for."""
        return f"wishes.volunteer:{self.public_id}:{field}"


class Errand(models.Model):
    """One way of one volunteer: a wish's goods to its family, or a dispatch from a warehouse. `person` is the
    volunteer's own account, so that nobody states or confirms their own hours."""

    number = models.CharField(max_length=20, unique=True)
    volunteer = models.ForeignKey(Volunteer, on_delete=models.PROTECT, related_name="errands")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, null=True, related_name="errands")
    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, null=True, related_name="+")
    town = models.ForeignKey(Town, on_delete=models.PROTECT, null=True, related_name="+")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=E, default=E.PLANNED)
    planned_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    on = models.DateField()
    minutes = models.PositiveSmallIntegerField(null=True)
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(wish__isnull=False, dispatch__isnull=True, town__isnull=False, warehouse__isnull=True)
                | Q(wish__isnull=True, dispatch__isnull=False, town__isnull=True, warehouse__isnull=False),
                name="errand_for_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(minutes__isnull=True) | Q(minutes__gte=1, minutes__lte=MOST_MINUTES),
                name="errand_minutes_of_a_day",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[E.PLANNED, E.CANCELLED], minutes__isnull=True, recorded_by__isnull=True,
                            recorded_at__isnull=True, confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(status=E.RECORDED, minutes__isnull=False, recorded_by__isnull=False, recorded_at__isnull=False,
                    confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(status=E.CONFIRMED, minutes__isnull=False, recorded_by__isnull=False, recorded_at__isnull=False,
                    confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="errand_state_has_its_people",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("recorded_by")),
                name="errand_hours_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True)
                | (Q(recorded_by__isnull=True) | ~Q(recorded_by=F("person")))
                & (Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("person"))),
                name="errand_hours_not_by_oneself",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["volunteer", "-on"], name="errand_of_volunteer"),
            models.Index(fields=["status", "-id"], name="errand_queue"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="errand_hours_kept", operation=pgtrigger.Update | pgtrigger.Delete, when=pgtrigger.Before,
                func=KEPT,
            )
        ]  # fmt: skip


class ErrandStatusChange(StatusChange):
    record = models.ForeignKey(Errand, on_delete=models.PROTECT, related_name="changes")


@append_only
class HoursCertificate(models.Model):
    """志愿服务记录证明: the confirmed hours of one volunteer in a period, as they stood when it was issued. It can be
    checked in public by number and code; the name is on the volunteer's own copy, in public only where they agreed."""

    number = models.CharField(max_length=20, unique=True)
    check_code = models.CharField(max_length=16)
    volunteer = models.ForeignKey(Volunteer, on_delete=models.PROTECT, related_name="certificates")
    first_on = models.DateField()
    last_on = models.DateField()
    minutes = models.PositiveIntegerField()
    errands = models.PositiveIntegerField()
    issued_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(last_on__gte=F("first_on")), name="hours_certificate_period"),
            models.CheckConstraint(
                condition=Q(minutes__gt=0) & Q(errands__gt=0), name="hours_certificate_not_empty"
            ),
        ]
        triggers = refuse_change("hourscertificate")
