"""Charities and audit firms. The federation is the one organization whose book all gifts enter (F1)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from stdnum.cn import uscc as uscc_number
from stdnum.exceptions import ValidationError as StdnumError


class OrganizationKind(models.TextChoices):
    FOUNDATION = "foundation", _("基金会")
    ASSOCIATION = "association", _("社会团体")
    SERVICE = "service", _("社会服务机构")


def check_uscc(value: str) -> None:
    """This will refuse a unified social credit code whose check digit is wrong (F4)."""
    try:
        uscc_number.validate(value)
    except StdnumError as error:
        raise ValidationError(
            _("统一社会信用代码的校验位不对，请对照登记证书核对18位代码。"), code="uscc"
        ) from error


class Organization(models.Model):
    name = models.CharField(max_length=120, unique=True)
    name_en = models.CharField(max_length=160, blank=True)
    uscc = models.CharField(max_length=18, unique=True, validators=[check_uscc])
    kind = models.CharField(max_length=12, choices=OrganizationKind)
    is_federation = models.BooleanField(default=False)
    certificate = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=160)
    phone = models.CharField(max_length=40)
    query_url = models.URLField(blank=True)
    is_fictional = models.BooleanField(default=False)
    first_report_year = models.PositiveSmallIntegerField(default=2026)
    """The first year whose yearly reports are owed here; earlier ones stand elsewhere."""

    # Written down by disclosures, so that no new campaign opens while a report of the organization is late (F7).
    overdue_since = models.DateField(null=True)
    overdue_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_federation"], condition=Q(is_federation=True), name="one_federation"
            ),
            models.CheckConstraint(condition=Q(uscc__regex=r"^[0-9A-HJ-NPQRTUWXY]{18}$"), name="uscc_shape"),
            models.CheckConstraint(
                condition=Q(is_federation=False) | ~Q(certificate=""), name="federation_is_licensed"
            ),
        ]

    def __str__(self) -> str:
        return (self.name_en or self.name) if (get_language() or "").startswith("en") else self.name

    @property
    def is_licensed(self) -> bool:
        """Whether it holds a public-fundraising certificate (公开募捐资格)."""
        return bool(self.certificate)


class RatioLimit(models.Model):
    """The yearly limits of a class of charities (D7), by kind, licence and net assets at last year's end (fen;
    the lower bound belongs to the class). Shares in basis points. `of_income`: spending is measured against
    last year's income
    (or the three-year average), else against net assets; `also_of_income` asks for that share of income as well."""

    kind = models.CharField(
        max_length=12, choices=[*OrganizationKind.choices, ("others", _("社会团体和社会服务机构"))]
    )
    licensed = models.BooleanField()
    assets_from = models.BigIntegerField(default=0)
    spending_bp = models.PositiveIntegerField()
    of_income = models.BooleanField()
    also_of_income_bp = models.PositiveIntegerField(default=0)
    management_bp = models.PositiveIntegerField()
    management_free_below = models.BigIntegerField()
    fundraising_bp = models.PositiveIntegerField()
    source = models.CharField(max_length=160)
    effective_from = models.DateField()

    class Meta:
        ordering = ["effective_from", "licensed", "kind", "-assets_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "licensed", "assets_from", "effective_from"], name="ratio_limit_once"
            )
        ]


class AuditFirm(models.Model):
    """A firm that audits reports; auditors hold their role within it."""

    name = models.CharField(max_length=120, unique=True)
    name_en = models.CharField(max_length=160, blank=True)
    uscc = models.CharField(max_length=18, unique=True, validators=[check_uscc])
    licence = models.CharField(max_length=60)
    is_fictional = models.BooleanField(default=False)

    def __str__(self) -> str:
        return (self.name_en or self.name) if (get_language() or "").startswith("en") else self.name


class AuditTie(models.Model):
    """A reason why a firm is not independent of an organization; the draw leaves it out (D4)."""

    firm = models.ForeignKey(AuditFirm, on_delete=models.CASCADE, related_name="ties")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["firm", "organization"], name="audit_tie_once")]
