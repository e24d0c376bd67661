"""Claims: who will meet a unit of a wish, with money or with goods, and how far it is."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.core.ids import new_public_id, new_token
from apps.core.transitions import StatusChange
from apps.disbursements.models import Disbursement
from apps.donations.models import Gift
from apps.inventory.models import Consignment, Warehouse
from apps.wishes import states
from apps.wishes.models.wish import Unit, Wish

C = states.ClaimStatus
P = states.PurchaseStatus

WITHIN_GIFT = """
PERFORM pg_advisory_xact_lock(hashtext('wishes_claim_gift'), (NEW.gift_id % 2147483647)::integer);
IF (SELECT coalesce(sum(amount), 0) FROM wishes_claim WHERE gift_id = NEW.gift_id AND ended_at IS NULL)
   > (SELECT amount FROM donations_gift WHERE id = NEW.gift_id) THEN
  RAISE EXCEPTION 'gift % claims more than it gives', NEW.gift_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'claims_within_gift';
END IF;
RETURN NULL;
"""
NEEDS_PUBLIC_WISH = """
IF NEW.wish_id <> (SELECT wish_id FROM wishes_unit WHERE id = NEW.unit_id) THEN
  RAISE EXCEPTION 'claim % names another wish than its unit', NEW.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_wish_of_unit';
END IF;
IF EXISTS (SELECT 1 FROM wishes_claim c JOIN wishes_wish w ON w.id = c.wish_id
           WHERE c.id = NEW.id AND c.ended_at IS NULL
             AND w.status NOT IN ('open', 'claimed', 'in_progress', 'delivered', 'fulfilled')) THEN
  RAISE EXCEPTION 'claim % lives on a wish that is not public', NEW.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_of_public_wish';
END IF;
RETURN NULL;
"""
ORDER_WITHIN_CLAIMS = """
IF EXISTS (SELECT 1 FROM wishes_purchase p WHERE p.id = NEW.id AND p.status <> 'cancelled'
           AND p.item_price + p.delivery_price >
               (SELECT coalesce(sum(amount), 0) FROM wishes_claim WHERE purchase_id = p.id)) THEN
  RAISE EXCEPTION 'purchase % costs more than was claimed', NEW.number
    USING ERRCODE = 'check_violation', CONSTRAINT = 'purchase_within_claims';
END IF;
IF EXISTS (SELECT 1 FROM wishes_purchase p WHERE p.id = NEW.id AND p.status <> 'cancelled' AND p.single_reason = ''
           AND (SELECT count(*) FROM wishes_quote WHERE purchase_id = p.id) < 2) THEN
  RAISE EXCEPTION 'purchase % has neither two quotes nor a reason', NEW.number
    USING ERRCODE = 'check_violation', CONSTRAINT = 'purchase_two_quotes_or_reason';
END IF;
RETURN NULL;
"""


class Pledge(models.Model):
    """Somebody's promise to bring goods. `token` is the promise's own address; name and phone are sealed and end with
    the delivery."""

    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    bring_to = models.CharField(max_length=10, choices=states.BringTo)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, null=True, related_name="+")
    contact = models.TextField(blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    request_key = models.CharField(max_length=64, unique=True)
    promised_at = models.DateTimeField()
    sent_note = models.CharField(max_length=80, blank=True)
    sent_at = models.DateTimeField(null=True)
    consignment = models.ForeignKey(Consignment, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(bring_to="warehouse", warehouse__isnull=False)
                | Q(bring_to="caseworker", warehouse__isnull=True, consignment__isnull=True),
                name="pledge_has_place",
            )
        ]


class Purchase(models.Model):
    """An order for a wish's claims (W4). What it costs less than was claimed stays in the shop's project for the next
    wish: `left_over`, in fen."""

    number = models.CharField(max_length=20, unique=True)
    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, related_name="purchases")
    status = models.CharField(max_length=10, choices=P, default=P.ORDERED)
    supplier = models.CharField(max_length=80)
    item_price = models.BigIntegerField()
    delivery_price = models.BigIntegerField(default=0)
    claimed = models.BigIntegerField()
    single_reason = models.CharField(max_length=200, blank=True)
    purchaser = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    applicant = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    disbursement = models.OneToOneField(Disbursement, on_delete=models.PROTECT, null=True, related_name="+")
    ordered_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(item_price__gt=0) & Q(delivery_price__gte=0)
                & Q(claimed__gte=F("item_price") + F("delivery_price")),
                name="purchase_within_claimed",
            ),
            models.CheckConstraint(
                condition=Q(applicant__isnull=True) | ~Q(applicant=F("purchaser")),
                name="purchase_applicant_not_purchaser",
            ),
            models.CheckConstraint(
                condition=Q(applicant__isnull=True, disbursement__isnull=True)
                | Q(applicant__isnull=False, disbursement__isnull=False),
                name="purchase_applied_has_expense",
            ),
            models.CheckConstraint(
                condition=~Q(status="arrived") | Q(arrived_at__isnull=False), name="purchase_arrived_has_time"
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["status", "-id"], name="purchase_queue")]
        triggers = [
            pgtrigger.Trigger(
                name="purchase_within_claims", operation=pgtrigger.Insert | pgtrigger.Update, when=pgtrigger.After,
                timing=pgtrigger.Deferred, func=ORDER_WITHIN_CLAIMS,
            ),
        ]  # fmt: skip

    @property
    def cost(self) -> int:
        return self.item_price + self.delivery_price

    @property
    def left_over(self) -> int:
        """This will give what stays in the shop's project for the next wish, fen."""
        return self.claimed - self.cost


class PurchaseStatusChange(StatusChange):
    record = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="changes")


class Quote(models.Model):
    """What a supplier asked for; fen."""

    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="quotes")
    supplier = models.CharField(max_length=80)
    price = models.BigIntegerField()
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="quote_positive"),
            models.UniqueConstraint(fields=["purchase", "supplier"], name="quote_of_supplier_once"),
        ]


class Claim(models.Model):
    """One unit, one live claim: the partial unique index below is the guarantee (W3), whatever the code does."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, related_name="claims")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="claims")
    way = models.CharField(max_length=5, choices=states.Way)
    status = models.CharField(max_length=10, choices=C)
    amount = models.BigIntegerField(default=0)
    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, null=True, related_name="+")
    pledge = models.ForeignKey(Pledge, on_delete=models.PROTECT, null=True, related_name="claims")
    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, null=True, related_name="claims")
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="followed_by")
    claimed_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    secured_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True)
    handed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit"], condition=Q(ended_at__isnull=True), name="claim_one_live_per_unit"
            ),
            models.CheckConstraint(
                condition=Q(status__in=states.ENDED, ended_at__isnull=False)
                | ~Q(status__in=states.ENDED) & Q(ended_at__isnull=True),
                name="claim_ended_frees_unit",
            ),
            models.CheckConstraint(
                condition=Q(way="money", gift__isnull=False, pledge__isnull=True, amount__gt=0)
                & ~Q(status="promised")
                | Q(way="goods", gift__isnull=True, pledge__isnull=False, amount=0, purchase__isnull=True)
                & ~Q(status__in=["held", "secured", "ordered"]),
                name="claim_way_fields",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[C.SECURED, C.ORDERED]) | Q(secured_at__isnull=False),
                name="claim_secured_has_money",
            ),
            models.CheckConstraint(
                condition=~Q(status=C.ORDERED) | Q(purchase__isnull=False), name="claim_ordered_has_order"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[C.ARRIVED, C.HANDED, C.CONFIRMED]) | Q(arrived_at__isnull=False),
                name="claim_goods_accepted_first",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[C.HANDED, C.CONFIRMED])
                | Q(handed_at__isnull=False, handed_by__isnull=False),
                name="claim_handed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(status=C.CONFIRMED, confirmed_at__isnull=False)
                | ~Q(status=C.CONFIRMED) & Q(confirmed_at__isnull=True),
                name="claim_confirmed_by_family",
            ),
        ]
        indexes = [
            models.Index(fields=["wish", "id"], name="claim_by_wish"),
            models.Index(fields=["gift", "id"], name="claim_by_gift", condition=Q(gift__isnull=False)),
            models.Index(
                fields=["due_at"], name="claim_due", condition=Q(ended_at__isnull=True, due_at__isnull=False)
            ),
            models.Index(fields=["status", "id"], name="claim_queue", condition=Q(ended_at__isnull=True)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="claims_within_gift",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After, timing=pgtrigger.Deferred, condition=pgtrigger.Q(new__gift__isnull=False),
                func=WITHIN_GIFT,
            ),
            pgtrigger.Trigger(
                name="claim_of_public_wish",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After, timing=pgtrigger.Deferred, func=NEEDS_PUBLIC_WISH,
            ),
        ]  # fmt: skip


class ClaimStatusChange(StatusChange):
    record = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="changes")
